//! Frames that dice made: two thousand for each service, from a seed that is printed.

use crate::samples::Sampled;
use fastrand::Rng;
use workyard_protocol::ToClient;
use workyard_tests::{ChannelWire, GlobalDataWire, Peer, Setup, note};

const SEED: u64 = 0x574f_524b_5941_5244;
const FRAMES: usize = 2000;
const CHECK_EVERY: usize = 20;

#[test]
fn random_frames_harm_nobody_on_channel_server() {
    check_garbage::<ChannelWire>();
}

#[test]
fn random_frames_harm_nobody_on_globaldata_server() {
    check_garbage::<GlobalDataWire>();
}

fn check_garbage<W: Sampled>() {
    note(&format!("seed {SEED:#x}"));
    let mut dice = Rng::with_seed(SEED);
    let daemon = Setup::<W>::new().start();
    let mut keeper = W::keep(&daemon);
    let samples = W::samples();
    let mut peer = daemon.peer();
    for number in 0..FRAMES {
        let body = garbage(&mut dice, &samples);
        note(&format!("frame {number}: {body:02x?}"));
        peer.send_frame(&body);
        if !is_served(&mut peer) {
            peer = daemon.peer();
        }
        if number % CHECK_EVERY == 0 {
            W::check(&mut keeper);
        }
    }
    W::check(&mut keeper);
}

/// Half of it is noise behind a plausible code, half a request with some bytes changed.
fn garbage(dice: &mut Rng, samples: &[Vec<u8>]) -> Vec<u8> {
    let sample = &samples[dice.usize(..samples.len())];
    if dice.bool() {
        let length = dice.usize(..80);
        let noise = std::iter::repeat_with(|| dice.u8(..)).take(length);
        return std::iter::once(sample[0]).chain(noise).collect();
    }
    let mut body = sample.clone();
    for _ in 0..dice.usize(1..4) {
        // The code stays, and so does most of the id.
        let at = dice.usize(4..body.len());
        body[at] = dice.u8(..);
    }
    body
}

/// Waits until the frame is dealt with; whether the connection is still there.
fn is_served<W: Sampled>(peer: &mut Peer<W>) -> bool {
    const TOKEN: u8 = 77;
    let ping = [0, 0, 0, 6, 0x02, TOKEN];
    if peer.try_send_bytes(&ping).is_err() {
        return false;
    }
    loop {
        let frame = peer.try_receive().expect("an answer or an orderly end");
        let Some(frame) = frame else { return false };
        match frame.decode::<W>() {
            ToClient::Pong(pong) if pong == u64::from(TOKEN) => return true,
            ToClient::Goodbye(_) => {
                peer.expect_end();
                return false;
            }
            _ => {}
        }
    }
}
