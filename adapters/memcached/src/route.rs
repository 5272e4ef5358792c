//! From a key to its server, and to the next one when that is down and its keys may move.

use crate::connection::Read;
use crate::decoder::Found;
use crate::key::Key;
use crate::memcached::Memcached;
use crate::request::{Lookup, Request};
use crate::server::Server;
use workyard_adapter_kit::{Call, Error, ErrorKind};

/// The servers of a key, one after the other.
pub(crate) struct Route<'a> {
    memcached: &'a Memcached,
    key: Key<'a>,
    server: usize,
    down: Vec<usize>,
}

impl<'a> Route<'a> {
    pub(crate) fn new(memcached: &'a Memcached, key: Key<'a>) -> Self {
        let server = memcached.ring().server(key.bytes(), &[]);
        let server = server.expect("a URL names one server at least");
        Self { memcached, key, server, down: Vec::new() }
    }

    pub(crate) fn server(&self) -> &'a Server {
        &self.memcached.servers()[self.server]
    }

    /// Goes on to the next server, if after this error there is one.
    fn goes_on(&mut self, error: &Error) -> bool {
        if !self.memcached.is_moved_by(error) {
            return false;
        }
        self.down.push(self.server);
        let next = self.memcached.ring().server(self.key.bytes(), &self.down);
        self.server = next.unwrap_or(self.server);
        next.is_some()
    }
}

impl Memcached {
    /// Makes a request with one answer of the server that has the key.
    pub(crate) async fn single<T>(
        &self,
        call: Call,
        key: Key<'_>,
        request: &Request,
        read: Read<T>,
    ) -> Result<T, Error> {
        let mut route = Route::new(self, key);
        loop {
            match route.server().single(call, request, read).await {
                Err(error) if route.goes_on(&error) => {}
                result => return result,
            }
        }
    }

    /// Looks up one key.
    pub(crate) async fn lookup(
        &self,
        call: Call,
        lookup: &Lookup<'_>,
    ) -> Result<Vec<Found>, Error> {
        let mut route = Route::new(self, lookup.keys[0]);
        let bytes_max = self.options().value_bytes_max;
        loop {
            match route.server().values(call, std::slice::from_ref(lookup), bytes_max).await {
                Err(error) if route.goes_on(&error) => {}
                result => return result,
            }
        }
    }

    /// Whether a server that fails so leaves its keys to the next: it certainly was not reached.
    pub(crate) fn is_moved_by(&self, error: &Error) -> bool {
        let is_down = matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::CircuitOpen);
        self.options().failover && is_down
    }
}
