//! Who asks, where proxies say on whose behalf they do.

use super::Connection;
use crate::http::Request;
use crate::protocols::{Http, WebSocket};
use crate::websocket::Handshake;
use std::net::IpAddr;

impl<D: 'static> Connection<Http, D> {
    /// Who asks: the peer, or whom `X-Forwarded-For` or `X-Real-IP` names, if the peer is one of the
    /// [`Worker::trusted_proxies`](crate::Worker::trusted_proxies). None on a socket of the file system.
    #[must_use]
    pub fn client_ip(&self, request: &Request) -> Option<IpAddr> {
        let forwarded_for = joined(request.header_values("x-forwarded-for"));
        let real_ip = request.header_values("x-real-ip").last();
        self.worker().client(self.remote(), forwarded_for.as_deref(), real_ip)
    }
}

impl<D: 'static> Connection<WebSocket, D> {
    /// Who connects: the peer, or whom `X-Forwarded-For` or `X-Real-IP` names, if the peer is one of the
    /// [`Worker::trusted_proxies`](crate::Worker::trusted_proxies). None on a socket of the file system.
    #[must_use]
    pub fn client_ip(&self, handshake: &Handshake) -> Option<IpAddr> {
        let forwarded_for = joined(handshake.header_values("x-forwarded-for"));
        let real_ip = handshake.header_values("x-real-ip").last();
        self.worker().client(self.remote(), forwarded_for.as_deref(), real_ip)
    }
}

/// Several headers of one name are one list: what the peer of a proxy has put there stands before what the proxy adds.
fn joined<'a>(values: impl Iterator<Item = &'a str>) -> Option<String> {
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then(|| values.join(","))
}
