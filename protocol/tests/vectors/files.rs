//! Every vector: decoded to exactly its meaning, encoded to exactly its bytes, or rejected.

use crate::control;
use crate::service::{Down, Service, Up, body, check, verdict_down, verdict_up};
use crate::vector::{CHANNEL, CONTROL, Direction, GLOBALDATA, Outcome, Vector, read};
use std::collections::BTreeSet;
use workyard_protocol::channel::ChannelWire;
use workyard_protocol::globaldata::GlobalDataWire;
use workyard_protocol::{ToClient, ToServer};

#[test]
fn control() {
    check_all::<ChannelWire>(CONTROL);
    check_all::<GlobalDataWire>(CONTROL);
}

#[test]
fn channel() {
    check_all::<ChannelWire>(CHANNEL);
}

#[test]
fn globaldata() {
    check_all::<GlobalDataWire>(GLOBALDATA);
}

#[test]
fn every_message_has_a_vector() {
    let codes: BTreeSet<u8> = [CONTROL, CHANNEL, GLOBALDATA]
        .iter()
        .flat_map(|lines| read(lines))
        .filter(|vector| matches!(vector.outcome, Outcome::Says { .. }))
        .map(|vector| vector.frame[4])
        .collect();
    let known = [
        0x01..=0x03u8,
        // channel-server: subscriptions, queues, history
        0x10..=0x14,
        0x18..=0x26,
        0x90..=0x99,
        0xC0..=0xC4,
        // questions
        0x28..=0x2A,
        0x9C..=0x9C,
        0xC5..=0xC7,
        // presence
        0x2B..=0x2D,
        0x9D..=0x9D,
        0xC8..=0xC8,
        // globaldata-server
        0x30..=0x3E,
        0x42..=0x45,
        0xA0..=0xA3,
        0xB0..=0xBD,
        0xE0..=0xE2,
        0xE4..=0xE5,
        // connection
        0x81..=0x83,
    ];
    assert_eq!(codes, known.into_iter().flatten().collect());
}

#[test]
fn names_are_used_once() {
    for lines in [CONTROL, CHANNEL, GLOBALDATA] {
        let vectors = read(lines);
        let names: BTreeSet<_> = vectors.iter().map(|vector| vector.name).collect();
        assert_eq!(names.len(), vectors.len());
    }
}

fn check_all<S: Service>(lines: &str) {
    for vector in read(lines) {
        match (&vector.outcome, vector.direction) {
            (Outcome::Says { .. }, Direction::ToServer) => accept_up::<S>(&vector),
            (Outcome::Says { .. }, Direction::ToClient) => accept_down::<S>(&vector),
            (Outcome::Rejected(reason), Direction::ToServer) => {
                let verdict = verdict_up::<S>(&vector.frame);
                assert_eq!(verdict, Some((reason.code(), vector.request)), "{}", vector.name);
            }
            (Outcome::Rejected(reason), Direction::ToClient) => {
                let verdict = verdict_down::<S>(&vector.frame);
                assert_eq!(verdict, Some(reason.code()), "{}", vector.name);
            }
        }
    }
}

fn accept_up<S: Service>(vector: &Vector) {
    let frame: &'static [u8] = vector.frame.clone().leak();
    let decoded: Up<'static, S> =
        ToServer::decode(body(frame)).unwrap_or_else(|error| panic!("{}: {error:?}", vector.name));
    check(vector, &control::to_server::<S>(vector), &decoded, ToServer::encode);
}

fn accept_down<S: Service>(vector: &Vector) {
    let frame: &'static [u8] = vector.frame.clone().leak();
    let decoded: Down<'static, S> =
        ToClient::decode(body(frame)).unwrap_or_else(|error| panic!("{}: {error:?}", vector.name));
    check(vector, &control::to_client::<S>(vector), &decoded, ToClient::encode);
}
