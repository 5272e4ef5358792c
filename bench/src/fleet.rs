//! The servers of a measurement: shared by the rows of a section, or fresh for one run.

use crate::peer::{Family, Kind, Peer};
use crate::process::{Server, Starter};
use anyhow::Result;
use std::collections::HashMap;

/// Starts servers as they are needed.
pub(crate) struct Fleet {
    starter: Starter,
    shared: HashMap<(Kind, Family), Server>,
}

/// A server for one run, and what keeps it alive if it is its own.
pub(crate) struct Lent {
    pub(crate) peer: Peer,
    _own: Option<Server>,
}

impl Fleet {
    pub(crate) fn new(starter: Starter) -> Self {
        Self { starter, shared: HashMap::new() }
    }

    /// A server that nobody has used before; it ends with the value.
    pub(crate) fn fresh(&self, kind: Kind, family: Family) -> Result<Lent> {
        let server = self.starter.start(kind, family)?;
        Ok(Lent { peer: server.peer, _own: Some(server) })
    }

    /// A server that runs until [`end_shared`](Self::end_shared), or until it ends by itself: then
    /// the next one to ask gets another.
    pub(crate) fn shared(&mut self, kind: Kind, family: Family) -> Result<Lent> {
        let key = (kind, family);
        if let Some(server) = self.shared.get(&key)
            && server.has_ended()
        {
            self.shared.remove(&key);
        }
        let peer = match self.shared.get(&key) {
            Some(server) => server.peer,
            None => {
                let server = self.starter.start(kind, family)?;
                self.shared.entry(key).or_insert(server).peer
            }
        };
        Ok(Lent { peer, _own: None })
    }

    /// Returns at once, unless everything is being ended.
    pub(crate) fn park_if_ending(&self) {
        self.starter.children.park_if_closed();
    }

    pub(crate) fn end_shared(&mut self) {
        self.shared.clear();
    }
}
