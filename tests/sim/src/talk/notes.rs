//! What programs were told by their clients, and what may not be.

use crate::findings::Findings;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use workyard_channel::PresenceEvent;

/// What all programs of a run share.
#[derive(Debug)]
pub(super) struct Notes {
    pub(super) findings: Arc<Findings>,
    last_value: u64,
    /// Questions by their values, with how often a program was handed them.
    handed: BTreeMap<u64, Handed>,
    /// Followers by their numbers.
    followers: BTreeMap<usize, Follower>,
    last_follower: usize,
}

#[derive(Debug)]
struct Handed {
    repeatable: bool,
    times: u32,
}

#[derive(Debug)]
struct Follower {
    room: &'static str,
    known: BTreeMap<u64, String>,
}

impl Notes {
    pub(super) fn new(findings: Arc<Findings>) -> Self {
        let (handed, followers) = (BTreeMap::new(), BTreeMap::new());
        Self { findings, last_value: 0, handed, followers, last_follower: 0 }
    }

    /// A question about to be asked; its value.
    pub(super) fn ask(&mut self, repeatable: bool) -> u64 {
        self.last_value += 1;
        self.handed.insert(self.last_value, Handed { repeatable, times: 0 });
        self.last_value
    }

    /// A program was handed a question.
    pub(super) fn handed(&mut self, value: u64, attempt: u32) {
        let Some(handed) = self.handed.get_mut(&value) else {
            return self.findings.report(format!("value {value} was never asked"));
        };
        handed.times += 1;
        let may = handed.repeatable || (handed.times == 1 && attempt == 1);
        let times = handed.times;
        self.findings.check(may, || {
            format!(
                "value {value} was not to be repeated: handed out {times} times, attempt {attempt}"
            )
        });
    }

    pub(super) fn add_follower(&mut self, room: &'static str) -> usize {
        self.last_follower += 1;
        self.followers.insert(self.last_follower, Follower { room, known: BTreeMap::new() });
        self.last_follower
    }

    pub(super) fn remove_follower(&mut self, follower: usize) {
        self.followers.remove(&follower);
    }

    /// A follower was told something, which must be news.
    pub(super) fn told(&mut self, number: usize, event: PresenceEvent) {
        let Some(follower) = self.followers.get_mut(&number) else { return };
        let (is_news, text) = match event {
            PresenceEvent::Joined(member) => {
                let name = member.identity_str().into_owned();
                let text = format!("follower {number}: {name} joined twice");
                (follower.known.insert(member.session, name.clone()) != Some(name), text)
            }
            PresenceEvent::Left(member) => {
                let name = member.identity_str().into_owned();
                let text = format!("follower {number}: {name} left and was not there");
                (follower.known.remove(&member.session) == Some(name), text)
            }
            PresenceEvent::CaughtUp => return,
        };
        self.findings.check(is_news, || text);
    }

    /// Whether all followers of a room know of exactly these.
    pub(super) fn followers_know(&self, room: &str, expected: &BTreeSet<String>) -> bool {
        self.what_followers_know(room).iter().all(|known| known.iter().eq(expected))
    }

    /// Whom the followers of a room know of, sorted.
    pub(super) fn what_followers_know(&self, room: &str) -> Vec<Vec<String>> {
        let here = self.followers.values().filter(|follower| follower.room == room);
        here.map(|follower| {
            let mut known: Vec<_> = follower.known.values().cloned().collect();
            known.sort_unstable();
            known
        })
        .collect()
    }
}
