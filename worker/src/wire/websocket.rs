//! WebSocket messages on a connection, from the handshake to the closing one.

use super::link::Link;
use crate::client::Target;
use crate::protocol::ProtocolError;
use crate::protocols::WebSocket;
use crate::scheme::{Incoming, Traffic, Wire, WireError, WireLimits};
use crate::stream::Stream;
use crate::websocket::{
    Close, CloseCode, HEAD_BYTES_MAX, Handshake, Message, Opening, Refusal, Reply, parse,
};
use bytes::{Bytes, BytesMut};
use futures_util::{Sink, Stream as _};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tokio_websockets::{
    self as frames, ClientBuilder, Error, Limits, ServerBuilder, WebSocketStream,
};

/// How long a peer may take to ask for a WebSocket.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The same when the process is to leave.
const LEAVING: Duration = Duration::from_millis(500);

/// How long a peer may take to close too, when it is told of it.
const CLOSING: Duration = Duration::from_secs(1);

/// A peer that sends pings has to read the pongs, once so many bytes of them wait.
const PONG_BYTES_MAX: usize = 16 * 1024;

/// A WebSocket, from either side.
pub struct WebSocketWire {
    frames: WebSocketStream<Buffered>,
    phase: Phase,
    /// What is said at the end.
    close: (CloseCode, String),
    closed_by_peer: Option<Close>,
    /// The process is to leave: what has arrived is handled, and no more.
    is_leaving: bool,
    /// Pongs that were queued since all was written.
    pong_bytes: usize,
    /// What had been read when the last message was whole.
    read_before: u64,
}

enum Phase {
    /// The request is awaited; so much of what was received is searched for its end.
    Head(Pin<Box<Sleep>>, usize),
    /// The program decides.
    Deciding(Handshake),
    /// The same as `Head` from the client's side, whose time begins when it is connected: the answer is awaited.
    Asking(Option<Pin<Box<Sleep>>>, usize, Opening),
    Open,
    /// Our side has closed; the peer's is awaited once all is written.
    Closing(Option<Pin<Box<Sleep>>>),
    /// Nothing more comes or goes.
    Over,
    /// The same, and the peer is not waited for.
    Abandoned,
}

/// Reads from a link, and writes to what it has queued, or to what is held back until the WebSocket is open: whatever
/// is written is taken at once.
struct Buffered {
    link: Link,
    held: Option<BytesMut>,
}

impl WebSocketWire {
    /// Begins on the stream of a client, and asks for the WebSocket.
    pub(crate) fn client(stream: Stream, limits: WireLimits, target: &Target) -> Self {
        let limits = Limits::default().max_payload_len(Some(limits.package_bytes_max));
        let frames = ClientBuilder::new().limits(limits).take_over(Buffered::new(stream));
        let opening = Opening::new(target);
        let mut wire = Self::on(frames, Phase::Over);
        wire.link().queued.extend_from_slice(opening.request.as_bytes());
        wire.phase = Phase::Asking(None, 0, opening);
        wire
    }

    fn on(frames: WebSocketStream<Buffered>, phase: Phase) -> Self {
        Self {
            frames,
            phase,
            close: (CloseCode::NORMAL, String::new()),
            closed_by_peer: None,
            is_leaving: false,
            pong_bytes: 0,
            read_before: 0,
        }
    }

    /// What was held back is sent, behind the answer if there is one.
    fn open(&mut self, answer: &str) {
        self.phase = Phase::Open;
        let Buffered { link, held } = self.frames.get_mut();
        link.queued.extend_from_slice(answer.as_bytes());
        link.queued.unsplit(held.take().unwrap_or_default());
        self.read_before = link.read - link.received.len() as u64;
    }

    /// It is not opened; this is said of it.
    fn give_up(&mut self, answer: &str) {
        self.phase = Phase::Over;
        let Buffered { link, held } = self.frames.get_mut();
        link.queued = answer.as_bytes().into();
        *held = None;
    }

    /// Reads the answer to what was asked for.
    fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        let Phase::Asking(deadline, searched, opening) = &mut self.phase else {
            return Poll::Ready(Ok(()));
        };
        let deadline = deadline.get_or_insert_with(|| Box::pin(sleep(HANDSHAKE)));
        let link = &mut self.frames.get_mut().link;
        let problem = loop {
            if let Some(length) = head_length(&link.received, searched) {
                let head = link.received.split_to(length);
                match opening.check(&head) {
                    Ok(()) => {
                        self.open("");
                        return Poll::Ready(Ok(()));
                    }
                    Err(problem) => break problem,
                }
            }
            if link.received.len() > HEAD_BYTES_MAX {
                break ProtocolError::new("the answer has too many headers");
            }
            if link.has_ended {
                break ProtocolError::new("the peer has ended the connection");
            }
            if deadline.as_mut().poll(context).is_ready() {
                break ProtocolError::new("there is no answer in time");
            }
            ready!(link.poll_receive(context))?;
        };
        self.give_up("");
        Poll::Ready(Err(ProtocolError::new(format!("no handshake: {problem}")).into()))
    }
    /// Says this at the end.
    pub(crate) fn close_because(&mut self, code: CloseCode, reason: &str) {
        let end = reason.floor_char_boundary(Close::REASON_BYTES_MAX);
        self.close = (code, reason[..end].to_owned());
    }

    pub(crate) fn closed_by_peer(&self) -> Option<&Close> {
        self.closed_by_peer.as_ref()
    }

    fn link(&mut self) -> &mut Link {
        &mut self.frames.get_mut().link
    }

    /// Reads the request that opens the WebSocket.
    fn poll_head(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Incoming<WebSocket>>, WireError>> {
        loop {
            let Phase::Head(deadline, searched) = &mut self.phase else {
                return Poll::Ready(Ok(None));
            };
            let link = &mut self.frames.get_mut().link;
            if let Some(length) = head_length(&link.received, searched) {
                let head = link.received.split_to(length);
                return Poll::Ready(match parse(&head) {
                    Ok(request) => {
                        let handshake = Handshake::new(request);
                        self.phase = Phase::Deciding(handshake.clone());
                        Ok(Some(Incoming::Opening(handshake)))
                    }
                    Err(refusal) => Err(self.refuse(&refusal)),
                });
            }
            if link.received.len() > HEAD_BYTES_MAX {
                let text = format!("More than {HEAD_BYTES_MAX} bytes of headers.");
                return Poll::Ready(Err(self.refuse(&Refusal::new(431, text))));
            }
            if link.has_ended {
                return Poll::Ready(Ok(None));
            }
            if deadline.as_mut().poll(context).is_ready() {
                if self.is_leaving {
                    self.give_up("");
                    return Poll::Ready(Ok(None));
                }
                let text = format!("No request within {} s.", HANDSHAKE.as_secs());
                return Poll::Ready(Err(self.refuse(&Refusal::new(408, text))));
            }
            ready!(link.poll_receive(context))?;
        }
    }

    fn refuse(&mut self, refusal: &Refusal) -> WireError {
        self.give_up(&refusal.response());
        ProtocolError::new(format!("no handshake: {}", refusal.text)).into()
    }

    /// Reads messages, and answers what is none.
    fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Incoming<WebSocket>>, WireError>> {
        loop {
            if self.pong_bytes > PONG_BYTES_MAX {
                ready!(self.link().poll_flush(context))?;
                self.pong_bytes = 0;
            }
            let polled = Pin::new(&mut self.frames).poll_next(context);
            self.settle();
            let message = match polled {
                Poll::Pending if self.is_leaving => return Poll::Ready(Ok(None)),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(self.broken(error))),
                Poll::Ready(Some(Ok(message))) => message,
            };
            if message.is_ping() {
                self.pong_bytes += message.as_payload().len() + 2;
            } else if message.is_close() {
                self.closed_by_peer = Some(Close::parse(message.as_payload()));
                self.phase = Phase::Over;
                return Poll::Ready(Ok(None));
            } else if !message.is_pong() {
                let link = self.link();
                self.read_before = link.read - link.received.len() as u64;
                return Poll::Ready(self.message(message));
            }
        }
    }

    fn message(
        &mut self,
        message: frames::Message,
    ) -> Result<Option<Incoming<WebSocket>>, WireError> {
        let is_text = message.is_text();
        let bytes = Bytes::from(message.into_payload());
        if !is_text {
            return Ok(Some(Incoming::Message(Message::Binary(bytes))));
        }
        // A text whose last frame is empty has not been checked to its end.
        match String::from_utf8(bytes.into()) {
            Ok(text) => Ok(Some(Incoming::Message(Message::Text(text)))),
            Err(_) => Err(self.broken(Error::Protocol(frames::proto::ProtocolError::InvalidUtf8))),
        }
    }

    /// Tells the peer what is wrong, if it was not told yet.
    fn broken(&mut self, error: Error) -> WireError {
        let (code, error) = match error {
            Error::Io(error) => return error.into(),
            Error::PayloadTooLong { len, max_len } => {
                (CloseCode::TOO_BIG, WireError::TooLong { bytes: len, bytes_max: max_len })
            }
            error => (CloseCode::INVALID_DATA, ProtocolError::new(error.to_string()).into()),
        };
        self.say_close(code, "");
        self.phase = Phase::Over;
        error
    }

    /// Queues a close frame, unless there was one.
    fn say_close(&mut self, code: CloseCode, reason: &str) {
        let message = frames::Message::close(Some(code.into()), reason);
        if Pin::new(&mut self.frames).start_send(message).is_ok() {
            self.settle();
        }
    }

    /// Queues all frames that are made.
    fn settle(&mut self) {
        let context = &mut Context::from_waker(std::task::Waker::noop());
        let settled = Pin::new(&mut self.frames).poll_flush(context);
        debug_assert!(matches!(settled, Poll::Ready(Ok(()))), "a buffer takes everything");
    }

    /// Waits until the peer has closed too, but not long.
    fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Phase::Closing(deadline) = &mut self.phase else { return Poll::Ready(()) };
        let deadline = deadline.get_or_insert_with(|| Box::pin(sleep(CLOSING)));
        loop {
            if deadline.as_mut().poll(context).is_ready() {
                self.phase = Phase::Abandoned;
                return Poll::Ready(());
            }
            match ready!(Pin::new(&mut self.frames).poll_next(context)) {
                Some(Ok(message)) if message.is_close() => {
                    self.closed_by_peer = Some(Close::parse(message.as_payload()));
                    break;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            }
        }
        self.phase = Phase::Over;
        Poll::Ready(())
    }
}

impl Wire<WebSocket> for WebSocketWire {
    fn new(stream: Stream, limits: WireLimits) -> Self {
        let limits = Limits::default().max_payload_len(Some(limits.package_bytes_max));
        let frames = ServerBuilder::new().limits(limits).serve(Buffered::new(stream));
        Self::on(frames, Phase::Head(Box::pin(sleep(HANDSHAKE)), 0))
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.link().receive(bytes);
    }

    fn poll_incoming(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Incoming<WebSocket>>, WireError>> {
        match self.phase {
            Phase::Head(..) => self.poll_head(context),
            Phase::Deciding(_) => Poll::Pending,
            Phase::Asking(..) => {
                ready!(self.poll_answer(context))?;
                self.poll_message(context)
            }
            Phase::Open => self.poll_message(context),
            Phase::Closing(_) | Phase::Over | Phase::Abandoned => Poll::Ready(Ok(None)),
        }
    }

    fn proceed(&mut self, accepted: bool) {
        let Phase::Deciding(handshake) = &self.phase else { return };
        let (answer, is_open) = handshake.answer(accepted);
        match is_open {
            true => self.open(&answer),
            false => self.give_up(&answer),
        }
    }

    fn queue(&mut self, reply: Reply) -> Result<(), ProtocolError> {
        let sent = Pin::new(&mut self.frames).start_send(reply.into_frames()?);
        self.settle();
        sent.map_err(|error| ProtocolError::new(error.to_string()))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.link().poll_flush(context))?;
        match &self.frames.get_ref().held {
            Some(held) if !held.is_empty() => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }

    fn failed(&mut self) {
        self.close = (CloseCode::INTERNAL, String::new());
    }

    fn end(&mut self) {
        match self.phase {
            Phase::Head(..) | Phase::Deciding(_) | Phase::Asking(..) => self.give_up(""),
            Phase::Open => {
                let (code, reason) = self.close.clone();
                self.say_close(code, &reason);
                self.phase = Phase::Closing(None);
            }
            Phase::Closing(_) | Phase::Over | Phase::Abandoned => {}
        }
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_closed(context));
        self.link().poll_shutdown(context)
    }

    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.phase {
            Phase::Abandoned => Poll::Ready(Ok(())),
            _ => self.link().poll_discard(context),
        }
    }

    fn disconnect(&mut self) {
        self.link().disconnect();
    }

    fn finish(&mut self) -> bool {
        if self.close.0 == CloseCode::NORMAL {
            self.close.0 = CloseCode::GOING_AWAY;
        }
        self.is_leaving = true;
        if let Phase::Head(deadline, _) = &mut self.phase {
            // Who has connected is about to ask.
            let soon = Instant::now() + LEAVING;
            if deadline.deadline() > soon {
                deadline.as_mut().reset(soon);
            }
            return false;
        }
        !matches!(self.phase, Phase::Open)
    }

    fn traffic(&self) -> Traffic {
        let Buffered { link, held } = self.frames.get_ref();
        let traffic = link.traffic();
        let send_queue = traffic.send_queue + held.as_ref().map_or(0, BytesMut::len);
        let receive_queue = traffic.read - self.read_before;
        Traffic {
            receive_queue: usize::try_from(receive_queue).unwrap_or(usize::MAX),
            send_queue,
            ..traffic
        }
    }
}

/// How long the head of the request is, with its empty line.
fn head_length(received: &[u8], searched: &mut usize) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    let begin = searched.saturating_sub(END.len() - 1);
    *searched = received.len();
    let found = received[begin..].windows(END.len()).position(|window| window == END);
    found.map(|at| begin + at + END.len()).filter(|length| *length <= HEAD_BYTES_MAX)
}

impl Buffered {
    fn new(stream: Stream) -> Self {
        Self { link: Link::new(stream), held: Some(BytesMut::new()) }
    }
}

impl AsyncRead for Buffered {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut().link.poll_read(context, buffer)
    }
}

impl AsyncWrite for Buffered {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { link, held } = self.get_mut();
        held.as_mut().unwrap_or(&mut link.queued).extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for WebSocketWire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("websocket")
            .field("traffic", &self.traffic())
            .finish_non_exhaustive()
    }
}
