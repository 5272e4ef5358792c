//! How a connection begins: greetings, and who is who (ZMTP 3.0, mechanism NULL).

use crate::codec::{Bounds, Decoder, Incoming, encode_command};
use crate::kind::Kind;
use crate::limits::IDENTITY_BYTES_MAX;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workyard_adapter_kit::{Error, ErrorKind};

const GREETING_BYTES: usize = 64;
const READY: &[u8] = b"\x05READY";
const FAILED: &[u8] = b"\x05ERROR";

/// What is known of a peer.
#[derive(Debug)]
pub(crate) struct Introduced {
    /// What it calls itself; empty when nothing.
    pub(crate) identity: Bytes,
    /// What it has sent already after its introduction.
    pub(crate) input: BytesMut,
    pub(crate) decoder: Decoder,
}

/// Greets a peer, and hears who it is.
pub(crate) async fn handshake(
    stream: &mut TcpStream,
    kind: Kind,
    identity: &[u8],
    bounds: Bounds,
) -> Result<Introduced, Error> {
    let mut output = BytesMut::from(&greeting()[..]);
    encode_command(&ready(kind, identity), &mut output);
    stream.write_all(&output[..GREETING_BYTES]).await.map_err(lost)?;
    let mut theirs = [0; GREETING_BYTES];
    stream.read_exact(&mut theirs[..10]).await.map_err(lost)?;
    check_signature(&theirs[..10])?;
    stream.read_exact(&mut theirs[10..]).await.map_err(lost)?;
    check_greeting(&theirs)?;
    stream.write_all(&output[GREETING_BYTES..]).await.map_err(lost)?;
    let (mut decoder, mut input) = (Decoder::new(bounds), BytesMut::new());
    loop {
        match decoder.decode(&mut input)? {
            Some(Incoming::Command(body)) => {
                let identity = introduction(kind, &body)?;
                return Ok(Introduced { identity, input, decoder });
            }
            Some(Incoming::Message(_)) => return Err(strange("a message before its name")),
            None => {}
        }
        if stream.read_buf(&mut input).await.map_err(lost)? == 0 {
            return Err(lost(io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

/// The connection was lost.
pub(crate) fn lost(error: io::Error) -> Error {
    let message = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the peer closed the connection".to_owned(),
        _ => format!("the connection was lost: {error}"),
    };
    Error::new(ErrorKind::Disconnected, message).with_source(error)
}

fn greeting() -> [u8; GREETING_BYTES] {
    let mut greeting = [0; GREETING_BYTES];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

fn ready(kind: Kind, identity: &[u8]) -> Vec<u8> {
    let mut body = READY.to_vec();
    for (name, value) in [("Socket-Type", kind.name().as_bytes()), ("Identity", identity)] {
        body.put_u8(u8::try_from(name.len()).expect("names are short"));
        body.put_slice(name.as_bytes());
        body.put_u32(u32::try_from(value.len()).expect("an identity is short"));
        body.put_slice(value);
    }
    body
}

fn check_signature(signature: &[u8]) -> Result<(), Error> {
    if signature[0] == 0xff && signature[9] == 0x7f {
        return Ok(());
    }
    Err(strange(format!("\"{}\"", signature.escape_ascii())))
}

fn check_greeting(theirs: &[u8; GREETING_BYTES]) -> Result<(), Error> {
    if theirs[10] < 3 {
        let message = format!("the peer speaks version {} of ZMTP; it needs 3", theirs[10]);
        return Err(Error::new(ErrorKind::Refused, message));
    }
    let mechanism = theirs[12..32].split(|byte| *byte == 0).next().unwrap_or_default();
    if mechanism != b"NULL" {
        let message = format!("the peer wants {}; there is NULL only", mechanism.escape_ascii());
        return Err(Error::new(ErrorKind::Refused, message));
    }
    Ok(())
}

/// The identity in what a peer says of itself.
fn introduction(kind: Kind, body: &[u8]) -> Result<Bytes, Error> {
    if let Some(reason) = body.strip_prefix(FAILED) {
        let reason = reason.get(1..).unwrap_or_default();
        let message = format!("the peer refuses: \"{}\"", reason.escape_ascii());
        return Err(Error::new(ErrorKind::Refused, message));
    }
    let Some(mut rest) = body.strip_prefix(READY) else {
        return Err(strange("a command that is not READY"));
    };
    let (mut socket, mut identity) = (Bytes::new(), Bytes::new());
    while rest.has_remaining() {
        let (name, value) = property(&mut rest).ok_or_else(|| strange("half a property"))?;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            socket = value;
        } else if name.eq_ignore_ascii_case(b"Identity") {
            identity = value;
        }
    }
    if !kind.peers().iter().any(|peer| socket == peer.as_bytes()) {
        let message = format!(
            "the peer is a {}; a {} talks to {}",
            socket.escape_ascii(),
            kind.name(),
            kind.peers().join(" and ")
        );
        return Err(Error::new(ErrorKind::Refused, message));
    }
    // The first byte is what distinguishes names that were given from names that were made.
    if identity.len() > IDENTITY_BYTES_MAX || identity.first() == Some(&0) {
        return Err(strange("an identity that is none"));
    }
    Ok(identity)
}

fn property(rest: &mut &[u8]) -> Option<(Bytes, Bytes)> {
    let name = usize::from(rest.try_get_u8().ok()?);
    let name = rest.split_off(..name)?;
    let value = usize::try_from(rest.try_get_u32().ok()?).ok()?;
    let value = rest.split_off(..value)?;
    Some((Bytes::copy_from_slice(name), Bytes::copy_from_slice(value)))
}

fn strange(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Protocol, format!("the peer does not speak ZMTP: it sends {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn introductions_are_understood() {
        let body = ready(Kind::Dealer, b"ann");
        assert_eq!(body[..29], *b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08");
        assert_eq!(introduction(Kind::Router, &body).unwrap(), "ann");
        let body = b"\x05READY\x0bsocket-type\0\0\0\x04PULL\x01X\0\0\0\0";
        assert_eq!(introduction(Kind::Push, body).unwrap(), "");
    }

    #[test]
    fn who_does_not_fit_is_refused() {
        let cases: [(&[u8], ErrorKind, &str); 7] = [
            (&ready(Kind::Dealer, b""), ErrorKind::Refused, "the peer is a DEALER; a PUSH talks"),
            (b"\x05READY", ErrorKind::Refused, "the peer is a ; a PUSH talks to PULL"),
            (b"\x05ERROR\x02no", ErrorKind::Refused, "the peer refuses: \"no\""),
            (b"\x04PING", ErrorKind::Protocol, "a command that is not READY"),
            (b"\x05READY\x0bSocket-Type\0\0\0\x05PULL", ErrorKind::Protocol, "half a property"),
            (b"\x05READY\xff", ErrorKind::Protocol, "half a property"),
            (&ready(Kind::Pull, b"\0made"), ErrorKind::Protocol, "an identity that is none"),
        ];
        for (body, kind, text) in cases {
            let error = introduction(Kind::Push, body).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn greetings_are_checked() {
        check_greeting(&greeting()).unwrap();
        check_signature(&greeting()[..10]).unwrap();
        assert!(check_signature(b"GET / HTTP").is_err());
        let mut old = greeting();
        old[10] = 1;
        assert_eq!(check_greeting(&old).unwrap_err().kind(), ErrorKind::Refused);
        let mut curve = greeting();
        curve[12..17].copy_from_slice(b"CURVE");
        let error = check_greeting(&curve).unwrap_err();
        assert_eq!(error.message(), "the peer wants CURVE; there is NULL only");
    }

    proptest! {
        #[test]
        fn any_introduction_is_read(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = introduction(Kind::Push, &[READY, &body].concat());
        }
    }
}
