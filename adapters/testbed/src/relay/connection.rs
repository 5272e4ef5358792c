//! One connection through the relay: two pumps, and the ways in which it ends.

use super::{Mode, Shared, Trap, reset};
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

const CHUNK_BYTES: usize = 16 * 1024;
/// How long a server may take to end a connection of which it got the end.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Why a connection ends before both sides have ended it.
enum Cut {
    /// One side was reset, or all connections are cut.
    Both,
    /// The client alone: the server shall read what it got.
    Client,
}

/// Relays a connection until it ends.
pub(super) async fn connect(client: TcpStream, shared: Arc<Shared>) {
    // Before anything is awaited, so that a cut from now on is heard.
    let mut cuts = shared.cuts.subscribe();
    let open = Open::new(&shared);
    let Ok(server) = TcpStream::connect(shared.server).await else { return reset(client) };
    let _ = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    let (mut client, mut server) = (client, server);
    let end = tokio::select! {
        biased;
        _ = cuts.changed() => Err(Cut::Both),
        end = pump_both(&mut client, &mut server, &shared) => end,
    };
    drop(open);
    match end {
        Ok(()) => {}
        Err(Cut::Both) => {
            reset(client);
            reset(server);
        }
        Err(Cut::Client) => {
            reset(client);
            let _ = server.shutdown().await;
            let _ = timeout(DRAIN_MAX, copy(&mut server, &mut sink())).await;
        }
    }
}

/// Counts a connection as long as it is there.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.open.fetch_add(1, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn pump_both(
    client: &mut TcpStream,
    server: &mut TcpStream,
    shared: &Shared,
) -> Result<(), Cut> {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let answer_is_cut = AtomicBool::new(false);
    let requests = Requests { shared, answer_is_cut: &answer_is_cut, before: Vec::new() };
    let answers = Answers { shared, answer_is_cut: &answer_is_cut };
    tokio::try_join!(
        pump(from_client, to_server, shared, requests),
        pump(from_server, to_client, shared, answers),
    )?;
    Ok(())
}

/// One direction of a connection, as far as the directions differ.
trait Direction {
    /// Counts the bytes that pass.
    fn count(&self) -> &AtomicU64;

    /// How many bytes of a chunk pass before the connection is cut; nothing when it is not.
    fn cut(&mut self, chunk: &[u8]) -> Option<usize>;
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    shared: &Shared,
    mut direction: impl Direction,
) -> Result<(), Cut> {
    let mut mode = shared.mode.subscribe();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let read = from.read(&mut buffer).await;
        held(&mut mode).await;
        let chunk = &buffer[..read.map_err(both)?];
        if chunk.is_empty() {
            return to.shutdown().await.map_err(both);
        }
        let cut = direction.cut(chunk);
        let passing = &chunk[..cut.unwrap_or(chunk.len())];
        to.write_all(passing).await.map_err(both)?;
        direction.count().fetch_add(passing.len() as u64, Ordering::SeqCst);
        if cut.is_some() {
            return Err(Cut::Client);
        }
    }
}

fn both(_: io::Error) -> Cut {
    Cut::Both
}

/// Waits as long as the mode demands, and looks again whenever it changes.
async fn held(mode: &mut watch::Receiver<Mode>) {
    loop {
        let delay = match *mode.borrow_and_update() {
            Mode::Pass | Mode::Refuse => return,
            Mode::Stall => None,
            Mode::Slow(delay) => Some(delay),
        };
        let over = async {
            match delay {
                Some(delay) => sleep(delay).await,
                None => pending().await,
            }
        };
        tokio::select! {
            // An error says that the relay is gone, and this task in a moment.
            Ok(()) = mode.changed() => {}
            () = over => return,
        }
    }
}

/// From the client to the server.
struct Requests<'a> {
    shared: &'a Shared,
    answer_is_cut: &'a AtomicBool,
    /// The end of what came before: what is looked for may begin there.
    before: Vec<u8>,
}

impl Direction for Requests<'_> {
    fn count(&self) -> &AtomicU64 {
        &self.shared.bytes_of_clients
    }

    fn cut(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut trap = self.shared.trap();
        match &mut *trap {
            None => {}
            Some(Trap::After(left)) if chunk.len() < *left => *left -= chunk.len(),
            Some(Trap::After(left)) => {
                let passing = *left;
                *trap = None;
                return Some(passing);
            }
            Some(Trap::Answer(request)) => {
                self.before.extend_from_slice(chunk);
                if contains(&self.before, request) {
                    *trap = None;
                    self.answer_is_cut.store(true, Ordering::SeqCst);
                } else {
                    let kept = self.before.len().min(request.len() - 1);
                    self.before.drain(..self.before.len() - kept);
                }
            }
        }
        None
    }
}

/// From the server to the client.
struct Answers<'a> {
    shared: &'a Shared,
    answer_is_cut: &'a AtomicBool,
}

impl Direction for Answers<'_> {
    fn count(&self) -> &AtomicU64 {
        &self.shared.bytes_of_server
    }

    fn cut(&mut self, _: &[u8]) -> Option<usize> {
        self.answer_is_cut.load(Ordering::SeqCst).then_some(0)
    }
}

fn contains(bytes: &[u8], sought: &[u8]) -> bool {
    sought.is_empty() || bytes.windows(sought.len()).any(|window| window == sought)
}
