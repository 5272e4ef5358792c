//! Packets of both versions in the words of this crate; rumqttc writes and reads them, but for one.

mod frame;
mod message5;
mod publication;
mod version3;
mod version5;

pub(crate) use frame::{Frame, Frames};
pub(crate) use publication::Publication;

use crate::message::Message;
use crate::options::{Options, Version};
use crate::qos::Qos;
use crate::registry::Wanted;
use bytes::BytesMut;
use std::time::Duration;
use workyard_adapter_kit::{Error, ErrorKind};

/// What a broker sends.
#[derive(Debug)]
pub(crate) enum Incoming {
    Welcome(Welcome),
    Message(Arrived),
    /// PUBACK: a message of QoS 1 has arrived, or is not wanted.
    Acknowledged {
        id: u16,
        outcome: Result<(), Error>,
    },
    /// PUBREC: a message of QoS 2 has arrived, or is not wanted.
    Received {
        id: u16,
        outcome: Result<(), Error>,
    },
    /// PUBREL: a message of QoS 2 will not be sent again.
    Released {
        id: u16,
    },
    /// PUBCOMP: a message of QoS 2 is done with.
    Completed {
        id: u16,
    },
    Subscribed {
        id: u16,
        outcome: Result<Qos, Error>,
    },
    Unsubscribed {
        id: u16,
        outcome: Result<(), Error>,
    },
    Pong,
    /// The broker ends the connection, for this reason.
    Farewell(Error),
}

/// How a broker lets a client in.
#[derive(Debug)]
pub(crate) struct Welcome {
    /// Whether it has kept the session.
    pub(crate) session_present: bool,
    /// So many messages of QoS 1 and 2 may be on their way.
    pub(crate) receive_max: u16,
    pub(crate) packet_bytes_max: usize,
    pub(crate) qos_max: Qos,
    /// Where it wants another one.
    pub(crate) keepalive: Option<Duration>,
    /// Whether it says which subscription a message is for.
    pub(crate) numbers: bool,
}

#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) id: u16,
    pub(crate) message: Message,
    /// The subscriptions that it is for, where the broker says so.
    pub(crate) numbers: Vec<usize>,
}

/// An answer to a message of QoS 1 or 2, or a step of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Acknowledged,
    Received,
    Release,
    Completed,
}

/// As a session is greeted: once it is to be kept, it is not begun anew.
pub(crate) fn write_greeting(options: &Options, out: &mut BytesMut) -> Result<(), Error> {
    written(match options.version {
        Version::V3 => version3::greeting(options).write(out).map_err(|it| it.to_string()),
        Version::V5 => version5::greeting(options).write(out, None).map_err(|it| it.to_string()),
    })
}

pub(crate) fn write_answer(version: Version, answer: Answer, id: u16, out: &mut BytesMut) {
    let result = match version {
        Version::V3 => version3::answer(answer, id).write(out, usize::MAX).map_err(drop),
        Version::V5 => version5::answer(answer, id).write(out, None).map_err(drop),
    };
    debug_assert!(result.is_ok(), "an answer of four bytes can be written");
}

pub(crate) fn write_subscribe(
    version: Version,
    id: u16,
    wanted: Wanted,
    numbered: bool,
    out: &mut BytesMut,
) -> Result<(), Error> {
    written(match version {
        Version::V3 => version3::subscribe(id, wanted).write(out).map_err(|it| it.to_string()),
        Version::V5 => {
            version5::subscribe(id, wanted, numbered).write(out).map_err(|it| it.to_string())
        }
    })
}

pub(crate) fn write_unsubscribe(
    version: Version,
    id: u16,
    filter: String,
    out: &mut BytesMut,
) -> Result<(), Error> {
    written(match version {
        Version::V3 => version3::unsubscribe(id, filter).write(out).map_err(|it| it.to_string()),
        Version::V5 => version5::unsubscribe(id, filter).write(out).map_err(|it| it.to_string()),
    })
}

/// The same two bytes with both versions.
pub(crate) fn write_ping(out: &mut BytesMut) {
    out.extend_from_slice(&[0xC0, 0]);
}

/// The same two bytes with both versions: the broker forgets the last will.
pub(crate) fn write_farewell(out: &mut BytesMut) {
    out.extend_from_slice(&[0xE0, 0]);
}

/// Reads one whole packet.
pub(crate) fn read(version: Version, packet: BytesMut) -> Result<Incoming, Error> {
    let kind = packet.first().map_or(0, |byte| byte >> 4);
    let read = match version {
        Version::V3 => version3::read(packet),
        Version::V5 => version5::read(packet),
    };
    read.map_err(|why| {
        let message = format!("a packet of kind {kind} cannot be read ({why})");
        Error::new(ErrorKind::Protocol, message)
    })
}

fn written<T>(result: Result<T, String>) -> Result<(), Error> {
    let failed = |why| {
        Error::new(ErrorKind::InvalidRequest, format!("it cannot be written as a packet ({why})"))
    };
    result.map(drop).map_err(failed)
}

#[cfg(test)]
mod tests;
