//! Whatever is encoded comes back, and whatever comes in is taken or refused, never worse.

use crate::random::*;
use crate::random_watches::globaldata_push;
use crate::service::{Down, Service, Up, body};
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt::Debug;
use workyard_protocol::channel::ChannelWire;
use workyard_protocol::globaldata::{self, GetMany, GlobalDataWire};
use workyard_protocol::limits::HEADER_BYTES_MAX;
use workyard_protocol::{Key, Message, Reason, ToClient, ToServer};

proptest! {
    #[test]
    fn channel_requests_come_back(id in any::<u32>(), request in channel_request()) {
        request_comes_back(id, request);
    }

    #[test]
    fn channel_replies_come_back(id in any::<u32>(), reply in channel_reply()) {
        comes_back::<ChannelWire>(&ToClient::Reply(id, reply));
    }

    #[test]
    fn channel_pushes_come_back(push in channel_push()) {
        comes_back::<ChannelWire>(&ToClient::Push(push));
    }

    #[test]
    fn globaldata_requests_come_back(id in any::<u32>(), request in globaldata_request()) {
        request_comes_back(id, request);
    }

    #[test]
    fn globaldata_replies_come_back(id in any::<u32>(), reply in globaldata_reply()) {
        comes_back::<GlobalDataWire>(&ToClient::Reply(id, reply));
    }

    #[test]
    fn globaldata_pushes_come_back(push in globaldata_push()) {
        comes_back::<GlobalDataWire>(&ToClient::Push(push));
    }

    #[test]
    fn refusals_come_back(id in any::<u32>(), refusal in refusal()) {
        comes_back::<GlobalDataWire>(&ToClient::Refused(id, refusal));
    }

    #[test]
    fn any_body_is_taken_or_refused(operation in any::<u8>(), rest in vec(0..8u8, 0..40)) {
        let body = [&[operation][..], &rest].concat();
        taken_or_refused::<ChannelWire>(&body);
        taken_or_refused::<GlobalDataWire>(&body);
    }
}

/// 64 bytes count for each of these keys and 8 for their number, though they take 57 and 3.
#[test]
fn a_header_counts_integers_by_their_width() {
    let name = [b'k'; 56];
    let decode = |count: usize| {
        let key = Key::new(&name).unwrap();
        let request = globaldata::Request::GetMany(GetMany { keys: vec![key; count] });
        let mut frame = Vec::new();
        ToServer::Request(7, request).encode(&mut frame);
        let decoded: Result<Up<'_, GlobalDataWire>, _> = ToServer::decode(body(frame.leak()));
        decoded.map(|_| ()).map_err(|(_, error)| error.into_refusal().reason)
    };
    let fits = (HEADER_BYTES_MAX - 8) / 64;
    assert_eq!(decode(fits), Ok(()));
    assert_eq!(decode(fits + 1), Err(Reason::Malformed));
}

fn request_comes_back<'a, Q: Message<'a> + PartialEq + Debug + Clone>(id: u32, request: Q) {
    let sent = ToServer::Request(id, request);
    let mut frame = Vec::new();
    sent.encode(&mut frame);
    let body: &'static [u8] = body(frame.leak());
    assert_eq!(ToServer::decode(body), Ok(sent));
}

fn comes_back<S: Service>(sent: &Down<'static, S>) {
    let mut frame = Vec::new();
    sent.encode(&mut frame);
    assert_eq!(ToClient::decode(body(frame.leak())).as_ref(), Ok(sent));
}

/// What is taken makes a frame that says the same.
fn taken_or_refused<S: Service>(body: &[u8]) {
    let body: &'static [u8] = body.to_vec().leak();
    let taken: Result<Up<'static, S>, _> = ToServer::decode(body);
    if let Ok(message) = taken {
        let mut frame = Vec::new();
        message.encode(&mut frame);
        assert_eq!(ToServer::decode(&frame.leak()[4..]), Ok(message));
    }
    let taken: Result<Down<'static, S>, _> = ToClient::decode(body);
    if let Ok(message) = taken {
        comes_back::<S>(&message);
    }
}
