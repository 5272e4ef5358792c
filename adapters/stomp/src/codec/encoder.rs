//! From a frame to its bytes.

use super::escape::Escapes;
use super::{CodecError, Command, Flaw, Frame, FrameLimits, Version};
use bytes::{BufMut, BytesMut};
use std::fmt::Write;

pub(super) fn encode(
    frame: &Frame,
    receipt: Option<u64>,
    version: Option<Version>,
    limits: &FrameLimits,
    into: &mut BytesMut,
) -> Result<(), CodecError> {
    let start = into.len();
    let escapes = Escapes::of(version, frame.command.is_never_escaped());
    let written = write(frame, receipt, escapes, limits, into);
    if written.is_err() {
        into.truncate(start);
    }
    written
}

fn write(
    frame: &Frame,
    receipt: Option<u64>,
    escapes: Escapes,
    limits: &FrameLimits,
    into: &mut BytesMut,
) -> Result<(), CodecError> {
    check(frame, limits)?;
    into.reserve(128 + frame.body.len());
    into.put_slice(frame.command.name().as_bytes());
    into.put_u8(b'\n');
    for (name, value) in frame.headers.iter() {
        header(name, value, escapes, limits, into)?;
    }
    if let Some(number) = receipt {
        line(into, format_args!("receipt:{number}"));
    }
    if has_length(frame) {
        line(into, format_args!("content-length:{}", frame.body.len()));
    }
    into.put_u8(b'\n');
    into.put_slice(&frame.body);
    into.put_u8(b'\0');
    Ok(())
}

fn check(frame: &Frame, limits: &FrameLimits) -> Result<(), CodecError> {
    // Two more for `receipt` and `content-length`.
    if frame.headers.len() + 2 > limits.headers_max {
        return Err(above("the frame has more headers than", limits.headers_max));
    }
    if frame.body.len() > limits.body_bytes_max {
        return Err(above("the body has more bytes than", limits.body_bytes_max));
    }
    Ok(())
}

fn header(
    name: &str,
    value: &str,
    escapes: Escapes,
    limits: &FrameLimits,
    into: &mut BytesMut,
) -> Result<(), CodecError> {
    if !escapes.can_say(name, value) {
        // The value may be secret.
        let message = format!("the header {name:?} has a character that this version cannot say");
        return Err(CodecError::new(Flaw::Unsayable, message));
    }
    let start = into.len();
    escapes.write(name, into);
    into.put_u8(b':');
    escapes.write(value, into);
    if into.len() - start > limits.line_bytes_max {
        return Err(above(&format!("the header {name:?} is longer than"), limits.line_bytes_max));
    }
    into.put_u8(b'\n');
    Ok(())
}

/// A body may hold a NUL, so its length is said, also when it is nothing: `SEND` always, the rest as
/// needed, as some servers want no length where no body is expected.
fn has_length(frame: &Frame) -> bool {
    let has_body = frame.command == Command::Send || !frame.body.is_empty();
    has_body && frame.headers.find("content-length").is_none()
}

fn line(into: &mut BytesMut, text: std::fmt::Arguments<'_>) {
    into.write_fmt(text).expect("a buffer grows");
    into.put_u8(b'\n');
}

fn above(what: &str, limit: usize) -> CodecError {
    CodecError::new(Flaw::TooLarge, format!("{what} {limit}"))
}
