//! Peers that speak something else, too much, or nothing: each costs its own connection only.

use crate::peer::{SOON, address, binds, connects, peer};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use workyard_testbed::{Port, eventually};
use workyard_zeromq::{ErrorKind, Message, Pull, Push, State, Subscriber};

const GREETING: [u8; 64] = {
    let mut greeting = [0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    (greeting[12], greeting[13], greeting[14], greeting[15]) = (b'N', b'U', b'L', b'L');
    greeting
};
const PUSH: &[u8] = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH";

/// A peer that says this; returns when it was sent away.
async fn stranger(address: SocketAddr, says: &[u8]) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may be sent away before it has said everything.
    let _ = stream.write_all(says).await;
    let mut answer = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap();
}

fn pull() -> Pull {
    let mut options = binds();
    options.message_bytes_max = 1 << 20;
    options.calls.connect_timeout = Duration::from_millis(500);
    Pull::with(options).unwrap()
}

#[tokio::test]
async fn garbage_costs_only_who_sends_it() {
    let pull = pull();
    pull.ready().await.unwrap();
    let address = pull.addresses()[0];
    let mut libzmq = peer("PUSH", "connect", address, &[]).await;
    eventually("it is there", async || pull.peers() == 1).await;
    let known = [&GREETING[..], PUSH].concat();
    let after = |bytes: &[u8]| [&known[..], bytes].concat();
    let mut curve = GREETING;
    curve[12..17].copy_from_slice(b"CURVE");
    let mut old = GREETING;
    old[10] = 1;
    let huge = after(&[2, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let says: [&[u8]; 11] = [
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        &[0; 200],
        &[0xff; 200],
        &curve,
        &old,
        &[&GREETING[..], b"\x00\x05hello"].concat(),
        &[&GREETING[..], b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB"].concat(),
        &[&GREETING[..], b"\x06\0\0\0\x01\0\0\0\0"].concat(),
        &huge,
        &after(&[2, 0, 0, 0, 0, 0, 0x10, 0, 1]),
        &after(&[0x80, 1, b'x']),
    ];
    for bytes in says {
        stranger(address, bytes).await;
        libzmq.ask("send still here").await;
        assert_eq!(pull.recv_within(SOON).await.unwrap(), "still here".into());
    }
    // So many parts that each alone would be allowed.
    let parts = [1, 1, b'x'].repeat(1025);
    stranger(address, &after(&parts)).await;
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..fastrand::usize(0..300)).map(|_| fastrand::u8(..)).collect();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ =
            stream.write_all(&[&known[..fastrand::usize(..known.len())], &bytes].concat()).await;
    }
    libzmq.ask("send still here").await;
    while pull.recv_within(SOON).await.unwrap() != "still here".into() {}
    eventually("they are gone", async || pull.peers() == 1).await;
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_not_kept() {
    let pull = pull();
    pull.ready().await.unwrap();
    for says in [&[][..], &GREETING[..10], &GREETING[..]] {
        stranger(pull.addresses()[0], says).await;
    }
}

/// Some peers look at the context that comes back.
#[tokio::test]
async fn a_ping_is_answered_with_its_context() {
    let pull = pull();
    pull.ready().await.unwrap();
    let mut stream = TcpStream::connect(pull.addresses()[0]).await.unwrap();
    let says = [&GREETING[..], PUSH, b"\x04\x04\x04PIN", b"\x04\x0a\x04PING\0\x64abc"].concat();
    stream.write_all(&says).await.unwrap();
    let mut answer = Vec::new();
    let answered = async {
        while !answer.ends_with(b"\x04\x08\x04PONGabc") {
            answer.push(stream.read_u8().await.unwrap());
        }
    };
    timeout(SOON, answered).await.unwrap();
}

#[tokio::test]
async fn more_peers_than_may_be_are_sent_away() {
    let mut options = binds();
    options.peers_max = 2;
    let pull = Pull::with(options).unwrap();
    pull.ready().await.unwrap();
    let address = pull.addresses()[0];
    let mut libzmq = peer("PUSH", "connect", address, &[]).await;
    let second = Push::with(connects(address)).unwrap();
    second.ready().await.unwrap();
    eventually("two are there", async || pull.peers() == 2).await;
    stranger(address, b"").await;
    libzmq.ask("send one").await;
    second.send("two").await.unwrap();
    for _ in 0..2 {
        pull.recv_within(SOON).await.unwrap();
    }
}

#[tokio::test]
async fn a_peer_of_another_kind_is_refused_with_what_it_is() {
    let port = Port::free();
    let _libzmq = peer("REP", "bind", address(&port), &[]).await;
    let subscriber = Subscriber::with(connects(address(&port))).unwrap();
    let error = subscriber.ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let text = error.to_string();
    assert!(text.ends_with("the peer is a REP; a SUB talks to PUB and XPUB"), "{text}");
}

#[tokio::test]
async fn a_server_of_something_else_is_said_to_be_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let push = Push::with(connects(listener.local_addr().unwrap())).unwrap();
    let serve = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
        }
    };
    let down = async {
        let _ = push.ready().await;
        eventually("it is down", async || {
            matches!(push.state(), State::Down(error) if error.kind() == ErrorKind::Protocol)
        })
        .await;
    };
    tokio::select! {
        () = serve => {}
        () = down => {}
    }
    let State::Down(error) = push.state() else { panic!("it is down") };
    assert!(error.to_string().contains("does not speak ZMTP: it sends \"SSH-2.0-Op\""), "{error}");
}

#[tokio::test]
async fn a_peer_that_hangs_up_after_its_name_is_tried_more_and_more_seldom() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = connects(listener.local_addr().unwrap());
    options.reconnect.first = Duration::from_millis(1);
    options.reconnect.max = SOON;
    let pull = Pull::with(options).unwrap();
    let mut came = 0;
    let serve = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(&[&GREETING[..], PUSH].concat()).await;
            let mut theirs = [0; 100];
            let _ = stream.read_exact(&mut theirs).await;
            came += 1;
        }
    };
    let _ = pull.ready().await;
    assert!(timeout(Duration::from_secs(1), serve).await.is_err());
    assert!((2..15).contains(&came), "{came} connections in a second");
}

#[tokio::test]
async fn what_is_too_large_is_not_sent() {
    let push = Push::open("tcp://127.0.0.1:1?message_bytes_max=10&parts_max=2").unwrap();
    push.send(Message::of(["12345", "67890"])).await.unwrap();
    for message in [Message::from("12345678901"), Message::of(["1", "2", "3"])] {
        let error = push.send(message).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::TooLarge, false));
    }
}
