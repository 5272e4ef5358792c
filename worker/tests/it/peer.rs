//! A peer that speaks bytes.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use workyard_worker::Address;

/// Nothing here takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Peer {
    stream: TcpStream,
}

impl Peer {
    pub(crate) async fn connect(address: &Address) -> Self {
        let stream = TcpStream::connect(address.endpoint.to_string()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The same to somebody who may have ended the connection already.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends as much as is taken at once.
    pub(crate) async fn send_some(&mut self, bytes: &[u8]) -> usize {
        self.stream.write(bytes).await.unwrap()
    }

    /// Exactly these bytes come next.
    pub(crate) async fn sees(&mut self, expected: impl AsRef<[u8]>) {
        let mut seen = vec![0; expected.as_ref().len()];
        let read = timeout(PATIENCE, self.stream.read_exact(&mut seen)).await;
        read.expect("it comes in time").expect("it comes before the end");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&seen), text(expected.as_ref()));
    }

    /// So many bytes, whatever they are.
    pub(crate) async fn take(&mut self, bytes: usize) -> Vec<u8> {
        let mut seen = vec![0; bytes];
        let read = timeout(PATIENCE, self.stream.read_exact(&mut seen)).await;
        read.expect("it comes in time").expect("it comes before the end");
        seen
    }

    /// All that comes until the end, however it ends.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut seen = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut seen)).await;
        let _ = read.expect("it ends in time");
        seen
    }

    /// Whether nothing has come, not even the end.
    pub(crate) fn is_silent(&self) -> bool {
        let read = self.stream.try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    pub(crate) async fn ends(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest().await), "");
    }

    /// The same of a peer whose runtime is gone.
    pub(crate) fn left(self) -> Vec<u8> {
        let mut stream = self.stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut seen = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut seen).unwrap();
        seen
    }

    /// Says that it will send no more.
    pub(crate) async fn shuts_down(&mut self) {
        self.stream.shutdown().await.unwrap();
    }
}

/// Waits until something is so.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to be so");
}
