//! Who receives what is published to one topic.

use super::GroupId;
use super::by_group::ByGroup;
use crate::members::Members;
use workyard_engine::{Route, SessionId};

/// The subscribers of one channel or one pattern.
#[derive(Debug)]
pub(crate) struct Audience {
    /// Those that each receive every message.
    pub(crate) everybody: Members,
    /// Those of whom one receives each message, group by group.
    pub(crate) groups: ByGroup,
    /// How many are not among these yet.
    pub(crate) pending: u32,
    /// Names the sessions in `everybody`; another one after every change to the audience.
    pub(crate) route: Route,
}

impl Audience {
    /// Nobody yet.
    pub(crate) fn new() -> Self {
        let (everybody, groups) = (Members::default(), ByGroup::default());
        Self { everybody, groups, pending: 0, route: Route(0) }
    }

    /// Whether nobody is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.everybody.is_empty() && self.groups.is_empty() && self.pending == 0
    }

    /// Adds a session behind all others.
    pub(crate) fn join(&mut self, group: Option<GroupId>, serial: u64, session: SessionId) {
        self.route = Route(serial);
        match group {
            None => self.everybody.join(serial, session),
            Some(group) => self.groups.get_or_default(group).join(serial, session),
        }
    }

    /// Removes the session that joined this group, or everybody, under this serial.
    pub(crate) fn leave(&mut self, group: Option<GroupId>, serial: u64, route: Route) {
        self.route = route;
        let Some(group) = group else {
            return self.everybody.leave_passing_on(serial);
        };
        let members = self.groups.get_mut(group).expect("a group stays while it has members");
        members.leave(serial);
        if members.is_empty() {
            self.groups.remove(group);
        }
    }
}
