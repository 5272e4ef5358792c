//! The only file that knows how headers become bytes: bincode 2 in one fixed, bounded configuration.
//!
//! Unsigned integers take one byte up to 250, else a marker byte (251, 252, 253) and a big endian
//! `u16`, `u32` or `u64`; signed ones are zigzag-coded first; byte strings and lists are preceded by
//! their length as such an integer. `docs/protocol.md` says the same without naming a library. No
//! wire type is recursive, and no length is believed before the bytes are there.

use crate::channel::TooLongError;
use crate::limits::{HEADER_BYTES_MAX, LIST_ITEMS_MAX, PAGE_ITEMS_MAX};
use crate::{DelayError, NameError, PatternError, Reason, Refusal, TtlError};
use bincode::config::{BigEndian, Configuration, Limit, Varint};
use bincode::de::read::{BorrowReader, Reader};
use bincode::de::{BorrowDecoder, Decoder};
use bincode::enc::write::Writer;
use bincode::enc::{Encode, Encoder};
use bincode::error::{DecodeError as BincodeError, EncodeError};
use bincode::{BorrowDecode, Decode};

const CONFIG: Configuration<BigEndian, Varint, Limit<HEADER_BYTES_MAX>> =
    bincode::config::standard()
        .with_big_endian()
        .with_variable_int_encoding()
        .with_limit::<HEADER_BYTES_MAX>();

/// Why a body is not what its operation code says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes do not have the operation's shape: the peer is broken, the connection ends.
    #[error("{0}")]
    Malformed(String),
    /// The shape is right and the content is not: this request is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl DecodeError {
    /// The refusal to send to the peer.
    #[must_use]
    pub fn into_refusal(self) -> Refusal {
        match self {
            Self::Malformed(text) => Refusal::new(Reason::Malformed, text),
            Self::Refused(refusal) => refusal,
        }
    }
}

impl From<NameError> for DecodeError {
    fn from(error: NameError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<TtlError> for DecodeError {
    fn from(error: TtlError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<DelayError> for DecodeError {
    fn from(error: DelayError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<TooLongError> for DecodeError {
    fn from(error: TooLongError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<PatternError> for DecodeError {
    fn from(error: PatternError) -> Self {
        Self::Refused(error.into())
    }
}

/// Appends a header.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, header: impl Encode) {
    bincode::encode_into_writer(header, Appender(out), CONFIG)
        .expect("headers hold only types that always encode, and a Vec takes every byte");
}

/// Reads a header from the start of `body` and returns what follows it, the payload.
#[inline]
pub(crate) fn take<'a, T: BorrowDecode<'a, ()>>(
    body: &'a [u8],
    what: &'static str,
) -> Result<(T, &'a [u8]), DecodeError> {
    match bincode::borrow_decode_from_slice::<T, _>(body, CONFIG) {
        Ok((header, used)) => Ok((header, &body[used..])),
        Err(error) => Err(DecodeError::Malformed(format!("{what}: {}", describe(&error)))),
    }
}

/// The byte string at the start of a header, if there is one and its length takes one byte.
#[inline]
pub(crate) fn peek_bytes(body: &[u8]) -> Option<&[u8]> {
    let (length, rest) = body.split_first()?;
    rest.get(..usize::from(*length)).filter(|_| *length <= 250)
}

/// Reads a header that has no payload behind it.
#[inline]
pub(crate) fn take_all<'a, T: BorrowDecode<'a, ()>>(
    body: &'a [u8],
    what: &'static str,
) -> Result<T, DecodeError> {
    match take(body, what)? {
        (header, []) => Ok(header),
        (_, rest) => Err(trailing(what, rest.len())),
    }
}

/// The error for bytes that nothing accounts for.
pub(crate) fn trailing(what: &'static str, count: usize) -> DecodeError {
    DecodeError::Malformed(format!("{what}: {count} bytes more than its fields take"))
}

/// Cuts `length` bytes off a payload that holds several values.
pub(crate) fn cut<'a>(
    payload: &mut &'a [u8],
    length: u32,
    what: &'static str,
) -> Result<&'a [u8], DecodeError> {
    let (piece, rest) = payload.split_at_checked(length as usize).ok_or_else(|| {
        let have = payload.len();
        DecodeError::Malformed(format!("{what}: a value of {length} bytes, but {have} are left"))
    })?;
    *payload = rest;
    Ok(piece)
}

/// Pages hold at least one entry and at most [`PAGE_ITEMS_MAX`].
pub(crate) fn check_page_limit(limit: u32) -> Result<(), DecodeError> {
    if (1..=PAGE_ITEMS_MAX).contains(&limit) {
        return Ok(());
    }
    let text = format!("a page of {limit} entries is not in 1 to {PAGE_ITEMS_MAX}");
    Err(Refusal::new(Reason::InvalidArgument, text).into())
}

/// A number as bincode writes it, but in one piece: those of messages and answers are written so often
/// that it shows.
#[derive(Clone, Copy)]
pub(crate) struct Uint(pub(crate) u64);

impl Encode for Uint {
    #[expect(
        clippy::inline_always,
        reason = "the call takes longer than the work, four times a message"
    )]
    #[inline(always)]
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let bytes = self.0.to_be_bytes();
        let writer = encoder.writer();
        match (bytes, self.0) {
            ([.., a], ..=250) => writer.write(&[a]),
            ([.., a, b], ..=0xFFFF) => writer.write(&[251, a, b]),
            ([.., a, b, c, d], ..=0xFFFF_FFFF) => writer.write(&[252, a, b, c, d]),
            ([a, b, c, d, e, f, g, h], _) => writer.write(&[253, a, b, c, d, e, f, g, h]),
        }
    }
}

/// Reads what bincode reads; what takes one byte, as most numbers do, without a call.
impl<C> Decode<C> for Uint {
    #[inline]
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, BincodeError> {
        let Some(&[small @ ..=250]) = decoder.reader().peek_read(1) else {
            return u64::decode(decoder).map(Self);
        };
        decoder.claim_bytes_read(size_of::<u64>())?;
        decoder.reader().consume(1);
        Ok(Self(small.into()))
    }
}

/// The same for a byte string.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Encode for Bytes<'_> {
    #[inline]
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        match u8::try_from(self.0.len()) {
            Ok(length @ ..=250) => encoder.writer().write(&[length])?,
            _ => self.0.len().encode(encoder)?,
        }
        encoder.writer().write(self.0)
    }
}

impl<'a> BorrowDecode<'a, ()> for Bytes<'a> {
    #[inline]
    fn borrow_decode<D: BorrowDecoder<'a, Context = ()>>(
        decoder: &mut D,
    ) -> Result<Self, BincodeError> {
        let Uint(length) = Uint::decode(decoder)?;
        let length = length.try_into().map_err(|_| BincodeError::OutsideUsizeRange(length))?;
        decoder.claim_bytes_read(length)?;
        decoder.borrow_reader().take_bytes(length).map(Self)
    }
}

/// A list whose memory grows with the items that are really there.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: Encode> Encode for List<T> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<'a, T: BorrowDecode<'a, ()>> BorrowDecode<'a, ()> for List<T> {
    fn borrow_decode<D: BorrowDecoder<'a, Context = ()>>(
        decoder: &mut D,
    ) -> Result<Self, BincodeError> {
        let count = u64::decode(decoder)?;
        if count > LIST_ITEMS_MAX as u64 {
            return Err(BincodeError::OtherString(format!(
                "a list of {count} items is above the limit of {LIST_ITEMS_MAX}"
            )));
        }
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(T::borrow_decode(decoder)?);
        }
        Ok(Self(items))
    }
}

struct Appender<'a>(&'a mut Vec<u8>);

impl Writer for Appender<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn describe(error: &BincodeError) -> String {
    match error {
        BincodeError::UnexpectedEnd { .. } => "the frame ends before its last field".to_owned(),
        BincodeError::LimitExceeded => {
            format!("a header above the limit of {HEADER_BYTES_MAX} bytes")
        }
        BincodeError::UnexpectedVariant { found, .. } => format!("no variant {found}"),
        BincodeError::Utf8 { .. } => "a text that is not UTF-8".to_owned(),
        BincodeError::OtherString(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    bincode::impl_borrow_decode!(Uint);

    fn written(header: impl Encode) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, header);
        out
    }

    proptest! {
        #[test]
        fn numbers_and_byte_strings_are_written_as_bincode_writes_them(
            number: u64,
            bits in 0..64_u32,
            bytes in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let number = number >> bits;
            prop_assert_eq!(written(Uint(number)), written(number));
            prop_assert_eq!(written(Bytes(&bytes)), written(&bytes[..]));
        }
    }

    #[test]
    fn numbers_at_the_edges_of_their_lengths_are_too_and_read_alike() {
        for edge in [250, 0xFFFF, 0xFFFF_FFFF, u64::MAX - 1] {
            for number in [edge, edge + 1] {
                let bytes = written(number);
                assert_eq!(written(Uint(number)), bytes, "{number}");
                assert_eq!(take_all::<Uint>(&bytes, "it").map(|Uint(number)| number), Ok(number));
            }
        }
        for length in [0, 250, 251, 0x1_0000] {
            let bytes = vec![7; length];
            let read =
                take_all::<Bytes<'_>>(&written(&bytes[..]), "it").map(|Bytes(it)| it.to_vec());
            assert_eq!(read, Ok(bytes));
        }
        for bytes in [&[][..], &[251, 1], &[253, 0], &[254], &[255]] {
            assert!(take_all::<Uint>(bytes, "it").map(|Uint(number)| number).is_err(), "{bytes:?}");
        }
    }
}
