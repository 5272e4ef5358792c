//! From bytes to frames, line by line, whatever pieces they come in.

use super::escape::Escapes;
use super::{CodecError, Command, Flaw, Frame, FrameLimits, Version};
use bytes::{Buf, BytesMut};

/// How far the next frame is.
#[derive(Debug, Default)]
pub(super) struct Decoding {
    part: Part,
    /// So many bytes of what is there were looked at in vain.
    seen: usize,
}

#[derive(Debug, Default)]
enum Part {
    /// Before it: line ends here are heart-beats.
    #[default]
    Between,
    /// Its headers.
    Headers(Frame),
    /// Its body; the length, where it was said.
    Body(Frame, Option<usize>),
}

impl Decoding {
    pub(super) fn is_within(&self) -> bool {
        !matches!(self.part, Part::Between)
    }

    pub(super) fn advance(
        &mut self,
        version: Option<Version>,
        limits: &FrameLimits,
        source: &mut BytesMut,
    ) -> Result<Option<Frame>, CodecError> {
        loop {
            match std::mem::take(&mut self.part) {
                Part::Between => {
                    let Some(line) = self.line(version, limits, source)? else { return Ok(None) };
                    if !line.is_empty() {
                        self.part = Part::Headers(Frame::new(command(&line)?));
                    }
                }
                Part::Headers(mut frame) => {
                    let line = self.line(version, limits, source);
                    let Some(line) = line.map_err(|error| within(&frame, error))? else {
                        self.part = Part::Headers(frame);
                        return Ok(None);
                    };
                    if line.is_empty() {
                        let length = length(&frame, limits);
                        let length = length.map_err(|error| within(&frame, error))?;
                        self.part = Part::Body(frame, length);
                    } else {
                        let read = header(&mut frame, &line, version, limits);
                        read.map_err(|error| within(&frame, error))?;
                        self.part = Part::Headers(frame);
                    }
                }
                Part::Body(mut frame, length) => {
                    let taken = self.body(&mut frame, length, limits, source);
                    if !taken.map_err(|error| within(&frame, error))? {
                        self.part = Part::Body(frame, length);
                        return Ok(None);
                    }
                    return Ok(Some(frame));
                }
            }
        }
    }

    /// The next line without its end.
    fn line(
        &mut self,
        version: Option<Version>,
        limits: &FrameLimits,
        source: &mut BytesMut,
    ) -> Result<Option<BytesMut>, CodecError> {
        let end = source[self.seen..].iter().position(|&byte| byte == b'\n');
        let length = end.map_or(source.len(), |end| self.seen + end);
        // One more byte may belong to the end of the line.
        if length > limits.received_line_bytes_max + 1 {
            return Err(above("a line is longer than", limits.received_line_bytes_max));
        }
        if end.is_none() {
            self.seen = length;
            return Ok(None);
        }
        self.seen = 0;
        let mut line = source.split_to(length);
        source.advance(1);
        // A server that has not said its version yet may speak 1.2.
        let may_return = version.is_none_or(|version| version == Version::V1_2);
        if may_return && line.last() == Some(&b'\r') {
            line.truncate(length - 1);
        }
        if line.len() > limits.received_line_bytes_max {
            return Err(above("a line is longer than", limits.received_line_bytes_max));
        }
        Ok(Some(line))
    }

    /// Takes the body, once it is there as a whole.
    fn body(
        &mut self,
        frame: &mut Frame,
        length: Option<usize>,
        limits: &FrameLimits,
        source: &mut BytesMut,
    ) -> Result<bool, CodecError> {
        let length = match length {
            Some(length) if source.len() <= length => {
                source.reserve(length + 1 - source.len());
                return Ok(false);
            }
            Some(length) => length,
            None => {
                let end = source[self.seen..].iter().position(|&byte| byte == b'\0');
                let length = end.map_or(source.len(), |end| self.seen + end);
                if length > limits.body_bytes_max {
                    return Err(above("a body has more bytes than", limits.body_bytes_max));
                }
                if end.is_none() {
                    self.seen = length;
                    return Ok(false);
                }
                length
            }
        };
        self.seen = 0;
        frame.body = source.split_to(length).freeze();
        if source.get_u8() != b'\0' {
            return Err(malformed("a body is longer than its content-length"));
        }
        Ok(true)
    }
}

fn command(line: &[u8]) -> Result<Command, CodecError> {
    Command::parse(line).ok_or_else(|| {
        let said = String::from_utf8_lossy(&line[..line.len().min(32)]);
        malformed(&format!("{said:?} is no command"))
    })
}

/// The first colon ends the name; a value with more of them is taken as it is, as there are servers
/// that do not escape them.
fn header(
    frame: &mut Frame,
    line: &[u8],
    version: Option<Version>,
    limits: &FrameLimits,
) -> Result<(), CodecError> {
    if frame.headers.len() >= limits.received_headers_max {
        return Err(above("a frame has more headers than", limits.received_headers_max));
    }
    let escapes = Escapes::of(version, frame.command.is_never_escaped());
    match line.iter().position(|&byte| byte == b':') {
        None => Err(malformed("a header has no colon")),
        Some(0) => Err(malformed("a header has no name")),
        Some(colon) => {
            frame.headers.push(&escapes.read(&line[..colon])?, &escapes.read(&line[colon + 1..])?);
            Ok(())
        }
    }
}

fn length(frame: &Frame, limits: &FrameLimits) -> Result<Option<usize>, CodecError> {
    let Some(text) = frame.headers.find("content-length") else { return Ok(None) };
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(malformed("a content-length is no number"));
    }
    // What does not fit is above any limit.
    match text.parse() {
        Ok(length) if length <= limits.body_bytes_max => Ok(Some(length)),
        _ => Err(above("a body has more bytes than", limits.body_bytes_max)),
    }
}

/// Names the subscription of a message that cannot be read, if that was said so far.
fn within(frame: &Frame, error: CodecError) -> CodecError {
    match frame.command {
        Command::Message => error.of_subscription(frame.headers.find("subscription")),
        _ => error,
    }
}

fn malformed(message: &str) -> CodecError {
    CodecError::new(Flaw::Malformed, message)
}

fn above(what: &str, limit: usize) -> CodecError {
    CodecError::new(Flaw::TooLarge, format!("{what} {limit}"))
}
