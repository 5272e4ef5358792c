//! Connections by names that a program gives them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Who somebody is; a connection has one at most.
    User,
    /// What connections belong to; each may belong to many.
    Group,
}

/// Names and connections, found from either side.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_name: RefCell<BTreeMap<(Kind, String), BTreeSet<u64>>>,
    by_connection: RefCell<BTreeMap<u64, BTreeSet<(Kind, String)>>>,
}

impl Names {
    /// Returns whether it is new.
    pub(crate) fn add(&self, connection: u64, kind: Kind, name: &str) -> bool {
        let name = (kind, name.to_owned());
        self.by_name.borrow_mut().entry(name.clone()).or_default().insert(connection);
        self.by_connection.borrow_mut().entry(connection).or_default().insert(name)
    }

    /// Returns whether it was there.
    pub(crate) fn remove(&self, connection: u64, kind: Kind, name: &str) -> bool {
        let mut by_connection = self.by_connection.borrow_mut();
        let Some(names) = by_connection.get_mut(&connection) else { return false };
        let name = (kind, name.to_owned());
        let was_there = names.remove(&name);
        if names.is_empty() {
            by_connection.remove(&connection);
        }
        if was_there {
            self.forget(&name, connection);
        }
        was_there
    }

    /// The connection has gone.
    pub(crate) fn close(&self, connection: u64) {
        let names = self.by_connection.borrow_mut().remove(&connection);
        names.into_iter().flatten().for_each(|name| self.forget(&name, connection));
    }

    fn forget(&self, name: &(Kind, String), connection: u64) {
        let mut by_name = self.by_name.borrow_mut();
        if let Some(connections) = by_name.get_mut(name) {
            connections.remove(&connection);
            if connections.is_empty() {
                by_name.remove(name);
            }
        }
    }

    /// Who has a name, ascending.
    pub(crate) fn connections(&self, kind: Kind, name: &str) -> Vec<u64> {
        let by_name = self.by_name.borrow();
        by_name.get(&(kind, name.to_owned())).into_iter().flatten().copied().collect()
    }

    /// What a connection is called.
    pub(crate) fn names(&self, connection: u64, kind: Kind) -> Vec<String> {
        let by_connection = self.by_connection.borrow();
        let names = by_connection.get(&connection).into_iter().flatten();
        names.filter(|(of, _)| *of == kind).map(|(_, name)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_from_both_sides_until_nobody_has_them() {
        let names = Names::default();
        assert!(names.add(1, Kind::Group, "a"));
        assert!(!names.add(1, Kind::Group, "a"));
        assert!(names.add(2, Kind::Group, "a"));
        assert!(names.add(2, Kind::User, "a"));
        assert_eq!(names.connections(Kind::Group, "a"), [1, 2]);
        assert_eq!(names.connections(Kind::User, "a"), [2]);
        assert_eq!(names.names(2, Kind::Group), ["a"]);
        assert!(names.remove(1, Kind::Group, "a"));
        assert!(!names.remove(1, Kind::Group, "a"));
        names.close(2);
        assert!(names.by_name.borrow().is_empty());
        assert!(names.by_connection.borrow().is_empty());
    }
}
