//! A relay between clients and a daemon, whose connections can be cut.

use crate::{Daemon, Endpoint, Service};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncWriteExt, copy, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// Passes bytes on, both ways, until it is told to cut or is dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    daemon: SocketAddr,
    cut: Notify,
    /// Connections that are cut and that the daemon has not done with.
    ending: watch::Sender<usize>,
}

impl Relay {
    /// Listens on a port of its own and relays to the daemon.
    ///
    /// # Panics
    /// When the daemon does not listen on TCP.
    pub async fn to<W: Service>(daemon: &Daemon<W>) -> Self {
        let Endpoint::Tcp(daemon) = *daemon.endpoint() else {
            panic!("the daemon listens on a unix socket")
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let address = listener.local_addr().expect("it has an address");
        let shared = Shared { daemon, cut: Notify::new(), ending: watch::Sender::new(0) };
        let shared = Arc::new(shared);
        let listening = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Self { address, shared, listening }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts every connection that there is, wherever in a frame it may be.
    pub fn cut(&self) {
        self.shared.cut.notify_waiters();
    }

    /// Waits until the daemon has done with all connections that were cut: whatever came through
    /// before is carried out.
    ///
    /// # Panics
    /// Never: what it waits for lives as long as this.
    pub async fn settled(&self) {
        let mut ending = self.shared.ending.subscribe();
        ending.wait_for(|count| *count == 0).await.expect("the sender is ours");
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(relay(client, Arc::clone(&shared)));
    }
}

async fn relay(mut client: TcpStream, shared: Arc<Shared>) {
    // Made first, so that a cut from now on is heard.
    let cut = shared.cut.notified();
    let Ok(mut server) = TcpStream::connect(shared.daemon).await else { return };
    let _ = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    tokio::select! {
        biased;
        () = cut => {
            shared.ending.send_modify(|count| *count += 1);
            drop(client);
            // The daemon closes it when it has dealt with all that it read.
            let _ = server.shutdown().await;
            let _ = copy(&mut server, &mut sink()).await;
            shared.ending.send_modify(|count| *count -= 1);
        }
        // How it ends is between those two.
        _ = copy_bidirectional(&mut client, &mut server) => {}
    }
}
