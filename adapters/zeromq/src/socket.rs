//! What all sockets have: opened, asked how they are, closed.

use crate::SERVICE;
use crate::core::{Core, Received};
use crate::kind::Kind;
use crate::limits::FAREWELL;
use crate::links::start;
use crate::message::Message;
use crate::options::{Endpoints, Options};
use crate::queue::Queue;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::timeout;
use workyard_adapter_kit::{Call, Error, ErrorKind, Guard, Repeat, State, Stats};

/// Who gets a message.
#[derive(Clone, Copy)]
pub(crate) enum To<'a> {
    /// Whichever peer is ready.
    Anybody,
    /// Who has that name now.
    Name(&'a [u8]),
    /// Who has that name, on that connection.
    Connection(&'a [u8], u64),
}

#[derive(Clone)]
pub(crate) struct Socket(Arc<Owner>);

/// The last of those who hold a socket takes its tasks with it.
struct Owner {
    core: Arc<Core>,
    endpoints: Endpoints,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.core.stop.stop();
    }
}

impl Socket {
    pub(crate) fn with(kind: Kind, mut options: Options) -> Result<Self, Error> {
        let endpoints = options.read()?;
        let (calls, observer) = (options.calls.clone(), options.observer.clone());
        let guard = Guard::new(SERVICE, endpoints.target(), calls, observer)?;
        let core = Core::new(kind, options, guard, endpoints.connect.len());
        Ok(Self(Arc::new(Owner { core: Arc::new(core), endpoints })))
    }

    /// The core, once it binds and connects.
    pub(crate) fn started(&self) -> Result<&Core, Error> {
        start(&self.0.core, &self.0.endpoints)?;
        Ok(&self.0.core)
    }

    pub(crate) fn core(&self) -> &Core {
        &self.0.core
    }

    pub(crate) async fn ready(&self) -> Result<(), Error> {
        let core = self.started()?;
        let ready = core.status.ready(core.options.calls.connect_timeout).await;
        ready.map_err(|error| core.guard.placed(error))
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.core().state().addresses.clone()
    }

    pub(crate) fn peers(&self) -> usize {
        self.core().state().peers.len()
    }

    pub(crate) fn state(&self) -> State {
        self.core().status.state()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.core().guard.stats()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.core().dropped.load(Relaxed)
    }

    pub(crate) async fn close(&self) -> bool {
        let core = self.core();
        core.guard.close(core.options.calls.request_timeout).await;
        let written = timeout(core.options.linger, core.emptied()).await.is_ok();
        core.stop.stop();
        // Each says goodbye, and none of them longer than that.
        let _ = timeout(FAREWELL * 2, core.abandoned()).await;
        core.status.set(State::Closed);
        written
    }

    /// Puts a message into the queue of all peers, or of the one that is named, and waits for a place there
    /// for `request_timeout`.
    pub(crate) async fn send(&self, to: To<'_>, message: Message) -> Result<(), Error> {
        let core = self.started()?;
        let limit = core.options.calls.request_timeout;
        // Longer than the wait itself: the guard would not know that nothing was sent.
        let call = Call::new("SEND").repeat(Repeat::Never).within(limit + Duration::from_secs(1));
        let attempt = async || {
            self.fits(&message)?;
            let queue = self.queue(to)?;
            timeout(limit, queue.push(message.clone())).await.map_err(|_| self.full(limit))
        };
        core.guard.call(call, attempt).await
    }

    /// There was no place in a queue for so long.
    pub(crate) fn full(&self, limit: Duration) -> Error {
        let message = format!(
            "as much waits as send_queue_max ({}) and send_queue_bytes_max ({}) allow, and no \
             peer took enough of it within {limit:?}",
            self.core().options.send_queue_max,
            self.core().options.send_queue_bytes_max
        );
        Error::new(ErrorKind::Busy, message)
    }

    fn queue(&self, to: To<'_>) -> Result<Arc<Queue>, Error> {
        let core = self.core();
        let (queue, name) = match to {
            To::Anybody => return Ok(Arc::clone(&core.shared)),
            To::Name(name) => (core.state().peers.queue(name), name),
            To::Connection(name, number) => (core.state().peers.queue_of(name, number), name),
        };
        queue.ok_or_else(|| {
            let message = match to {
                To::Connection(..) => "who has asked has gone".to_owned(),
                _ => format!("there is no peer \"{}\" now", name.escape_ascii()),
            };
            Error::new(ErrorKind::InvalidRequest, message).with_code("EHOSTUNREACH")
        })
    }

    pub(crate) async fn receive(&self) -> Result<Received, Error> {
        self.started()?.next().await
    }

    pub(crate) async fn receive_within(&self, limit: Duration) -> Result<Received, Error> {
        match timeout(limit, self.receive()).await {
            Ok(received) => received,
            Err(_) => {
                let message = format!("no message within {limit:?}");
                let error = Error::new(ErrorKind::TimedOut, message).not_carried_out();
                Err(self.core().guard.placed(error.during("RECEIVE")))
            }
        }
    }

    /// What may be sent at all.
    pub(crate) fn fits(&self, message: &Message) -> Result<(), Error> {
        let Options { message_bytes_max, parts_max, .. } = self.core().options;
        let (bytes, parts) = (message.length(), message.parts().len());
        if bytes > message_bytes_max {
            let message =
                format!("a message of {bytes} bytes; message_bytes_max is {message_bytes_max}");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        if parts > parts_max {
            let message = format!("a message of {parts} parts; parts_max is {parts_max}");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(())
    }
}

/// The handle of a pattern: what all of them have in common.
macro_rules! socket {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Cheap to clone; clones are the same socket. It binds and connects with the first call, within
        /// a tokio runtime.
        #[derive(Clone)]
        pub struct $name($crate::socket::Socket);

        impl $name {
            /// Reads the URL: `tcp://HOST:PORT` connects, `@tcp://HOST:PORT` binds, several hosts are
            /// separated by commas, options follow a `?`.
            ///
            /// # Errors
            /// When it cannot be understood.
            pub fn open(url: &str) -> Result<Self, Error> {
                Self::with(Options::new(url))
            }

            /// The same, with options.
            ///
            /// # Errors
            /// When they cannot be understood.
            pub fn with(options: Options) -> Result<Self, Error> {
                $crate::socket::Socket::with(Kind::$name, options).map(Self)
            }

            /// Binds, and waits until every endpoint to connect to is connected, for `connect_timeout` at
            /// most. What is bound is ready without any peer.
            ///
            /// # Errors
            /// What keeps it from being ready. Attempts to connect go on.
            pub async fn ready(&self) -> Result<(), Error> {
                self.0.ready().await
            }

            /// Where it is bound, once it is, in the order of the endpoints.
            #[must_use]
            pub fn addresses(&self) -> Vec<std::net::SocketAddr> {
                self.0.addresses()
            }

            /// How many peers there are now.
            #[must_use]
            pub fn peers(&self) -> usize {
                self.0.peers()
            }

            /// How it is: as good as the worst of the endpoints that it connects to.
            #[must_use]
            pub fn state(&self) -> State {
                self.0.state()
            }

            /// What was done so far, and is being done.
            #[must_use]
            pub fn stats(&self) -> Stats {
                self.0.stats()
            }

            /// Takes no message any more, waits until those that were taken are written, for `linger` at
            /// most, and closes the connections. Whether all were written.
            pub async fn close(&self) -> bool {
                self.0.close().await
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let target = self.0.core().guard.target();
                f.debug_tuple(stringify!($name)).field(target).finish()
            }
        }
    };
}

pub(crate) use socket;
