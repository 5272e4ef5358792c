//! Requests and streams that end too early, or too late.

use crate::frames::check_ends;
use crate::samples::Sampled;
use workyard_protocol::Reason;
use workyard_protocol::frame;
use workyard_tests::{ChannelWire, Daemon, GlobalDataWire, Peer, Setup};

#[test]
fn every_request_needs_each_of_its_bytes_and_no_more() {
    check_every_cut(&Setup::<ChannelWire>::new().start());
    check_every_cut(&Setup::<GlobalDataWire>::new().start());
}

fn check_every_cut<W: Sampled>(daemon: &Daemon<W>) {
    let mut cases = Vec::new();
    for body in W::samples() {
        let cuts = (0..body.len()).map(|cut| ("cut", body[..cut].to_vec(), Reason::Malformed));
        cases.extend(cuts);
        cases.push(("longer", [&body[..], &[0]].concat(), Reason::Malformed));
    }
    check_ends(daemon, &cases);
    // As they are, they are right.
    let mut peer = daemon.peer();
    for body in W::samples() {
        peer.send_frame(&body);
        peer.receive_all();
    }
}

#[test]
fn a_stream_may_end_anywhere() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut keeper = daemon.peer();
    let hello = Peer::<GlobalDataWire>::hello_bytes();
    let mut stream = hello.clone();
    for body in GlobalDataWire::samples() {
        frame::encode(&mut stream, |out| out.extend_from_slice(&body));
    }
    for end in 0..stream.len() {
        let mut peer = daemon.stranger();
        peer.send_bytes(&stream[..end]);
        peer.finish_sending();
        if end >= hello.len() {
            peer.expect_welcome();
        }
        // What was whole is answered, what is not is forgotten.
        while peer.try_receive().expect("an orderly end").is_some() {}
    }
    keeper.expect_silence();
}

#[test]
fn who_has_finished_sending_still_gets_every_answer() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut peer = daemon.peer();
    let samples = GlobalDataWire::samples();
    samples.iter().for_each(|body| peer.send_frame(body));
    peer.finish_sending();
    for _ in &samples {
        peer.receive();
    }
    peer.expect_end();
}
