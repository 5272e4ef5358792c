//! Who asks, where proxies say on whose behalf they do.

use super::Connection;
use crate::http::Request;
use crate::protocols::{Http, WebSocket};
use crate::websocket::Handshake;
use std::borrow::Cow;
use std::net::IpAddr;

impl<D: 'static> Connection<Http, D> {
    /// Who asks: the peer, or whom `X-Forwarded-For` names, or else `X-Real-IP`, if the peer is one of the
    /// [`Worker::trusted_proxies`](crate::Worker::trusted_proxies). None on a socket of the file system. Have the proxy
    /// set or remove both: what it passes on as a client has sent it is believed.
    #[must_use]
    pub fn client_ip(&self, request: &Request) -> Option<IpAddr> {
        // What is no text counts too: as an address that nobody has.
        let values = |name| {
            let values = request.headers().get_all(name).iter();
            values.map(|value| String::from_utf8_lossy(value.as_bytes()))
        };
        let forwarded_for = joined(values("x-forwarded-for"));
        let real_ip = values("x-real-ip").next_back();
        self.worker().client(self.remote(), forwarded_for.as_deref(), real_ip.as_deref())
    }
}

impl<D: 'static> Connection<WebSocket, D> {
    /// Who connects: the peer, or whom `X-Forwarded-For` or `X-Real-IP` names, if the peer is one of the
    /// [`Worker::trusted_proxies`](crate::Worker::trusted_proxies). None on a socket of the file system.
    #[must_use]
    pub fn client_ip(&self, handshake: &Handshake) -> Option<IpAddr> {
        let forwarded_for = joined(handshake.header_values("x-forwarded-for").map(Cow::Borrowed));
        let real_ip = handshake.header_values("x-real-ip").last();
        self.worker().client(self.remote(), forwarded_for.as_deref(), real_ip)
    }
}

/// Several headers of one name are one list: what the peer of a proxy has put there stands before what the proxy adds.
fn joined<'a>(values: impl Iterator<Item = Cow<'a, str>>) -> Option<String> {
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then(|| values.join(","))
}
