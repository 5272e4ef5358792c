//! Who is to receive a message: the simplest answer there is.

use crate::findings::Findings;
use std::collections::{BTreeMap, BTreeSet};
use workyard_engine::SessionId;
use workyard_protocol::channel::{Delivery, Interest, Topic};
use workyard_protocol::{ChannelName, Pattern};

/// Name or pattern, and the group if any.
type Wanted = (Vec<u8>, bool, Option<Vec<u8>>);

/// What every session has been told that it is subscribed to.
#[derive(Debug, Default)]
pub(crate) struct Interests {
    sessions: BTreeMap<SessionId, BTreeSet<Wanted>>,
}

/// To whom a message went.
#[derive(Debug, Default)]
pub(crate) struct Receivers {
    everybody: Vec<SessionId>,
    one: Vec<SessionId>,
    groups: BTreeMap<Vec<u8>, Vec<SessionId>>,
}

impl Receivers {
    pub(crate) fn add(&mut self, delivery: Delivery<'_>, recipients: &[SessionId]) {
        match delivery {
            Delivery::Everybody => self.everybody.extend(recipients),
            Delivery::One => self.one.extend(recipients),
            Delivery::Group(group) => {
                self.groups.entry(group.as_bytes().to_vec()).or_default().extend(recipients);
            }
        }
    }
}

pub(crate) fn wanted(interest: &Interest<'_>) -> Wanted {
    let (name, is_pattern) = match interest.topic {
        Topic::Channel(name) => (name.as_bytes(), false),
        Topic::Pattern(pattern) => (pattern.as_bytes(), true),
    };
    (name.to_vec(), is_pattern, interest.group.map(|group| group.as_bytes().to_vec()))
}

impl Interests {
    pub(crate) fn add(&mut self, session: SessionId, all: Vec<Wanted>) {
        self.sessions.entry(session).or_default().extend(all);
    }

    pub(crate) fn remove(&mut self, session: SessionId, all: &[Wanted]) {
        if let Some(has) = self.sessions.get_mut(&session) {
            has.retain(|one| !all.contains(one));
        }
    }

    pub(crate) fn close(&mut self, session: SessionId) {
        self.sessions.remove(&session);
    }

    pub(crate) fn forget_everything(&mut self) {
        self.sessions.clear();
    }

    /// A message went to everybody who has no group, once, and to one of each group.
    pub(crate) fn check(&self, channel: &[u8], received: &Receivers, findings: &Findings) {
        let mut everybody = received.everybody.clone();
        everybody.sort_unstable();
        let expected: Vec<_> = self.plain(channel).collect();
        findings.check(everybody == expected, || {
            format!("{} went to {everybody:?}, not to {expected:?}", show(channel))
        });
        let groups = self.groups(channel);
        let names = |groups: &BTreeMap<Vec<u8>, _>| groups.keys().cloned().collect::<Vec<_>>();
        findings.check(groups.keys().eq(received.groups.keys()), || {
            let (had, due) = (groups.len(), names(&groups));
            format!("{} went to {} of {had} groups {due:?}", show(channel), received.groups.len())
        });
        for (group, chosen) in &received.groups {
            let members = groups.get(group);
            let is_one = chosen.len() == 1 && members.is_some_and(|all| all.contains(&chosen[0]));
            findings
                .check(is_one, || format!("{} went to {chosen:?} of {members:?}", show(channel)));
        }
    }

    /// A message went to one of those that have no group, if there is one.
    pub(crate) fn check_one(&self, channel: &[u8], received: &Receivers, findings: &Findings) {
        let mut plain = self.plain(channel).peekable();
        let holds = match received.one.as_slice() {
            // Of those whose interests have a group, one is chosen where nobody else is.
            [] => plain.peek().is_none(),
            [chosen] => plain.any(|session| session == *chosen),
            _ => false,
        };
        findings.check(holds || !received.groups.is_empty(), || {
            format!("{}, to one, went to {:?}", show(channel), received.one)
        });
    }

    fn plain(&self, channel: &[u8]) -> impl Iterator<Item = SessionId> {
        let wants = move |all: &BTreeSet<Wanted>| {
            all.iter().any(|one| one.2.is_none() && matches(one, channel))
        };
        self.sessions.iter().filter(move |(_, all)| wants(all)).map(|(session, _)| *session)
    }

    fn groups(&self, channel: &[u8]) -> BTreeMap<Vec<u8>, BTreeSet<SessionId>> {
        let mut groups: BTreeMap<Vec<u8>, BTreeSet<SessionId>> = BTreeMap::new();
        for (session, all) in &self.sessions {
            for wanted in all.iter().filter(|one| matches(one, channel)) {
                if let Some(group) = &wanted.2 {
                    groups.entry(group.clone()).or_default().insert(*session);
                }
            }
        }
        groups
    }
}

fn matches((name, is_pattern, _): &Wanted, channel: &[u8]) -> bool {
    match is_pattern {
        false => name == channel,
        true => Pattern::new(name).is_ok_and(|pattern| pattern.matches(channel)),
    }
}

pub(crate) fn show(name: &[u8]) -> String {
    ChannelName::new(name).map_or_else(|_| format!("{name:?}"), |name| format!("{name:?}"))
}
