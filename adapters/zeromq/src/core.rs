//! What the connections of a socket have in common: peers, messages on their way, subscriptions.

use crate::SERVICE;
use crate::connection::request_number;
use crate::kind::Kind;
use crate::limits::CUTS_MAX;
use crate::message::Message;
use crate::options::Options;
use crate::peers::Peers;
use crate::queue::{Queue, weight};
use crate::stop::Stop;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use workyard_adapter_kit::{Error, ErrorKind, Guard, State as Health, Status};

pub(crate) struct Core {
    pub(crate) kind: Kind,
    pub(crate) options: Options,
    pub(crate) guard: Guard,
    pub(crate) status: Status,
    /// Messages for whichever peer is ready.
    pub(crate) shared: Arc<Queue>,
    pub(crate) stop: Stop,
    /// Messages that a peer was too slow for, and messages in the midst of which peers hang up.
    pub(crate) dropped: AtomicU64,
    received: mpsc::Sender<Waiting>,
    receiver: tokio::sync::Mutex<mpsc::Receiver<Waiting>>,
    /// Bytes that may wait for the application.
    room: Arc<Semaphore>,
    state: Mutex<State>,
    left: Notify,
}

/// A message that waits for the application, and its share of the bytes that may.
type Waiting = (Received, OwnedSemaphorePermit);

/// A message that was received.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) peer: Bytes,
    /// Which connection of that peer it came from.
    pub(crate) number: u64,
    pub(crate) message: Message,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) started: bool,
    /// Where it is bound, once it is.
    pub(crate) addresses: Vec<SocketAddr>,
    /// How each endpoint that it connects to is.
    pub(crate) links: Vec<Link>,
    pub(crate) peers: Peers,
}

/// How an endpoint to connect to is.
#[derive(Clone, Debug)]
pub(crate) enum Link {
    Connecting,
    Ready,
    Down(Error),
}

impl Core {
    pub(crate) fn new(kind: Kind, options: Options, guard: Guard, links: usize) -> Self {
        let (received, receiver) = mpsc::channel(options.receive_queue_max);
        let peers = Peers::new(kind, &options);
        let links = vec![Link::Connecting; links];
        Self {
            shared: Arc::new(Queue::new(options.send_queue_max, options.send_queue_bytes_max)),
            room: Arc::new(Semaphore::new(options.receive_queue_bytes_max)),
            state: Mutex::new(State { links, peers, ..State::default() }),
            receiver: tokio::sync::Mutex::new(receiver),
            status: Status::default(),
            stop: Stop::default(),
            dropped: AtomicU64::new(0),
            left: Notify::new(),
            received,
            kind,
            options,
            guard,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An endpoint has changed: tells those who want to know.
    pub(crate) fn set_link(&self, index: usize, link: Link) {
        let mut state = self.state();
        state.links[index] = link;
        self.tell(&state);
    }

    /// As good as the worst of its endpoints.
    pub(crate) fn tell(&self, state: &State) {
        let down = state.links.iter().find_map(|link| match link {
            Link::Down(error) => Some(error.clone()),
            Link::Connecting | Link::Ready => None,
        });
        let connecting = state.links.iter().any(|link| matches!(link, Link::Connecting));
        self.status.set(match down {
            Some(error) => Health::Down(error),
            None if connecting => Health::Connecting,
            None => Health::Ready,
        });
    }

    /// Hands a message to the application, when it has room for one.
    pub(crate) async fn receive(&self, received: Received) {
        let weight = weight(&received.message, self.options.receive_queue_bytes_max);
        let room = Arc::clone(&self.room).acquire_many_owned(weight).await;
        let room = room.expect("nobody closes the semaphore");
        // It has an end only with the socket, and this task with it.
        let _ = self.received.send((received, room)).await;
    }

    /// The next message that was received. Whoever gives up waiting loses none.
    pub(crate) async fn next(&self) -> Result<Received, Error> {
        let next = async { self.receiver.lock().await.recv().await };
        tokio::select! {
            biased;
            () = self.stop.stopped() => Err(self.closed()),
            received = next => match received {
                Some((received, _)) => Ok(received),
                None => Err(self.closed()),
            },
        }
    }

    pub(crate) fn closed(&self) -> Error {
        self.guard.error(ErrorKind::Closed, "the socket is closed")
    }

    /// One message more that a peer was too slow for.
    pub(crate) fn drop_one(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    /// Counts the messages that peers refuse. Whoever waits for a reply to one is told.
    pub(crate) fn give_up(&self) {
        for message in self.shared.take_given_up() {
            let (bytes, target) = (message.length(), &**self.guard.target());
            let why = format!("{CUTS_MAX} connections ended in the midst of it");
            match request_number(self.kind, &message) {
                Some(number) => self.state().peers.refuse(number, &why),
                None => self.drop_one(),
            }
            tracing::warn!(
                target: "workyard_adapter", service = SERVICE, target, bytes,
                "a message is dropped: {why}"
            );
        }
    }

    /// A peer has left.
    pub(crate) fn peer_left(&self) {
        self.left.notify_waiters();
    }

    /// Returns when everything was written that is to be.
    pub(crate) async fn emptied(&self) {
        if self.kind.shares() {
            return self.shared.emptied().await;
        }
        let queues = self.state().peers.queues();
        for queue in queues {
            queue.emptied().await;
        }
    }

    /// Returns when no peer is there any more.
    pub(crate) async fn abandoned(&self) {
        loop {
            let mut left = std::pin::pin!(self.left.notified());
            left.as_mut().enable();
            if self.state().peers.is_empty() {
                return;
            }
            left.await;
        }
    }
}
