//! Requests to the management plugin.

use crate::PATIENCE;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// `worker:secret`, as HTTP wants it.
const CREDENTIALS: &str = "d29ya2VyOnNlY3JldA==";

/// Makes a request and returns the answer's body.
pub(super) async fn request(address: SocketAddr, method: &str, path: &str, body: &str) -> String {
    let what = format!("{method} {path}");
    let answer = timeout(PATIENCE, exchange(address, &what, body)).await;
    let answer = answer.unwrap_or_else(|_| panic!("{what}: no answer within {PATIENCE:?}"));
    let answer = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
    let (head, body) = answer.split_once("\r\n\r\n").expect("HTTP has a head");
    assert!(head.starts_with("HTTP/1.1 2"), "{what}: {answer}");
    body.to_owned()
}

/// By the old version, which has no chunks and ends with the connection.
async fn exchange(address: SocketAddr, what: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request = format!(
        "{what} HTTP/1.0\r\nAuthorization: Basic {CREDENTIALS}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
