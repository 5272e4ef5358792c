//! Lines of text.

use crate::{Input, Payload, Protocol, ProtocolError};
use bytes::{BufMut, Bytes, BytesMut};

/// Text that ends with a line feed. Line feeds and carriage returns at the end are not part of a message.
#[derive(Clone, Copy, Debug)]
pub struct Text;

impl Protocol for Text {
    const NAME: &'static str = "text";
    /// How much of the line was searched already.
    type State = usize;
    type Message = String;
    type Reply = Payload;

    fn input(searched: &mut usize, received: &[u8]) -> Result<Input, ProtocolError> {
        match received[*searched..].iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                let length = *searched + at + 1;
                *searched = 0;
                Ok(Input::Package(length))
            }
            None => {
                *searched = received.len();
                Ok(Input::More)
            }
        }
    }

    fn decode(_: &mut usize, package: Bytes) -> Result<String, ProtocolError> {
        let end = package.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
        let line = &package[..end.map_or(0, |at| at + 1)];
        let text = std::str::from_utf8(line);
        text.map(str::to_owned).map_err(|_| ProtocolError::new("a line is not UTF-8"))
    }

    fn encode(_: &mut usize, reply: Payload, out: &mut BytesMut) -> Result<(), ProtocolError> {
        out.reserve(reply.len() + 1);
        out.extend_from_slice(&reply);
        out.put_u8(b'\n');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_when_it_is_whole() {
        let mut searched = 0;
        assert_eq!(Text::input(&mut searched, b"ab"), Ok(Input::More));
        assert_eq!(searched, 2);
        assert_eq!(Text::input(&mut searched, b"abc\r\nnext\n"), Ok(Input::Package(5)));
        assert_eq!(searched, 0);
    }

    #[test]
    fn all_ends_of_lines_are_taken_off() {
        for (package, line) in
            [("abc\r\r\n", "abc"), ("\n", ""), ("a b\n", "a b"), ("a\rb\n", "a\rb")]
        {
            assert_eq!(Text::decode(&mut 0, Bytes::from(package)).unwrap(), line);
        }
        assert!(Text::decode(&mut 0, Bytes::from_static(b"\xff\n")).is_err());
    }
}
