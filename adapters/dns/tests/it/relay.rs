//! Stands between clients and a name server, and passes on the datagrams that it is told to pass on.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Pass,
    Drop,
    Delay(Duration),
    /// Answers to questions of that type come so late.
    DelayType(u16, Duration),
    /// Answers have this response code instead of theirs.
    Code(u8),
    /// Answers are no answers.
    Garble,
}

pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    passing: JoinHandle<()>,
}

struct Shared {
    socket: UdpSocket,
    server: SocketAddr,
    mode: Mutex<Mode>,
    questions: AtomicUsize,
}

impl Relay {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let mode = Mutex::new(Mode::Pass);
        let shared = Arc::new(Shared { socket, server, mode, questions: AtomicUsize::new(0) });
        let passing = tokio::spawn(pass(Arc::clone(&shared)));
        Self { address, shared, passing }
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
    }

    /// How many datagrams of clients came.
    pub(crate) fn questions(&self) -> usize {
        self.shared.questions.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

/// A socket for each client, so that answers find their way.
async fn pass(shared: Arc<Shared>) {
    let mut clients: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut answering = JoinSet::new();
    let mut datagram = [0; 4096];
    loop {
        let Ok((length, client)) = shared.socket.recv_from(&mut datagram).await else { continue };
        shared.questions.fetch_add(1, Ordering::SeqCst);
        if let Mode::Drop = *shared.mode.lock().unwrap() {
            continue;
        }
        if let std::collections::hash_map::Entry::Vacant(entry) = clients.entry(client) {
            let socket = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
            socket.connect(shared.server).await.unwrap();
            answering.spawn(answer(Arc::clone(&socket), client, Arc::clone(&shared)));
            entry.insert(socket);
        }
        let _ = clients[&client].send(&datagram[..length]).await;
    }
}

async fn answer(socket: Arc<UdpSocket>, client: SocketAddr, shared: Arc<Shared>) {
    let mut datagram = [0; 4096];
    loop {
        let Ok(length) = socket.recv(&mut datagram).await else { continue };
        let mode = *shared.mode.lock().unwrap();
        match mode {
            Mode::Pass => {}
            Mode::Drop => continue,
            Mode::Delay(delay) => sleep(delay).await,
            Mode::DelayType(late, delay) if record_type(&datagram) == late => sleep(delay).await,
            Mode::DelayType(..) => {}
            // The last four bits of the flags (RFC 1035, 4.1.1).
            Mode::Code(code) => datagram[3] = datagram[3] & 0xf0 | code,
            Mode::Garble => datagram[4..length].fill(0xff),
        }
        let _ = shared.socket.send_to(&datagram[..length], client).await;
    }
}

/// What is asked for: behind the header of 12 bytes and the parts of a name, each with its length.
fn record_type(datagram: &[u8]) -> u16 {
    let mut place = 12;
    while datagram[place] != 0 {
        place += 1 + usize::from(datagram[place]);
    }
    u16::from_be_bytes([datagram[place + 1], datagram[place + 2]])
}
