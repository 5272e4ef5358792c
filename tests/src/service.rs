//! The two services, as tests tell them apart.

use std::fmt::Debug;
use workyard_protocol::channel::{self, ChannelWire};
use workyard_protocol::control::ServiceKind;
use workyard_protocol::globaldata::{self, GlobalDataWire};
use workyard_protocol::{DecodeError, ToClient, Wire};

/// A service that a daemon offers.
pub trait Service: Wire + 'static {
    /// Which one.
    const KIND: ServiceKind;

    /// The body of a frame to a client, for people.
    fn describe(body: &[u8]) -> String;
}

impl Service for ChannelWire {
    const KIND: ServiceKind = ServiceKind::Channel;

    fn describe(body: &[u8]) -> String {
        type Frame<'a> = ToClient<'a, channel::Reply<'a>, channel::Push<'a>>;
        text(&Frame::decode(body), body)
    }
}

impl Service for GlobalDataWire {
    const KIND: ServiceKind = ServiceKind::GlobalData;

    fn describe(body: &[u8]) -> String {
        type Frame<'a> = ToClient<'a, globaldata::Reply<'a>, globaldata::Push<'a>>;
        text(&Frame::decode(body), body)
    }
}

fn text(frame: &Result<impl Debug, DecodeError>, body: &[u8]) -> String {
    const CHARACTERS_MAX: usize = 400;
    let text = match frame {
        Ok(frame) => format!("{frame:?}"),
        Err(error) => format!("{error} in {body:?}"),
    };
    text.chars().take(CHARACTERS_MAX).collect()
}
