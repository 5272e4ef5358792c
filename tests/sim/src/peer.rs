//! A connection as the server knows it: what it has been asked, what waits to be sent.

use crate::findings::Findings;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use workyard_engine::SessionId;
use workyard_protocol::{NO_REPLY, RequestId};

/// Publications of a topic that were dropped: numbers of the first and the last, and how many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lost {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) missed: u64,
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) id: SessionId,
    pub(crate) connection: usize,
    /// Heard and not yet dealt with.
    pub(crate) input: Vec<u8>,
    pub(crate) is_greeted: bool,
    /// Waits to be taken by the socket.
    pub(crate) output: Vec<u8>,
    /// It went over its limit and has not come down far enough.
    pub(crate) is_full: bool,
    /// The engine was told that there is no room, and waits to hear of it.
    pub(crate) is_awaited: bool,
    pub(crate) lost: BTreeMap<Vec<u8>, Lost>,
    pub(crate) last_heard_ms: u64,
    pub(crate) is_pinged: bool,
    /// It is being ended: what is said to it now is not sent.
    pub(crate) is_ending: bool,
    /// Requests that are to be answered in this order.
    asked: VecDeque<RequestId>,
    /// Requests that are to be answered at some time.
    asked_for_later: BTreeSet<RequestId>,
}

impl Peer {
    pub(crate) fn new(id: SessionId, connection: usize, now_ms: u64) -> Self {
        Self {
            id,
            connection,
            input: Vec::new(),
            is_greeted: false,
            output: Vec::new(),
            is_full: false,
            is_awaited: false,
            lost: BTreeMap::new(),
            last_heard_ms: now_ms,
            is_pinged: false,
            is_ending: false,
            asked: VecDeque::new(),
            asked_for_later: BTreeSet::new(),
        }
    }

    pub(crate) fn ask(&mut self, id: RequestId, is_for_later: bool, findings: &Findings) {
        if id == NO_REPLY {
            return;
        }
        let is_new = !self.asked.contains(&id) && !self.asked_for_later.contains(&id);
        findings.check(is_new, || format!("request {id} was sent while one of that id is open"));
        match is_for_later {
            true => drop(self.asked_for_later.insert(id)),
            false => self.asked.push_back(id),
        }
    }

    /// A request is answered or refused: exactly once, and in the order of the requests.
    pub(crate) fn answer(&mut self, id: RequestId, findings: &Findings) {
        if id == NO_REPLY || self.asked_for_later.remove(&id) {
            return;
        }
        let next = self.asked.pop_front();
        findings.check(next == Some(id), || {
            format!("{:?} was answered request {id}, and {next:?} was next", self.id)
        });
    }

    /// Requests that should have been answered by now.
    pub(crate) fn unanswered(&self) -> usize {
        self.asked.len()
    }
}
