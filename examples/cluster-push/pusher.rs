//! A process that holds WebSocket clients and pushes to them what is published.

use crate::message::{Direct, EVERYBODY, Welcome, channel_of};
use clap::Args;
use futures_util::{SinkExt, StreamExt};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_websockets::{Message, ServerBuilder, WebSocketStream};
use workyard_channel::ChannelClient;

/// What a client that does not read may have waiting; beyond it messages pass it by.
const WAITING_MAX: usize = 1024;

#[derive(Debug, Args)]
pub(crate) struct Pusher {
    /// This process's number, its own among all pushers
    #[arg(long)]
    worker_id: u32,
    /// Where WebSocket clients connect
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// The clients of this process, by their number.
type Clients = Arc<Mutex<HashMap<u64, mpsc::Sender<String>>>>;

impl Pusher {
    pub(crate) async fn run(self, channel: &str) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.listen).await?;
        let clients = Clients::default();
        let channels = ChannelClient::connect(channel).await?;
        let mut everybody = channels.subscribe(EVERYBODY).await?;
        let mut direct = channels.subscribe(channel_of(self.worker_id)).await?;
        println!("pusher {} listening on ws://{}", self.worker_id, listener.local_addr()?);
        tokio::spawn(accept(listener, self.worker_id, Arc::clone(&clients)));
        loop {
            tokio::select! {
                Some(message) = everybody.next() => match message.decode::<String>() {
                    Ok(content) => push_to_all(&clients, &content),
                    Err(error) => println!("passing over a message: {error}"),
                },
                Some(message) = direct.next() => match message.decode() {
                    Ok(direct) => push_to_one(&clients, direct),
                    Err(error) => println!("passing over a message: {error}"),
                },
                else => return Ok(()),
            }
        }
    }
}

fn push_to_all(clients: &Clients, content: &str) {
    let clients = clients.lock().expect("nobody panics while holding the clients");
    for client in clients.values() {
        let _ = client.try_send(content.to_owned());
    }
}

fn push_to_one(clients: &Clients, direct: Direct) {
    let clients = clients.lock().expect("nobody panics while holding the clients");
    if let Some(client) = clients.get(&direct.connection_id) {
        let _ = client.try_send(direct.content);
    }
}

async fn accept(listener: TcpListener, worker_id: u32, clients: Clients) {
    let mut connection_id = 0;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: clients that leave make room.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        connection_id += 1;
        tokio::spawn(hold(stream, Welcome { worker_id, connection_id }, Arc::clone(&clients)));
    }
}

/// Holds one client until it leaves.
async fn hold(stream: TcpStream, welcome: Welcome, clients: Clients) -> anyhow::Result<()> {
    let (_request, socket) = ServerBuilder::new().accept(stream).await?;
    let (sender, contents) = mpsc::channel(WAITING_MAX);
    let id = welcome.connection_id;
    clients.lock().expect("nobody panics while holding the clients").insert(id, sender);
    let outcome = serve(socket, &welcome, contents).await;
    clients.lock().expect("nobody panics while holding the clients").remove(&id);
    outcome
}

/// Tells the client where it is, then everything that is pushed, until it leaves.
async fn serve(
    mut socket: WebSocketStream<TcpStream>,
    welcome: &Welcome,
    mut contents: mpsc::Receiver<String>,
) -> anyhow::Result<()> {
    socket.send(Message::text(serde_json::to_string(welcome)?)).await?;
    loop {
        tokio::select! {
            Some(content) = contents.recv() => socket.send(Message::text(content)).await?,
            received = socket.next() => {
                if !matches!(received, Some(Ok(_))) {
                    return Ok(());
                }
            }
        }
    }
}
