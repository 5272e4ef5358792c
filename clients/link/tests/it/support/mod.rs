//! A server whose every word is scripted by the test.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use workyard_link::{Address, Unread};
use workyard_protocol::control::{Goodbye, Hello, VERSION, Welcome};
use workyard_protocol::frame::{FrameDecoder, Split};
use workyard_protocol::limits::FRAME_BYTES_MAX;
use workyard_protocol::{Message, Reason, Refusal, RequestId, ToClient, ToServer};

/// A client that says nothing for so long has nothing to say, whatever the test waits for.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// A listening socket on a port of its own.
pub(crate) struct FakeServer {
    listener: TcpListener,
}

/// One accepted connection.
pub(crate) struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
}

/// The body of one received frame.
#[derive(Clone, Debug)]
pub(crate) struct Frame(pub(crate) Vec<u8>);

/// What the server says of itself.
pub(crate) fn a_welcome() -> Welcome<'static> {
    Welcome {
        version: VERSION,
        features: 0,
        server: "fake/1",
        epoch: 7,
        session: 1,
        heartbeat_ms: 20_000,
        frame_bytes_max: FRAME_BYTES_MAX as u32,
    }
}

impl FakeServer {
    pub(crate) async fn bind() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn address(&self) -> Address {
        self.listener.local_addr().unwrap().into()
    }

    /// A connection, before its hello.
    pub(crate) async fn accept(&self) -> Peer {
        let accepted = timeout(SILENCE_MAX, self.listener.accept()).await;
        let (stream, _) = accepted.expect("a client connects").unwrap();
        stream.set_nodelay(true).unwrap();
        Peer { stream, received: Vec::new() }
    }

    /// A connection that has been welcomed.
    pub(crate) async fn welcome(&self) -> Peer {
        self.welcome_as(a_welcome()).await
    }

    pub(crate) async fn welcome_as(&self, welcome: Welcome<'_>) -> Peer {
        let mut peer = self.accept().await;
        let hello = peer.frame().await.expect("a hello");
        assert!(matches!(hello.to_server::<Unread<'_>>(), ToServer::Hello(Hello { .. })));
        peer.send(&ToClient::<Unread<'_>, Unread<'_>>::Welcome(welcome)).await;
        peer
    }
}

impl Peer {
    /// The next frame; nothing when the client has hung up.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Split::Whole { body, used } =
                FrameDecoder::new(FRAME_BYTES_MAX).split(&self.received).unwrap()
            {
                let frame = Frame(body.to_vec());
                self.received.drain(..used);
                return Some(frame);
            }
            let read = self.stream.read_buf(&mut self.received);
            match timeout(SILENCE_MAX, read).await.expect("the client says something") {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next frame, pings answered before it.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = self.frame().await?;
            match frame.to_server::<Unread<'_>>() {
                ToServer::Ping(token) => self.pong(token).await,
                ToServer::Pong(_) => {}
                _ => return Some(frame),
            }
        }
    }

    pub(crate) async fn send<'a, R: Message<'a>, P: Message<'a>>(
        &mut self,
        frame: &ToClient<'a, R, P>,
    ) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.bytes(&bytes).await;
    }

    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        // The client may have hung up already; what it reads is judged at its end.
        let _ = self.stream.write_all(bytes).await;
    }

    pub(crate) async fn reply<'a>(&mut self, id: RequestId, reply: impl Message<'a>) {
        self.send(&ToClient::<_, Unread<'_>>::Reply(id, reply)).await;
    }

    pub(crate) async fn push<'a>(&mut self, push: impl Message<'a>) {
        self.send(&ToClient::<Unread<'_>, _>::Push(push)).await;
    }

    pub(crate) async fn refuse(&mut self, id: RequestId, reason: Reason) {
        let refusal = Refusal::new(reason, "as the test wants");
        self.send(&ToClient::<Unread<'_>, Unread<'_>>::Refused(id, refusal)).await;
    }

    pub(crate) async fn pong(&mut self, token: u64) {
        self.send(&ToClient::<Unread<'_>, Unread<'_>>::Pong(token)).await;
    }

    pub(crate) async fn goodbye(mut self, reason: Reason, reconnect_after_ms: Option<u32>) {
        let refusal = Refusal::new(reason, "as the test wants");
        let goodbye = Goodbye { refusal, reconnect_after_ms };
        self.send(&ToClient::<Unread<'_>, Unread<'_>>::Goodbye(goodbye)).await;
    }
}

impl Frame {
    pub(crate) fn to_server<'a, Q: Message<'a>>(&'a self) -> ToServer<'a, Q> {
        ToServer::decode(&self.0).unwrap()
    }

    pub(crate) fn request<'a, Q: Message<'a>>(&'a self) -> (RequestId, Q) {
        match self.to_server() {
            ToServer::Request(id, request) => (id, request),
            _ => panic!("expected a request, not {self:?}"),
        }
    }
}
