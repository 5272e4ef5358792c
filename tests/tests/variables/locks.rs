//! Locks over real connections: they pass on when holders leave, whatever way, and tokens grow.

use std::num::NonZeroU32;
use workyard_protocol::globaldata::{
    Lock, LockInfo, LockReply, Locks, Push, RenewLocks, Renewal, Reply, Request, Unlock,
};
use workyard_protocol::{LockName, Reason, ToClient, Ttl};
use workyard_tests::{Daemon, GlobalDataPeer, GlobalDataWire, Setup};

/// Longer than any test.
const LONG_MS: u64 = 600_000;

fn daemon() -> Daemon<GlobalDataWire> {
    Setup::new().start()
}

fn name(name: &str) -> LockName<'_> {
    LockName::new(name).expect("a name of a test is short")
}

fn ttl(millis: u64) -> Ttl {
    Ttl::from_millis(millis).expect("a ttl of a test is within its bounds")
}

fn lock(of: &str, millis: u64, wait: bool) -> Request<'_> {
    let permits = NonZeroU32::MIN;
    Request::Lock(Lock { name: name(of), permits, ttl: ttl(millis), wait })
}

fn unlock(of: &str, token: u64) -> Request<'_> {
    Request::Unlock(Unlock { name: name(of), token })
}

fn locked(token: u64) -> Reply<'static> {
    Reply::Lock(LockReply::Locked { token })
}

fn queued(token: u64) -> Reply<'static> {
    Reply::Lock(LockReply::Queued { token })
}

/// The token of the server's nth claim.
fn token(peer: &GlobalDataPeer, claim: u64) -> u64 {
    peer.revision(claim)
}

#[test]
fn a_lock_passes_on_when_it_is_given_back() {
    let daemon = daemon();
    let (mut holder, mut waiter) = (daemon.peer(), daemon.peer());
    let [first, second] = [1, 2].map(|claim| token(&holder, claim));
    holder.ask(lock("mail", LONG_MS, false), locked(first));
    waiter.ask(lock("mail", LONG_MS, false), Reply::Lock(LockReply::Busy));
    waiter.ask(lock("mail", LONG_MS, true), queued(second));
    holder.ask(unlock("mail", second), Reply::Unlocked { released: false });
    let renewals = vec![Renewal { name: name("mail"), token: first, ttl: ttl(LONG_MS) }];
    holder.ask(Request::RenewLocks(RenewLocks { renewals }), Reply::Renewed { lost: vec![] });
    holder.ask(unlock("mail", first), Reply::Unlocked { released: true });
    waiter.expect_push(Push::LockGranted { token: second });
    let page = holder.answer(Request::Locks(Locks { prefix: b"m", cursor: 0, limit: 10 }));
    match page.decode::<GlobalDataWire>() {
        ToClient::Reply(_, Reply::Locks { cursor: 0, locks }) => match &locks[..] {
            [LockInfo { permits: 1, holders: 1, waiters: 0, token, ttl_ms, .. }] => {
                assert_eq!(*token, second);
                assert!((LONG_MS / 2..=LONG_MS).contains(ttl_ms), "{ttl_ms}");
            }
            other => panic!("not that one lock: {other:?}"),
        },
        other => panic!("no page: {other:?}"),
    }
}

#[test]
fn a_holder_that_hangs_up_is_followed_at_once() {
    let daemon = daemon();
    let (holder, mut waiter) = (daemon.peer(), daemon.peer());
    let mut next = holder;
    for claim in 1..50 {
        let held = token(&next, claim);
        match claim {
            1 => next.ask(lock("mail", LONG_MS, true), locked(held)),
            _ => next.expect_push(Push::LockGranted { token: held }),
        }
        waiter.ask(lock("mail", LONG_MS, true), queued(held + 1));
        drop(std::mem::replace(&mut next, waiter));
        waiter = daemon.peer();
    }
}

#[test]
fn a_holder_that_does_not_renew_loses_it_and_is_told() {
    let daemon = daemon();
    let (mut holder, mut waiter) = (daemon.peer(), daemon.peer());
    let [first, second] = [1, 2].map(|claim| token(&holder, claim));
    holder.ask(lock("mail", 50, false), locked(first));
    waiter.ask(lock("mail", LONG_MS, true), queued(second));
    waiter.expect_push(Push::LockGranted { token: second });
    holder.expect_push(Push::LockLost { token: first });
    holder.ask(unlock("mail", first), Reply::Unlocked { released: false });
}

#[test]
fn tokens_grow_across_a_crash_of_the_server() {
    let mut daemon = daemon();
    let mut before = daemon.peer();
    let held = token(&before, 1);
    before.ask(lock("mail", LONG_MS, false), locked(held));
    daemon.kill();
    daemon.start_again();
    let mut after = daemon.peer();
    let again = token(&after, 1);
    after.ask(lock("mail", LONG_MS, false), locked(again));
    assert!(again > held, "{again} after {held}");
}

#[test]
fn what_is_above_a_limit_costs_only_that_request() {
    let flags = [("--locks-max", "2"), ("--lock-claims-per-session-max", "3")];
    let setup = flags.into_iter().fold(Setup::new(), |setup, (flag, max)| setup.flag(flag, max));
    let daemon = setup.start();
    let mut peer = daemon.peer();
    let token = |claim| token(&daemon.peer(), claim);
    peer.ask(lock("a", LONG_MS, true), locked(token(1)));
    peer.ask(lock("b", LONG_MS, true), locked(token(2)));
    let refusal = peer.ask_refused(lock("c", LONG_MS, true), Reason::LimitReached);
    assert!(refusal.text.contains("locks_max, 2"), "{refusal}");
    peer.ask(lock("b", LONG_MS, true), queued(token(3)));
    let refusal = peer.ask_refused(lock("b", LONG_MS, true), Reason::LimitReached);
    assert!(refusal.text.contains("lock_claims_per_session_max, 3"), "{refusal}");
    let several = Request::Lock(Lock {
        name: name("a"),
        permits: NonZeroU32::new(2).expect("two"),
        ttl: ttl(1),
        wait: true,
    });
    peer.ask_refused(several, Reason::PermitsDiffer);
    peer.ask(unlock("a", token(1)), Reply::Unlocked { released: true });
}
