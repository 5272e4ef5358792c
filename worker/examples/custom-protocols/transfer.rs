//! Files that are sent: as bytes behind their lengths, and as lines of JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use std::path::Path;
use workyard_worker::protocols::Text;
use workyard_worker::{Input, Payload, Protocol, ProtocolError};

/// A file that came whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content: Bytes,
}

impl File {
    /// A name that leads to another folder is none.
    fn new(name: &str, content: Bytes) -> Result<Self, ProtocolError> {
        let is_plain = Path::new(name).file_name().is_some_and(|plain| plain == name);
        match is_plain && !name.contains(['\0', '\\']) {
            true => Ok(Self { name: name.to_owned(), content }),
            false => Err(ProtocolError::new(format!("{name:?} is no name of a file"))),
        }
    }
}

/// `u32` big-endian, the length of all; `u8`, the length of the name; the name; the file. Answers are bytes.
pub(crate) struct BinaryTransfer;

const HEADER_BYTES: usize = 5;

impl Protocol for BinaryTransfer {
    const NAME: &'static str = "binarytransfer";
    type State = ();
    type Message = File;
    type Reply = Payload;

    fn input((): &mut (), received: &[u8]) -> Result<Input, ProtocolError> {
        let Some(header) = received.first_chunk::<HEADER_BYTES>() else { return Ok(Input::More) };
        let [length @ .., name_bytes] = *header;
        let length = u32::from_be_bytes(length) as usize;
        match length >= HEADER_BYTES + usize::from(name_bytes) {
            true => Ok(Input::Package(length)),
            false => Err(ProtocolError::new("the name is longer than the package")),
        }
    }

    fn decode((): &mut (), mut package: Bytes) -> Result<File, ProtocolError> {
        package.advance(HEADER_BYTES - 1);
        let name_bytes = usize::from(package.get_u8());
        let name = package.split_to(name_bytes);
        let name = std::str::from_utf8(&name).map_err(|_| ProtocolError::new("a name is UTF-8"))?;
        File::new(name, package)
    }

    fn encode((): &mut (), reply: Payload, out: &mut BytesMut) -> Result<(), ProtocolError> {
        out.extend_from_slice(&reply);
        Ok(())
    }
}

/// `{"file_name":"...","file_data":"... in base64"}` and a line feed. Answers are bytes.
pub(crate) struct TextTransfer;

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    file_name: &'a str,
    file_data: &'a str,
}

impl Protocol for TextTransfer {
    const NAME: &'static str = "texttransfer";
    /// How much was searched for the line feed.
    type State = usize;
    type Message = File;
    type Reply = Payload;

    fn input(searched: &mut usize, received: &[u8]) -> Result<Input, ProtocolError> {
        Text::input(searched, received)
    }

    fn decode(_: &mut usize, package: Bytes) -> Result<File, ProtocolError> {
        let line: Line<'_> = serde_json::from_slice(&package)
            .map_err(|error| ProtocolError::new(format!("no line of a file: {error}")))?;
        let content = STANDARD.decode(line.file_data);
        let content = content.map_err(|_| ProtocolError::new("file_data is not base64"))?;
        File::new(line.file_name, content.into())
    }

    fn encode(_: &mut usize, reply: Payload, out: &mut BytesMut) -> Result<(), ProtocolError> {
        out.extend_from_slice(&reply);
        Ok(())
    }
}
