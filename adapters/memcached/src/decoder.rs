//! Answers of a server, out of the bytes as they come: strict, bounded, each byte looked at once.

use crate::error::{misunderstood, refusal};
use crate::limits::LINE_BYTES_MAX;
use bytes::{Buf, Bytes, BytesMut};
use std::str::FromStr;
use workyard_adapter_kit::{Error, ErrorKind};

/// A value that is shorter than this is copied, so that it does not keep a whole buffer from being freed.
const COPIED_BYTES_MAX: usize = 4096;

/// One answer, or one part of an answer of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Stored,
    NotStored,
    Exists,
    NotFound,
    Deleted,
    Touched,
    Done,
    Reset,
    End,
    Number(u64),
    Version(String),
    Stat(String, String),
    Value(Found),
}

/// A value that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) key: Bytes,
    pub(crate) flags: u32,
    pub(crate) cas: Option<u64>,
    pub(crate) data: Bytes,
}

#[derive(Debug)]
pub(crate) struct Decoder {
    value_bytes_max: usize,
    /// So much of a line is known to have no end.
    scanned: usize,
    /// The line before a value that has not come whole.
    head: Option<(Found, usize)>,
}

impl Decoder {
    pub(crate) fn new(value_bytes_max: usize) -> Self {
        Self { value_bytes_max, scanned: 0, head: None }
    }

    /// The next answer, once it is there, taken out of `input`. After an error nothing that follows can be
    /// understood.
    pub(crate) fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Answer>, Error> {
        if self.head.is_none() {
            let Some(length) = self.line(input)? else { return Ok(None) };
            let head = answer(&input[..length - 2]);
            input.advance(length);
            match head? {
                Head::Whole(answer) => return Ok(Some(answer)),
                Head::Value(found, length) => self.head = Some((found, self.bounded(length)?)),
            }
        }
        self.value(input)
    }

    /// How long the next line is, its end included, once it is there.
    fn line(&mut self, input: &[u8]) -> Result<Option<usize>, Error> {
        let found = input[self.scanned..].iter().position(|byte| *byte == b'\n');
        let length = found.map_or(input.len(), |place| self.scanned + place + 1);
        if length > LINE_BYTES_MAX {
            return Err(misunderstood("a line that does not end", input));
        }
        if found.is_none() {
            self.scanned = length;
            return Ok(None);
        }
        self.scanned = 0;
        if !input[..length].ends_with(b"\r\n") {
            return Err(misunderstood("a line that does not end as lines do", &input[..length]));
        }
        Ok(Some(length))
    }

    fn bounded(&self, length: u64) -> Result<usize, Error> {
        match usize::try_from(length) {
            Ok(length) if length <= self.value_bytes_max => Ok(length),
            _ => {
                let message = format!(
                    "the value has {length} bytes, more than value_bytes_max allows, which is {}",
                    self.value_bytes_max
                );
                Err(Error::new(ErrorKind::TooLarge, message))
            }
        }
    }

    fn value(&mut self, input: &mut BytesMut) -> Result<Option<Answer>, Error> {
        let Some((found, length)) = self.head.take() else { return Ok(None) };
        let missing = (length + 2).saturating_sub(input.len());
        if missing > 0 {
            input.reserve(missing);
            self.head = Some((found, length));
            return Ok(None);
        }
        if &input[length..length + 2] != b"\r\n" {
            let end = &input[length..length + 2];
            return Err(misunderstood("a value that does not end where it said", end));
        }
        let data = match length {
            ..COPIED_BYTES_MAX => {
                let data = Bytes::copy_from_slice(&input[..length]);
                input.advance(length);
                data
            }
            _ => input.split_to(length).freeze(),
        };
        input.advance(2);
        Ok(Some(Answer::Value(Found { data, ..found })))
    }
}

/// What a line says.
enum Head {
    Whole(Answer),
    Value(Found, u64),
}

fn answer(line: &[u8]) -> Result<Head, Error> {
    let whole = match line {
        b"STORED" => Answer::Stored,
        b"NOT_STORED" => Answer::NotStored,
        b"EXISTS" => Answer::Exists,
        b"NOT_FOUND" => Answer::NotFound,
        b"DELETED" => Answer::Deleted,
        b"TOUCHED" => Answer::Touched,
        b"OK" => Answer::Done,
        b"RESET" => Answer::Reset,
        b"END" => Answer::End,
        _ => return rarer(line).ok_or_else(|| misunderstood("not an answer", line)).flatten(),
    };
    Ok(Head::Whole(whole))
}

/// Answers with something in them.
fn rarer(line: &[u8]) -> Option<Result<Head, Error>> {
    if let Some(value) = line.strip_prefix(b"VALUE ") {
        return found(value).map(Ok);
    }
    if let Some(number) = number(line) {
        return Some(Ok(Head::Whole(Answer::Number(number))));
    }
    let text = String::from_utf8_lossy(line);
    if let Some(error) = refusal(&text) {
        return Some(Err(error));
    }
    let (word, rest) = text.split_once(' ')?;
    let answer = match word {
        "VERSION" => Answer::Version(rest.to_owned()),
        "STAT" => {
            let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
            Answer::Stat(name.to_owned(), value.to_owned())
        }
        _ => return None,
    };
    Some(Ok(Head::Whole(answer)))
}

/// `KEY FLAGS LENGTH`, and after `gets` one number more.
fn found(line: &[u8]) -> Option<Head> {
    let mut words = line.split(|byte| *byte == b' ');
    let key = words.next().filter(|key| !key.is_empty())?;
    let flags = number(words.next()?)?;
    let length = number(words.next()?)?;
    let cas = words.next().map(number);
    if cas == Some(None) || words.next().is_some() {
        return None;
    }
    let key = Bytes::copy_from_slice(key);
    let found = Found { key, flags, cas: cas.flatten(), data: Bytes::new() };
    Some(Head::Value(found, length))
}

/// Digits and nothing else.
fn number<T: FromStr>(text: &[u8]) -> Option<T> {
    let digits = text.iter().all(u8::is_ascii_digit).then_some(text)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
