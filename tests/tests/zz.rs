//! scratch
use workyard_protocol::NO_REPLY;
use workyard_protocol::channel::Reply;
use workyard_tests::words::{channel, publish, subscribe};
use workyard_tests::{ChannelWire, Setup};
#[test]
fn scratch() {
    let setup = Setup::<ChannelWire>::new().flag("--write-buffers-bytes-max", "8MiB");
    let daemon = setup.start();
    let value = vec![b'v'; 32 * 1024];
    let mut publisher = daemon.peer();
    let mut stalled = Vec::new();
    println!("start {} peak {}", daemon.memory_bytes() >> 10, daemon.memory_peak_bytes() >> 10);
    for number in 0..60 {
        let name = format!("channel {number}");
        let mut peer = daemon.narrow_peer();
        peer.ask(subscribe(channel(&name)), Reply::Done);
        stalled.push(peer);
        for _ in 0..64 {
            publisher.send(NO_REPLY, publish(&name, &value));
        }
        publisher.expect_silence();
        println!(
            "{number} {} peak {}",
            daemon.memory_bytes() >> 10,
            daemon.memory_peak_bytes() >> 10
        );
    }
    std::thread::sleep(std::time::Duration::from_secs(1));
    println!("{} peak {}", daemon.memory_bytes() >> 10, daemon.memory_peak_bytes() >> 10);
}
#[test]
fn fds() {
    let setup = Setup::<ChannelWire>::new().descriptors_max(64);
    let daemon = setup.start();
    let crowd: Vec<_> = (0..128).map(|_| daemon.stranger()).collect();
    daemon.log().expect("cannot accept a connection");
    println!("{} fds", daemon.descriptors());
    std::process::Command::new("sh").arg("-c").arg("for p in $(pgrep -P $PPID channel-server); do ls -l /proc/$p/fd | tail -5; ls /proc/$p/fd | wc -l; grep -i open /proc/$p/limits; done").status().unwrap();
    drop(crowd);
}
