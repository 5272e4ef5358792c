//! `Store::update`: what a dialect builds its own operations from.

use crate::ask::*;
use workyard_globaldata_core::{Change, Store, StoreLimits, Updated};
use workyard_protocol::globaldata::Expiry;
use workyard_protocol::{Reason, Refusal, ValueRef};

#[test]
fn an_update_sees_the_variable_and_decides() {
    let mut store = Store::new(StoreLimits::default());
    let name = key("a");

    let updated = store.update(at(0), name, |current| {
        assert_eq!(current, None);
        Ok(Change::Keep)
    });
    assert_eq!(updated, Ok(Updated { changed: false, revision: 0 }));

    let updated = store.update(at(0), name, |_| Ok(Change::Store(ValueRef::Int(1), Expiry::Never)));
    assert_eq!(updated, Ok(Updated { changed: true, revision: 1 }));

    let updated = store.update(at(0), name, |current| {
        assert_eq!(current, entry(1, ValueRef::Int(1)));
        Ok(Change::Keep)
    });
    assert_eq!(updated, Ok(Updated { changed: false, revision: 1 }));

    let updated = store.update(at(0), name, |_| Ok(Change::Delete));
    assert_eq!(updated, Ok(Updated { changed: true, revision: 2 }));

    let updated = store.update(at(0), name, |_| Ok(Change::Delete));
    assert_eq!(updated, Ok(Updated { changed: false, revision: 0 }));
    assert_eq!(store.census().revision, 2);
}

#[test]
fn a_refusal_of_its_own_changes_nothing() {
    let mut store = Store::new(StoreLimits::default());
    let refusal = || Refusal::new(Reason::InvalidArgument, "not today");
    assert_eq!(store.update(at(0), key("a"), |_| Err(refusal())), Err(refusal()));
    assert_eq!(store.census().revision, 0);
}

#[test]
fn an_update_sees_nothing_where_a_lifetime_is_over() {
    let mut store = Store::new(StoreLimits::default());
    let (name, five) = (key("a"), ValueRef::Int(5));
    let begun = store.update(at(0), name, |_| Ok(Change::Store(five, after(10))));
    assert_eq!(begun, Ok(Updated { changed: true, revision: 1 }));
    let kept = store.update(at(9), name, |current| {
        assert_eq!(current, entry_for(1, 1, five));
        Ok(Change::Store(five, Expiry::Keep))
    });
    assert_eq!(kept, Ok(Updated { changed: true, revision: 2 }));
    let over = store.update(at(10), name, |current| {
        assert_eq!(current, None);
        Ok(Change::Delete)
    });
    assert_eq!(over, Ok(Updated { changed: false, revision: 0 }));
    // The expiry took a revision; a deletion of nothing takes none.
    assert_eq!((store.census().keys, store.census().revision), (0, 3));
}

#[test]
fn a_touch_is_an_update_without_a_revision() {
    let mut store = Store::new(StoreLimits::default());
    let (name, five) = (key("a"), ValueRef::Int(5));
    let nothing = store.update(at(0), name, |_| Ok(Change::Touch(Some(ttl(10)))));
    assert_eq!(nothing, Ok(Updated { changed: false, revision: 0 }));
    let begun = store.update(at(0), name, |_| Ok(Change::Store(five, Expiry::Never)));
    assert_eq!(begun, Ok(Updated { changed: true, revision: 1 }));
    let touched = store.update(at(0), name, |_| Ok(Change::Touch(Some(ttl(10)))));
    assert_eq!(touched, Ok(Updated { changed: true, revision: 1 }));
    assert_eq!((store.census().keys, store.census().revision), (1, 1));
}
