//! Clients of the examples: one that holds a WebSocket, and one that asks by HTTP.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value as Json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream as BlockingStream};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};
use workyard_tests::PATIENCE;
use workyard_tests::clients::within;

/// A WebSocket client that has been told where it can be reached.
pub(crate) struct Browser {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) worker_id: u64,
    pub(crate) connection_id: u64,
}

impl Browser {
    #[track_caller]
    pub(crate) fn connect(address: &str) -> impl Future<Output = Self> {
        let connected = ClientBuilder::new().uri(address).unwrap();
        within(async move {
            let (socket, _response) = connected.connect().await.unwrap();
            let mut browser = Self { socket, worker_id: 0, connection_id: 0 };
            let welcome: Json = serde_json::from_str(&browser.text().await).unwrap();
            browser.worker_id = welcome["worker_id"].as_u64().unwrap();
            browser.connection_id = welcome["connection_id"].as_u64().unwrap();
            browser
        })
    }

    /// The next text that is pushed to it.
    #[track_caller]
    pub(crate) fn next(&mut self) -> impl Future<Output = String> {
        within(self.text())
    }

    /// Says something, which nobody answers.
    pub(crate) async fn say(&mut self, text: &'static str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Leaves as it should be done.
    pub(crate) async fn leave(mut self) {
        self.socket.close().await.unwrap();
        // The other side closes too.
        while within(self.socket.next()).await.is_some_and(|message| message.is_ok()) {}
    }

    /// It is closed from the other side.
    pub(crate) async fn is_closed(&mut self) {
        while let Some(Ok(message)) = within(self.socket.next()).await {
            assert!(!message.is_text(), "something is pushed: {message:?}");
        }
    }

    async fn text(&mut self) -> String {
        let message = self.socket.next().await.expect("the connection goes on").unwrap();
        message.as_text().expect("a text").to_owned()
    }
}

/// The status and the document that a GET is answered with.
#[track_caller]
pub(crate) fn get(address: SocketAddr, target: &str) -> (u16, Json) {
    let mut stream = BlockingStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    let document = serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {answer}"));
    (status, document)
}
