//! `Store::update`: what a dialect builds its own operations from.

use crate::ask::*;
use workyard_globaldata_core::{Change, Store, StoreLimits, Updated};
use workyard_protocol::{Reason, Refusal, ValueRef};

#[test]
fn an_update_sees_the_variable_and_decides() {
    let mut store = Store::new(StoreLimits::default());
    let name = key("a");

    let updated = store.update(name, |current| {
        assert_eq!(current, None);
        Ok(Change::Keep)
    });
    assert_eq!(updated, Ok(Updated { changed: false, revision: 0 }));

    let updated = store.update(name, |_| Ok(Change::Store(ValueRef::Int(1))));
    assert_eq!(updated, Ok(Updated { changed: true, revision: 1 }));

    let updated = store.update(name, |current| {
        assert_eq!(current, entry(1, ValueRef::Int(1)));
        Ok(Change::Keep)
    });
    assert_eq!(updated, Ok(Updated { changed: false, revision: 1 }));

    let updated = store.update(name, |_| Ok(Change::Delete));
    assert_eq!(updated, Ok(Updated { changed: true, revision: 2 }));

    let updated = store.update(name, |_| Ok(Change::Delete));
    assert_eq!(updated, Ok(Updated { changed: false, revision: 0 }));
    assert_eq!(store.census().revision, 2);
}

#[test]
fn a_refusal_of_its_own_changes_nothing() {
    let mut store = Store::new(StoreLimits::default());
    let refusal = || Refusal::new(Reason::InvalidArgument, "not today");
    assert_eq!(store.update(key("a"), |_| Err(refusal())), Err(refusal()));
    assert_eq!(store.census().revision, 0);
}
