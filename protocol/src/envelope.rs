//! What stands in a frame's body: an operation code, for requests and replies an id, then the rest.

use crate::control::{self, Goodbye, Hello, Welcome};
use crate::wire::{self, DecodeError};
use crate::{Reason, Refusal, frame};

/// Ties a reply to its request. The client chooses it.
pub type RequestId = u32;

/// The id of a request whose success nobody waits for: it is not answered, only refused.
pub const NO_REPLY: RequestId = 0;

/// A set of messages of one service in one direction, each with its operation code.
pub trait Message<'a>: Sized {
    /// The operation code.
    fn operation(&self) -> u8;

    /// Appends header and payload.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads header and payload of an operation.
    ///
    /// # Errors
    /// `UnknownOperation` as a refusal for a code that is not one of these, else what is wrong.
    fn decode(operation: u8, body: &'a [u8]) -> Result<Self, DecodeError>;
}

/// The three vocabularies of a service.
pub trait Wire {
    /// What clients ask.
    type Request<'a>: Message<'a>;
    /// What a server answers.
    type Reply<'a>: Message<'a>;
    /// What a server sends unasked.
    type Push<'a>: Message<'a> + Copy;
}

/// A frame from a client.
#[derive(Clone, Debug, PartialEq)]
pub enum ToServer<'a, Q> {
    /// The first frame.
    Hello(Hello<'a>),
    /// Asks for a pong with the same number.
    Ping(u64),
    /// Answers the server's ping.
    Pong(u64),
    /// Everything else.
    Request(RequestId, Q),
}

/// A frame from a server.
#[derive(Clone, Debug, PartialEq)]
pub enum ToClient<'a, R, P> {
    /// The answer to the hello.
    Welcome(Welcome<'a>),
    /// Asks for a pong with the same number.
    Ping(u64),
    /// Answers the client's ping.
    Pong(u64),
    /// The last frame.
    Goodbye(Goodbye),
    /// A request was not carried out.
    Refused(RequestId, Refusal),
    /// A request was carried out.
    Reply(RequestId, R),
    /// Not an answer to anything.
    Push(P),
}

/// What stands before the header of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHead<'a> {
    /// The operation code.
    pub operation: u8,
    /// What it is answered with.
    pub id: RequestId,
    /// Header and payload.
    pub rest: &'a [u8],
}

impl<'a> RequestHead<'a> {
    /// The head of a frame's body. None of what is no request, or ends within it: what is wrong with
    /// that, [`ToServer::decode`] tells.
    #[inline]
    #[must_use]
    pub fn of(body: &'a [u8]) -> Option<Self> {
        let ([operation, id @ ..], rest) = body.split_first_chunk::<5>()?;
        match *operation {
            control::HELLO | control::PING | control::PONG | 0x80.. => None,
            operation => Some(Self { operation, id: RequestId::from_be_bytes(*id), rest }),
        }
    }

    /// The byte string that the header begins with, if it begins with a short one: of most operations the
    /// name of what they are about. Nothing is checked.
    #[inline]
    #[must_use]
    pub fn short_name(&self) -> Option<&'a [u8]> {
        wire::peek_bytes(self.rest)
    }
}

impl<'a, Q: Message<'a>> ToServer<'a, Q> {
    /// Reads a frame's body. When a request is refused, its id tells which.
    ///
    /// # Errors
    /// The id of the request, where the body got that far, and what is wrong.
    pub fn decode(body: &'a [u8]) -> Result<Self, (RequestId, DecodeError)> {
        if let Some(RequestHead { operation, id, rest }) = RequestHead::of(body) {
            let request = Q::decode(operation, rest).map_err(|error| (id, error))?;
            return Ok(Self::Request(id, request));
        }
        let connection = |error| (NO_REPLY, error);
        let (operation, rest) = operation(body).map_err(connection)?;
        match operation {
            control::HELLO => Hello::decode(rest).map(Self::Hello).map_err(connection),
            control::PING => token(rest, "ping").map(Self::Ping).map_err(connection),
            control::PONG => token(rest, "pong").map(Self::Pong).map_err(connection),
            0x80.. => Err(connection(unexpected(operation, "clients"))),
            _ => Err(connection(within_id())),
        }
    }

    /// Appends the whole frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        frame::encode(out, |out| match self {
            Self::Hello(hello) => {
                out.push(control::HELLO);
                hello.put(out);
            }
            Self::Ping(token) => put_token(out, control::PING, *token),
            Self::Pong(token) => put_token(out, control::PONG, *token),
            Self::Request(id, request) => put_message(out, *id, request),
        });
    }
}

impl<'a, R: Message<'a>, P: Message<'a>> ToClient<'a, R, P> {
    /// Reads a frame's body.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (operation, rest) = operation(body)?;
        Ok(match operation {
            control::WELCOME => Self::Welcome(Welcome::decode(rest)?),
            control::PING => Self::Ping(token(rest, "ping")?),
            control::PONG => Self::Pong(token(rest, "pong")?),
            control::GOODBYE => Self::Goodbye(Goodbye::decode(rest)?),
            control::REFUSED => {
                let (id, rest) = request_id(rest)?;
                Self::Refused(id, control::decode_refusal(rest)?)
            }
            ..0x80 => return Err(unexpected(operation, "servers")),
            0x80..0xC0 => {
                let (id, rest) = request_id(rest)?;
                Self::Reply(id, R::decode(operation, rest)?)
            }
            0xC0.. => Self::Push(P::decode(operation, rest)?),
        })
    }

    /// Appends the whole frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        frame::encode(out, |out| match self {
            Self::Welcome(welcome) => {
                out.push(control::WELCOME);
                welcome.put(out);
            }
            Self::Ping(token) => put_token(out, control::PING, *token),
            Self::Pong(token) => put_token(out, control::PONG, *token),
            Self::Goodbye(goodbye) => {
                out.push(control::GOODBYE);
                goodbye.put(out);
            }
            Self::Refused(id, refusal) => {
                out.push(control::REFUSED);
                out.extend_from_slice(&id.to_be_bytes());
                control::put_refusal(refusal, out);
            }
            Self::Reply(id, reply) => put_message(out, *id, reply),
            Self::Push(push) => put_push(out, push),
        });
    }
}

/// Appends the whole frame of a reply: what [`ToClient::encode`] does, for one that stays where it is.
#[inline]
pub fn encode_reply<'a>(id: RequestId, reply: &impl Message<'a>, out: &mut Vec<u8>) {
    frame::encode(out, |out| put_message(out, id, reply));
}

/// The same for a push.
#[inline]
pub fn encode_push<'a>(push: &impl Message<'a>, out: &mut Vec<u8>) {
    frame::encode(out, |out| put_push(out, push));
}

/// The error for an operation code that a vocabulary does not have.
pub(crate) fn unknown_operation(operation: u8) -> DecodeError {
    let text = format!("operation {operation:#04x} is unknown here");
    Refusal::new(Reason::UnknownOperation, text).into()
}

fn unexpected(operation: u8, sender: &str) -> DecodeError {
    let text = format!("{sender} do not send operation {operation:#04x}");
    Refusal::new(Reason::UnexpectedFrame, text).into()
}

fn operation(body: &[u8]) -> Result<(u8, &[u8]), DecodeError> {
    match body.split_first() {
        Some((operation, rest)) => Ok((*operation, rest)),
        None => Err(DecodeError::Malformed("an empty frame has no operation code".to_owned())),
    }
}

fn request_id(rest: &[u8]) -> Result<(RequestId, &[u8]), DecodeError> {
    match rest.split_first_chunk::<4>() {
        Some((id, rest)) => Ok((RequestId::from_be_bytes(*id), rest)),
        None => Err(within_id()),
    }
}

fn within_id() -> DecodeError {
    DecodeError::Malformed("the frame ends within the request id".to_owned())
}

fn token(rest: &[u8], what: &'static str) -> Result<u64, DecodeError> {
    wire::take_all(rest, what)
}

fn put_token(out: &mut Vec<u8>, operation: u8, token: u64) {
    out.push(operation);
    wire::put(out, token);
}

#[inline]
fn put_push<'a>(out: &mut Vec<u8>, push: &impl Message<'a>) {
    out.push(push.operation());
    push.put(out);
}

#[inline]
fn put_message<'a>(out: &mut Vec<u8>, id: RequestId, message: &impl Message<'a>) {
    out.push(message.operation());
    out.extend_from_slice(&id.to_be_bytes());
    message.put(out);
}
