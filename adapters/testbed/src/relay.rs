//! What stands between clients and a server, and lets pass what it is told to let pass.

mod connection;

use connection::connect;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Passes bytes on, both ways, until it is told otherwise. When it is dropped, its connections are
/// cut.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

impl Relay {
    /// Listens on a port of its own and connects to the server for each connection.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there is a port");
        let address = listener.local_addr().expect("it has an address");
        let shared = Arc::new(Shared::new(server));
        let listening = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Self { address, shared, listening }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything passes, at once: how it begins. What was held up follows.
    pub fn pass(&self) {
        self.shared.mode.send_replace(Mode::Pass);
    }

    /// Nothing passes, either way, and no connection ends; new ones are accepted.
    pub fn stall(&self) {
        self.shared.mode.send_replace(Mode::Stall);
    }

    /// Whatever is read (16 KiB at most) passes after this delay, and nothing else before it.
    pub fn slow(&self, delay: Duration) {
        self.shared.mode.send_replace(Mode::Slow(delay));
    }

    /// New connections are reset at once. Those that there are go on.
    pub fn refuse(&self) {
        self.shared.mode.send_replace(Mode::Refuse);
    }

    /// Resets every connection that there is, wherever in a request it may be.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|count| *count += 1);
    }

    /// Lets so many more bytes pass from clients and cuts the connection of the last of them. The
    /// server gets those bytes and then the end of the stream, the client a reset. This happens
    /// once; what was set before by this or by `cut_answer` is forgotten.
    ///
    /// # Panics
    /// When `bytes` is 0: use [`Relay::cut`].
    pub fn cut_after_bytes(&self, bytes: usize) {
        assert!(bytes > 0, "no byte is the last of none");
        *self.shared.trap() = Some(Trap::After(bytes));
    }

    /// Lets the next request pass, of whichever connection, and cuts that connection instead of
    /// passing the answer on: it was carried out, and the client cannot know. This happens once; what
    /// was set before by this or by `cut_after_bytes` is forgotten.
    pub fn cut_answer(&self) {
        *self.shared.trap() = Some(Trap::Answer(Vec::new()));
    }

    /// As [`Relay::cut_answer`], for the next request in which these bytes are.
    pub fn cut_answer_to(&self, request: impl AsRef<[u8]>) {
        *self.shared.trap() = Some(Trap::Answer(request.as_ref().to_vec()));
    }

    /// Whether what `cut_after_bytes` or `cut_answer` waits for has not come yet.
    #[must_use]
    pub fn is_waiting_to_cut(&self) -> bool {
        self.shared.trap().is_some()
    }

    /// How many connections were accepted so far, without those refused.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many connections were refused so far.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::SeqCst)
    }

    /// How many connections there are now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// How many bytes of clients were passed on so far.
    #[must_use]
    pub fn bytes_of_clients(&self) -> u64 {
        self.shared.bytes_of_clients.load(Ordering::SeqCst)
    }

    /// How many bytes of the server were passed on so far.
    #[must_use]
    pub fn bytes_of_server(&self) -> u64 {
        self.shared.bytes_of_server.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Pass,
    Stall,
    Slow(Duration),
    Refuse,
}

/// What cuts one connection, once.
#[derive(Debug)]
enum Trap {
    /// So many bytes of clients.
    After(usize),
    /// The answer to a request that contains this.
    Answer(Vec<u8>),
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    mode: watch::Sender<Mode>,
    cuts: watch::Sender<u64>,
    trap: Mutex<Option<Trap>>,
    connections: AtomicUsize,
    refused: AtomicUsize,
    open: AtomicUsize,
    bytes_of_clients: AtomicU64,
    bytes_of_server: AtomicU64,
}

impl Shared {
    fn new(server: SocketAddr) -> Self {
        Self {
            server,
            mode: watch::Sender::new(Mode::Pass),
            cuts: watch::Sender::new(0),
            trap: Mutex::new(None),
            connections: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            bytes_of_clients: AtomicU64::new(0),
            bytes_of_server: AtomicU64::new(0),
        }
    }

    fn trap(&self) -> MutexGuard<'_, Option<Trap>> {
        self.trap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connections are in a set of its own, so that they end with it.
async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            Ok((client, _)) = listener.accept() => {
                if matches!(*shared.mode.borrow(), Mode::Refuse) {
                    shared.refused.fetch_add(1, Ordering::SeqCst);
                    reset(client);
                } else {
                    shared.connections.fetch_add(1, Ordering::SeqCst);
                    connections.spawn(connect(client, Arc::clone(&shared)));
                }
            }
        }
    }
}

/// Closes it so that the peer sees a reset, not an end.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
    drop(stream);
}
