//! The frames of the connection itself: hello, heartbeat, goodbye.

use crate::wire::{self, DecodeError};
use crate::{Reason, Refusal};
use bincode::{Decode, Encode};

/// What every hello begins with, after its operation code.
pub const MAGIC: [u8; 8] = *b"WORKYARD";

/// The version that this crate speaks.
pub const VERSION: u16 = 1;

pub(crate) const HELLO: u8 = 0x01;
pub(crate) const PING: u8 = 0x02;
pub(crate) const PONG: u8 = 0x03;
pub(crate) const WELCOME: u8 = 0x81;
pub(crate) const REFUSED: u8 = 0x82;
pub(crate) const GOODBYE: u8 = 0x83;

/// Which daemon a client means to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum ServiceKind {
    /// channel-server.
    Channel,
    /// globaldata-server.
    GlobalData,
}

impl ServiceKind {
    /// The daemon's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel-server",
            Self::GlobalData => "globaldata-server",
        }
    }
}

/// The first frame of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The oldest version that the client speaks.
    pub version_min: u16,
    /// The newest.
    pub version_max: u16,
    /// The service wanted.
    pub service: ServiceKind,
    /// Optional features wanted, one bit each. None is defined yet.
    pub features: u64,
    /// What the client calls itself, for logs.
    pub client: &'a str,
    /// What proves who the client is, if anything. Servers without authentication ignore it.
    pub credentials: Option<&'a [u8]>,
}

impl<'a> Hello<'a> {
    /// A hello in this version's words.
    #[must_use]
    pub fn new(service: ServiceKind, client: &'a str) -> Self {
        Self {
            version_min: VERSION,
            version_max: VERSION,
            service,
            features: 0,
            client,
            credentials: None,
        }
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        let versions = (self.version_min, self.version_max);
        wire::put(out, (versions, self.service, self.features, self.client, self.credentials));
    }

    pub(crate) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let Some(header) = body.strip_prefix(&MAGIC) else {
            return Err(Refusal::new(Reason::ExpectedHello, "a hello begins with WORKYARD").into());
        };
        type Header<'a> = ((u16, u16), ServiceKind, u64, &'a str, Option<&'a [u8]>);
        let (versions, service, features, client, credentials): Header<'a> =
            wire::take_all(header, "hello")?;
        let (version_min, version_max) = versions;
        Ok(Self { version_min, version_max, service, features, client, credentials })
    }

    /// The version to speak: the newest that both know.
    ///
    /// # Errors
    /// `VersionUnsupported` when there is none.
    pub fn negotiate(&self) -> Result<u16, Refusal> {
        if (self.version_min..=self.version_max).contains(&VERSION) {
            return Ok(VERSION);
        }
        let (min, max) = (self.version_min, self.version_max);
        Err(Refusal::new(
            Reason::VersionUnsupported,
            format!("this server speaks version {VERSION}, the client {min} to {max}"),
        ))
    }
}

/// The server's answer to a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome<'a> {
    /// The version that both speak from now on.
    pub version: u16,
    /// The features granted.
    pub features: u64,
    /// The server's name and version, for logs.
    pub server: &'a str,
    /// Another number for every start of the server: what it kept in memory is gone when it changes.
    pub epoch: u64,
    /// This connection's number in the server's logs.
    pub session: u64,
    /// How often either side must be heard, in milliseconds.
    pub heartbeat_ms: u32,
    /// The longest frame that the server accepts.
    pub frame_bytes_max: u32,
}

impl<'a> Welcome<'a> {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        wire::put(
            out,
            (
                (self.version, self.features, self.server),
                (self.epoch, self.session),
                (self.heartbeat_ms, self.frame_bytes_max),
            ),
        );
    }

    pub(crate) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        type Header<'a> = ((u16, u64, &'a str), (u64, u64), (u32, u32));
        let ((version, features, server), (epoch, session), (heartbeat_ms, frame_bytes_max)): Header<
            'a,
        > = wire::take_all(body, "welcome")?;
        Ok(Self { version, features, server, epoch, session, heartbeat_ms, frame_bytes_max })
    }
}

/// The last frame of a server: why it ends the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goodbye {
    /// The reason, with its text.
    pub refusal: Refusal,
    /// When to connect again, if the server knows better than the client.
    pub reconnect_after_ms: Option<u32>,
}

impl Goodbye {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let refusal = &self.refusal;
        wire::put(out, (refusal.reason.code(), refusal.text.as_ref(), self.reconnect_after_ms));
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let (code, text, reconnect_after_ms): (u16, &str, Option<u32>) =
            wire::take_all(body, "goodbye")?;
        let refusal = Refusal::new(Reason::from_code(code), text.to_owned());
        Ok(Self { refusal, reconnect_after_ms })
    }
}

pub(crate) fn put_refusal(refusal: &Refusal, out: &mut Vec<u8>) {
    wire::put(out, (refusal.reason.code(), refusal.text.as_ref()));
}

pub(crate) fn decode_refusal(body: &[u8]) -> Result<Refusal, DecodeError> {
    let (code, text): (u16, &str) = wire::take_all(body, "refused")?;
    Ok(Refusal::new(Reason::from_code(code), text.to_owned()))
}
