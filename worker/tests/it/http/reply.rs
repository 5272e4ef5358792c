//! What a server answers, read from a peer.

use crate::peer::Peer;

/// One response.
#[derive(Debug)]
pub(super) struct Reply {
    head: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// Reads one whose length is told.
    pub(super) async fn read(peer: &mut Peer) -> Self {
        let head = Self::head(peer).await;
        let length = head.header("content-length").map_or(0, |length| length.parse().unwrap());
        let body = peer.take(length).await;
        Self { body, ..head }
    }

    /// Reads one without its body.
    pub(super) async fn head(peer: &mut Peer) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(peer.take(1).await);
        }
        Self { head: String::from_utf8(head).unwrap(), body: Vec::new() }
    }

    /// Asks, and reads the answer.
    pub(super) async fn to(peer: &mut Peer, request: impl AsRef<[u8]>) -> Self {
        peer.send(request).await;
        Self::read(peer).await
    }

    /// `GET` of a path, with further headers, each with its line's end.
    pub(super) async fn get(peer: &mut Peer, path: &str, headers: &str) -> Self {
        Self::to(peer, format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")).await
    }

    pub(super) fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(super) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).into_iter().next()
    }

    pub(super) fn headers(&self, name: &str) -> Vec<&str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let named = headers.filter(|(one, _)| one.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value).collect()
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}
