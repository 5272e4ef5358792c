//! Locks: how they are asked for, kept, lost and given back, whatever happens meanwhile.

use crate::dialogue::{answer, connected, hasty, hear, proof};
use crate::support::{FakeServer, Peer};
use std::time::Duration;
use tokio::time::timeout;
use workyard_globaldata::{
    ErrorKind, GlobalDataClient, LockGuard, LockLost, Number, Reason, StepResult,
};
use workyard_protocol::globaldata::{BatchReply, LockReply, Push, Reply};
use workyard_protocol::{Refusal, RequestId};

const ASKED: &str = "lock mail of 1 for 30000 ms";
const ASKED_TO_WAIT: &str = "lock mail of 1 for 30000 ms waiting";

fn locked(token: u64) -> Reply<'static> {
    Reply::Lock(LockReply::Locked { token })
}

fn queued(token: u64) -> Reply<'static> {
    Reply::Lock(LockReply::Queued { token })
}

fn unlocked() -> Reply<'static> {
    Reply::Unlocked { released: true }
}

fn renewed() -> Reply<'static> {
    Reply::Renewed { lost: vec![] }
}

/// Holds "mail" with token 5.
async fn held(client: &GlobalDataClient, peer: &mut Peer) -> LockGuard {
    let lock = client.lock("mail");
    let (guard, ()) = tokio::join!(lock.try_acquire(), answer(peer, ASKED, locked(5)));
    guard.unwrap().unwrap()
}

/// Waits for "mail" with token 6, until it is dropped.
async fn waiting<'c>(
    client: &'c GlobalDataClient,
    peer: &mut Peer,
) -> impl Future<Output = Result<LockGuard, workyard_globaldata::Error>> + 'c {
    let mut waiting = Box::pin(async move { client.lock("mail").acquire().await });
    let asked = async {
        answer(peer, ASKED_TO_WAIT, queued(6)).await;
        proof(peer).await;
    };
    tokio::select! {
        _ = &mut waiting => panic!("it is queued"),
        () = asked => waiting,
    }
}

/// Nothing was sent before this.
async fn nothing_else_is_said(client: &GlobalDataClient, peer: &mut Peer) {
    let (value, ()) = tokio::join!(client.get::<i64>("end"), async {
        answer(peer, "get end", Reply::Got(None)).await;
    });
    assert_eq!(value.unwrap(), None);
}

#[tokio::test]
async fn a_lock_is_given_back_when_its_guard_is_dropped() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let guard = held(&client, &mut peer).await;
    assert_eq!((guard.token(), guard.name()), (5, &b"mail"[..]));
    assert!(guard.is_held());
    drop(guard);
    answer(&mut peer, "unlock mail with 5", unlocked()).await;
    nothing_else_is_said(&client, &mut peer).await;
}

#[tokio::test]
async fn unlock_waits_for_the_server() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let guard = held(&client, &mut peer).await;
    let mut unlocking = Box::pin(guard.unlock());
    let id = tokio::select! {
        _ = &mut unlocking => panic!("it has not answered"),
        id = hear(&mut peer, "unlock mail with 5") => id,
    };
    assert!(timeout(Duration::from_millis(20), &mut unlocking).await.is_err());
    peer.reply(id, unlocked()).await;
    unlocking.await.unwrap();
    nothing_else_is_said(&client, &mut peer).await;
}

#[tokio::test]
async fn a_busy_lock_is_nobodys_and_a_refusal_is_an_error() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let lock = client.lock("mail");
    let busy = answer(&mut peer, ASKED, Reply::Lock(LockReply::Busy));
    let (guard, ()) = tokio::join!(lock.try_acquire(), busy);
    assert!(guard.unwrap().is_none());
    let semaphore = client.semaphore("pool", 3).ttl(Duration::from_secs(1));
    let (guard, ()) = tokio::join!(semaphore.acquire(), async {
        let id = hear(&mut peer, "lock pool of 3 for 1000 ms waiting").await;
        peer.refuse(id, Reason::PermitsDiffer).await;
    });
    assert_eq!(guard.unwrap_err().reason(), Some(Reason::PermitsDiffer));
    nothing_else_is_said(&client, &mut peer).await;
}

#[tokio::test]
async fn what_cannot_be_a_lock_is_not_asked_for() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let kind = async |lock: workyard_globaldata::Lock<'_>| lock.acquire().await.unwrap_err().kind();
    assert_eq!(kind(client.lock([b'n'; 4097])).await, ErrorKind::InvalidName);
    assert_eq!(kind(client.semaphore("pool", 0)).await, ErrorKind::InvalidArgument);
    assert_eq!(kind(client.lock("mail").ttl(Duration::ZERO)).await, ErrorKind::InvalidArgument);
    assert_eq!(kind(client.lock("mail").ttl(Duration::MAX)).await, ErrorKind::InvalidArgument);
    let shortest = client.lock("mail").ttl(Duration::from_millis(1));
    assert_eq!(kind(shortest).await, ErrorKind::InvalidArgument, "never known to be held");
    nothing_else_is_said(&client, &mut peer).await;
}

#[tokio::test]
async fn a_turn_that_has_come_is_renewed_before_it_is_handed_out() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let acquiring = waiting(&client, &mut peer).await;
    let (guard, ()) = tokio::join!(acquiring, async {
        peer.push(Push::LockGranted { token: 6 }).await;
        answer(&mut peer, "renew mail with 6 for 30000 ms", renewed()).await;
    });
    assert_eq!(guard.unwrap().token(), 6);
}

/// The process was stopped when it was its turn.
#[tokio::test]
async fn a_turn_that_came_and_went_is_waited_for_again() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let acquiring = waiting(&client, &mut peer).await;
    let (guard, ()) = tokio::join!(acquiring, async {
        peer.push(Push::LockGranted { token: 6 }).await;
        peer.push(Push::LockLost { token: 6 }).await;
        let lost = Reply::Renewed { lost: vec![6] };
        answer(&mut peer, "renew mail with 6 for 30000 ms", lost).await;
        answer(&mut peer, ASKED_TO_WAIT, queued(8)).await;
        peer.push(Push::LockGranted { token: 8 }).await;
        let lost = Reply::Renewed { lost: vec![8] };
        answer(&mut peer, "renew mail with 8 for 30000 ms", lost).await;
        peer.push(Push::LockLost { token: 8 }).await;
        answer(&mut peer, ASKED_TO_WAIT, locked(9)).await;
    });
    assert_eq!(guard.unwrap().token(), 9);
}

#[tokio::test]
async fn a_lock_is_renewed_again_and_again_and_stays_held() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let lock = client.lock("mail").ttl(Duration::from_millis(300));
    let asked = answer(&mut peer, "lock mail of 1 for 300 ms", locked(5));
    let (guard, ()) = tokio::join!(lock.try_acquire(), asked);
    let guard = guard.unwrap().unwrap();
    for _ in 0..6 {
        answer(&mut peer, "renew mail with 5 for 300 ms", renewed()).await;
    }
    proof(&mut peer).await;
    assert!(guard.is_held(), "six thirds are over");
}

#[tokio::test]
async fn locks_that_are_due_together_are_renewed_together() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let lock = |name| client.lock(name).ttl(Duration::from_millis(150));
    let (one, other) = (lock("a"), lock("b"));
    let guards = async { tokio::join!(one.try_acquire(), other.try_acquire()) };
    let (guards, ()) = tokio::join!(guards, async {
        let first = hear(&mut peer, "lock a of 1 for 150 ms").await;
        let second = hear(&mut peer, "lock b of 1 for 150 ms").await;
        // Long enough that both are due when the answers come.
        tokio::time::sleep(Duration::from_millis(60)).await;
        peer.reply(first, locked(5)).await;
        peer.reply(second, locked(6)).await;
        hear_renewals(&mut peer).await;
    });
    drop(guards);
}

/// Both in one request, or one behind the other where the answers were read one by one.
async fn hear_renewals(peer: &mut Peer) {
    let frame = peer.next().await.unwrap();
    let (_, request) = frame.request::<workyard_protocol::globaldata::Request<'_>>();
    let words = crate::dialogue::in_words(&request);
    if words != "renew a with 5 for 150 ms, b with 6 for 150 ms" {
        assert_eq!(words, "renew a with 5 for 150 ms");
        hear(peer, "renew b with 6 for 150 ms").await;
    }
}

/// The clock that counts is when the request was sent, as the server's has begun later.
#[tokio::test]
async fn without_an_answer_it_is_lost_by_its_ttl() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let lock = client.lock("mail").ttl(Duration::from_millis(150));
    let asked = answer(&mut peer, "lock mail of 1 for 150 ms", locked(5));
    let (guard, ()) = tokio::join!(lock.try_acquire(), asked);
    let guard = guard.unwrap().unwrap();
    let id = hear(&mut peer, "renew mail with 5 for 150 ms").await;
    assert_eq!(guard.lost().await, LockLost::Expired);
    assert!(!guard.is_held());
    // The server has not lost it yet: it is given back, as its guard does not change its mind.
    peer.reply(id, renewed()).await;
    answer(&mut peer, "unlock mail with 5", unlocked()).await;
    assert!(!guard.is_held());
    drop(guard);
    nothing_else_is_said(&client, &mut peer).await;
}

#[tokio::test]
async fn a_lock_that_the_server_took_away_is_lost_and_not_given_back() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let guard = held(&client, &mut peer).await;
    let (lost, ()) = tokio::join!(guard.lost(), peer.push(Push::LockLost { token: 5 }));
    assert_eq!(lost, LockLost::Expired);
    drop(guard);
    nothing_else_is_said(&client, &mut peer).await;
}

#[tokio::test]
async fn a_lost_connection_is_a_lost_lock_which_is_not_taken_again() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let guard = held(&client, &mut peer).await;
    drop(peer);
    assert_eq!(guard.lost().await, LockLost::Disconnected);
    let mut peer = server.welcome().await;
    nothing_else_is_said(&client, &mut peer).await;
    guard.unlock().await.unwrap();
    nothing_else_is_said(&client, &mut peer).await;
}

#[tokio::test]
async fn a_closed_client_holds_nothing() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let guard = held(&client, &mut peer).await;
    let closing = client.close(Duration::from_secs(5));
    let (closed, frame) = tokio::join!(closing, peer.next());
    assert!(closed.is_ok() && frame.is_none());
    assert_eq!(guard.lost().await, LockLost::Disconnected);
}

#[tokio::test]
async fn who_waits_goes_on_waiting_on_the_next_connection() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    let acquiring = waiting(&client, &mut peer).await;
    drop(peer);
    let (guard, _peer) = tokio::join!(acquiring, async {
        let mut peer = server.welcome().await;
        answer(&mut peer, ASKED_TO_WAIT, locked(9)).await;
        peer
    });
    assert_eq!(guard.unwrap().token(), 9);
}

#[tokio::test]
async fn whoever_gives_up_waiting_leaves_the_queue() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    drop(waiting(&client, &mut peer).await);
    answer(&mut peer, "unlock mail with 6", unlocked()).await;
    let lock = client.lock("mail");
    let acquiring = lock.acquire_within(Duration::from_millis(50));
    let (guard, ()) = tokio::join!(acquiring, answer(&mut peer, ASKED_TO_WAIT, queued(7)));
    assert!(guard.unwrap().is_none());
    answer(&mut peer, "unlock mail with 7", unlocked()).await;
    nothing_else_is_said(&client, &mut peer).await;
}

/// The claim is known by nothing but the request until it is answered.
#[tokio::test]
async fn whoever_gives_up_before_the_answer_leaves_nothing_either() {
    for (reply, token) in [(locked(5), 5), (queued(6), 6)] {
        let server = FakeServer::bind().await;
        let (client, mut peer) = connected(&server).await;
        let id = asked_and_dropped(&client, &mut peer).await;
        // The client knows that it was dropped when it has heard a ping.
        proof(&mut peer).await;
        peer.reply(id, reply).await;
        answer(&mut peer, &format!("unlock mail with {token}"), unlocked()).await;
        nothing_else_is_said(&client, &mut peer).await;
    }
}

/// Nor is it asked for again on the next connection.
#[tokio::test]
async fn what_was_given_up_is_forgotten_with_the_connection() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = hasty(&server).await;
    asked_and_dropped(&client, &mut peer).await;
    drop(peer);
    let mut peer = server.welcome().await;
    nothing_else_is_said(&client, &mut peer).await;
}

async fn asked_and_dropped(client: &GlobalDataClient, peer: &mut Peer) -> RequestId {
    let lock = client.lock("mail");
    tokio::select! {
        _ = lock.acquire() => panic!("nobody has answered"),
        id = hear(peer, ASKED_TO_WAIT) => id,
    }
}

#[tokio::test]
async fn fenced_writes_are_batches_that_require_the_lock() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let guard = held(&client, &mut peer).await;
    let applied = |results| Reply::Batch(BatchReply::Applied { revision: 9, results });
    let sum = StepResult::Incremented(Number::Int(3));
    let serving = async {
        let require = "require lock mail with 5";
        let held = StepResult::Held;
        let said = |step: &str| format!("batch [{require}, {step}]");
        let stored = applied(vec![held, StepResult::Stored]);
        answer(&mut peer, &said("set a: 1"), stored.clone()).await;
        answer(&mut peer, &said("set a for 1000 ms: 1"), stored).await;
        let stored = applied(vec![held, held, StepResult::Stored]);
        answer(&mut peer, &said("require a if 9, set a: 2"), stored).await;
        let conflict = Reply::Batch(BatchReply::Conflict { step: 1, current: 9 });
        answer(&mut peer, &said("require a if absent, set a: 2"), conflict).await;
        answer(&mut peer, &said("increment n by 1 from 0"), applied(vec![held, sum])).await;
        let gone = applied(vec![held, StepResult::Deleted(true)]);
        answer(&mut peer, &said("delete a"), gone).await;
        let refusal = Refusal::new(Reason::Fenced, "it is held with token 6 now");
        let fenced = Reply::Batch(BatchReply::Refused { step: 0, refusal });
        answer(&mut peer, &said("delete a"), fenced).await;
    };
    let writing = async {
        let fenced = client.fenced_by(&guard);
        assert_eq!(fenced.set("a", &1).await.unwrap(), 9);
        let brief = client.with_ttl(Duration::from_secs(1));
        assert_eq!(brief.fenced_by(&guard).set("a", &1).await.unwrap(), 9);
        assert_eq!(fenced.cas("a", 9, &2).await.unwrap(), Ok(9));
        assert!(!fenced.add("a", &2).await.unwrap());
        assert_eq!(fenced.increment("n", 1).await.unwrap(), Number::Int(3));
        assert!(fenced.delete("a").await.unwrap());
        assert_eq!(fenced.delete("a").await.unwrap_err().reason(), Some(Reason::Fenced));
    };
    tokio::join!(serving, writing);
}

#[tokio::test]
async fn a_lock_lies_on_one_server_and_fences_that_one() {
    let servers = [FakeServer::bind().await, FakeServer::bind().await];
    let addresses = servers.iter().map(FakeServer::address);
    let connecting = GlobalDataClient::sharded(addresses).connect();
    let (client, mut one, mut other) =
        tokio::join!(connecting, servers[0].welcome(), servers[1].welcome());
    let client = client.unwrap();
    let key_on = |shard| (0..).map(|n: u32| format!("k{n}")).find(|k| client.shard_of(k) == shard);
    let keys = [key_on(0).unwrap(), key_on(1).unwrap()];
    for (key, peer) in keys.iter().zip([&mut one, &mut other]) {
        let said = format!("lock {key} of 1 for 30000 ms");
        let lock = client.lock(key);
        let (guard, ()) = tokio::join!(lock.try_acquire(), answer(peer, &said, locked(5)));
        let fenced = guard.unwrap().unwrap();
        let elsewhere = &keys[1 - client.shard_of(key)];
        let error = client.fenced_by(&fenced).set(elsewhere, &1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CrossShard);
    }
}
