//! Batches: all of it, or nothing.

use workyard_protocol::globaldata::{
    Batch, BatchReply, Entry, Expect, Expiry, GetMany, Reply, Request, Step, StepResult,
};
use workyard_protocol::{Number, Reason, ToClient, ValueRef};
use workyard_tests::words::{get, got, key, set, stored};
use workyard_tests::{GlobalDataPeer, GlobalDataWire, Setup};

fn batch<'a>(steps: &[Step<'a>]) -> Request<'a> {
    let steps = steps.to_vec();
    Request::Batch(Batch { steps })
}

fn set_step<'a>(name: &'a str, value: ValueRef<'a>) -> Step<'a> {
    let key = key(name);
    Step::Set { key, expiry: Expiry::Never, value }
}

fn require<'a>(name: &'a str, expect: Expect<'a>) -> Step<'a> {
    let key = key(name);
    Step::Require { key, expect }
}

fn increment_step(name: &str, by: i64, initial: Option<i64>) -> Step<'_> {
    let (by, initial) = (Number::Int(by), initial.map(Number::Int));
    Step::Increment { key: key(name), by, initial, expiry: Expiry::Keep }
}

#[track_caller]
fn expect_nothing_changed(peer: &mut GlobalDataPeer) {
    let keys = ["balance", "new"].map(key).to_vec();
    let balance = Entry { revision: peer.revision(1), ttl_ms: None, value: ValueRef::Int(100) };
    peer.ask(Request::GetMany(GetMany { keys }), Reply::GotMany(vec![Some(balance), None]));
}

#[test]
fn steps_see_what_the_ones_before_did_and_share_a_revision() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut peer = daemon.peer();
    peer.ask(set("balance", ValueRef::Int(100)), stored(peer.revision(1)));
    let steps = [
        require("balance", Expect::Revision(peer.revision(1))),
        increment_step("balance", -30, None),
        require("balance", Expect::Value(ValueRef::Int(70))),
        set_step("log", ValueRef::raw("withdrawn")),
        Step::Delete { key: key("none") },
        Step::Delete { key: key("log") },
        require("log", Expect::Absent),
        set_step("log", ValueRef::raw("again")),
    ];
    let results = vec![
        StepResult::Held,
        StepResult::Incremented(Number::Int(70)),
        StepResult::Held,
        StepResult::Stored,
        StepResult::Deleted(false),
        StepResult::Deleted(true),
        StepResult::Held,
        StepResult::Stored,
    ];
    let revision = peer.revision(2);
    peer.ask(batch(&steps), Reply::Batch(BatchReply::Applied { revision, results }));
    peer.ask(get("balance"), got(peer.revision(2), ValueRef::Int(70)));
    peer.ask(get("log"), got(peer.revision(2), ValueRef::raw("again")));
    let results = vec![];
    peer.ask(batch(&[]), Reply::Batch(BatchReply::Applied { revision, results }));
}

#[test]
fn a_requirement_that_does_not_hold_undoes_everything() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut peer = daemon.peer();
    peer.ask(set("balance", ValueRef::Int(100)), stored(peer.revision(1)));
    let steps = [
        set_step("new", ValueRef::Int(1)),
        increment_step("balance", 1, None),
        Step::Delete { key: key("balance") },
        require("new", Expect::Absent),
    ];
    let conflict = BatchReply::Conflict { step: 3, current: 0 };
    peer.ask(batch(&steps), Reply::Batch(conflict));
    expect_nothing_changed(&mut peer);
    // Nor was a number used up.
    peer.ask(set("next", ValueRef::Int(1)), stored(peer.revision(2)));
}

#[test]
fn a_step_that_is_refused_undoes_everything() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut peer = daemon.peer();
    peer.ask(set("balance", ValueRef::Int(100)), stored(peer.revision(1)));
    for (last, reason) in [
        (increment_step("none", 1, None), Reason::NotFound),
        (increment_step("new", 1, None), Reason::NotANumber),
        (increment_step("balance", i64::MAX, None), Reason::OutOfRange),
    ] {
        let steps = [set_step("new", ValueRef::raw("x")), last];
        let frame = peer.answer(batch(&steps));
        match frame.decode::<GlobalDataWire>() {
            ToClient::Reply(_, Reply::Batch(BatchReply::Refused { step: 1, refusal })) => {
                assert_eq!(refusal.reason, reason);
            }
            other => panic!("expected {reason}, got {other:?}"),
        }
        expect_nothing_changed(&mut peer);
    }
}

#[test]
fn a_batch_of_as_many_steps_as_there_may_be_is_carried_out() {
    const STEPS: usize = 16_384;
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut peer = daemon.peer();
    let steps = vec![increment_step("n", 1, Some(0)); STEPS];
    let frame = peer.answer(batch(&steps));
    assert!(matches!(
        frame.decode::<GlobalDataWire>(),
        ToClient::Reply(_, Reply::Batch(BatchReply::Applied { revision, results }))
            if revision == peer.revision(1) && results.len() == STEPS
    ));
    peer.ask(get("n"), got(peer.revision(1), ValueRef::Int(16_384)));
}
