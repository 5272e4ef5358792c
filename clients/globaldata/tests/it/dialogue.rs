//! What the tests of this client say and hear.

use crate::support::{FakeServer, Peer};
use std::time::Duration;
use workyard_globaldata::{Backoff, Builder, GlobalDataClient};
use workyard_link::Unread;
use workyard_protocol::globaldata::{
    AddWithin, Entry, Expect, Expiry, Found, Looked, Modification, Modified, Outcome, PushItems,
    Question, Renewal, Reply, Request, Step, WatchTopic, Written,
};
use workyard_protocol::{Number, RequestId, ToClient, ToServer, Ttl, ValueRef};

pub(crate) async fn connected(server: &FakeServer) -> (GlobalDataClient, Peer) {
    connected_as(server, GlobalDataClient::builder(server.address())).await
}

pub(crate) async fn connected_as(
    server: &FakeServer,
    builder: Builder,
) -> (GlobalDataClient, Peer) {
    let (client, peer) = tokio::join!(builder.connect(), server.welcome());
    (client.unwrap(), peer)
}

/// One that connects again at once.
pub(crate) async fn hasty(server: &FakeServer) -> (GlobalDataClient, Peer) {
    let none = Duration::ZERO;
    let builder = GlobalDataClient::builder(server.address());
    connected_as(server, builder.backoff(Backoff { first: none, max: none })).await
}

/// A request in a few words: `get a`, `write a if 7 for 30 ms: text`, `increment a by 1 from 0`. What a
/// request says of the expiry when it is not told to is left out.
pub(crate) fn in_words(request: &Request<'_>) -> String {
    match request {
        Request::Get(request) => format!("get {}", request.key),
        Request::GetMany(request) => format!("get {:?}", request.keys),
        Request::Write(request) => {
            let value = request.value.to_value();
            let time = time(request.expiry, Expiry::Never);
            format!("write {}{}{time}: {value}", request.key, expected(request.expect))
        }
        Request::Increment(request) => {
            let from = request.initial.map_or(String::new(), |initial| format!(" from {initial}"));
            let time = time(request.expiry, Expiry::Keep);
            format!("increment {} by {}{from}{time}", request.key, request.by)
        }
        Request::Delete(request) => {
            format!("delete {}{}", request.key, expected(request.expect))
        }
        Request::Look(request) => format!("{} {}", question(&request.question), request.key),
        Request::Modify(request) => {
            let time = time(request.expiry, Expiry::Keep);
            format!("{} {}{time}", modification(&request.modification), request.key)
        }
        Request::Exists(request) => format!("exists {}", request.key),
        Request::Batch(request) => {
            let steps: Vec<_> = request.steps.iter().map(step).collect();
            format!("batch [{}]", steps.join(", "))
        }
        Request::Touch(request) => match request.ttl.map(Ttl::as_millis) {
            Some(millis) => format!("touch {} for {millis} ms", request.key),
            None => format!("persist {}", request.key),
        },
        Request::Keys(request) => {
            let prefix = String::from_utf8_lossy(request.prefix);
            format!("keys {prefix:?} {} {}", request.cursor, request.limit)
        }
        Request::Entries(request) => {
            let prefix = String::from_utf8_lossy(request.prefix);
            format!("entries {prefix:?} {} {}", request.cursor, request.limit)
        }
        Request::Count(request) => {
            let prefix = String::from_utf8_lossy(request.prefix);
            format!("count {prefix:?} {}", request.cursor)
        }
        Request::Watch(request) => {
            let names = if request.values { "" } else { " without values" };
            let after = request.after.map_or(String::new(), |after| format!(" after {after}"));
            format!("watch {} {}{names}{after}", request.watch, topics(&request.topics))
        }
        Request::Unwatch(request) => format!("unwatch {}", topics(&request.topics)),
        Request::Lock(request) => {
            let (name, permits, ttl) = (request.name, request.permits, request.ttl.as_millis());
            let wait = if request.wait { " waiting" } else { "" };
            format!("lock {name} of {permits} for {ttl} ms{wait}")
        }
        Request::Unlock(request) => format!("unlock {} with {}", request.name, request.token),
        Request::RenewLocks(request) => {
            let renewals: Vec<_> = request.renewals.iter().map(renewal).collect();
            format!("renew {}", renewals.join(", "))
        }
        Request::Locks(request) => {
            let prefix = String::from_utf8_lossy(request.prefix);
            format!("locks {prefix:?} {} {}", request.cursor, request.limit)
        }
    }
}

fn renewal(renewal: &Renewal<'_>) -> String {
    format!("{} with {} for {} ms", renewal.name, renewal.token, renewal.ttl.as_millis())
}

fn step(step: &Step<'_>) -> String {
    match step {
        Step::Require { key, expect } => format!("require {key}{}", expected(*expect)),
        Step::Set { key, expiry, value } => {
            format!("set {key}{}: {}", time(*expiry, Expiry::Never), value.to_value())
        }
        Step::Increment { key, by, initial, expiry } => {
            let from = initial.map_or(String::new(), |initial| format!(" from {initial}"));
            format!("increment {key} by {by}{from}{}", time(*expiry, Expiry::Keep))
        }
        Step::Delete { key } => format!("delete {key}"),
        Step::RequireLock { name, token } => format!("require lock {name} with {token}"),
        Step::Modify { key, expiry, modification: change } => {
            format!("{} {key}{}", modification(change), time(*expiry, Expiry::Keep))
        }
    }
}

/// A modification before the key that it is of: `append text to`, `add -1 within 0.. to`.
fn modification(modification: &Modification<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match modification {
        Modification::Append(bytes) => format!("append {} to", text(bytes)),
        Modification::Prepend(bytes) => format!("prepend {} to", text(bytes)),
        Modification::Min(number) => format!("min {number} of"),
        Modification::Max(number) => format!("max {number} of"),
        Modification::AddWithin(AddWithin { by, initial, least, greatest, clamp }) => {
            let shown = |number: &Option<Number>| number.map_or(String::new(), |it| it.to_string());
            let (least, greatest, initial) = (shown(least), shown(greatest), shown(initial));
            let clamp = if *clamp { "clamped " } else { "" };
            format!("add {by} {clamp}within {least}..{greatest} from {initial} to")
        }
        Modification::Swap(value) => format!("swap {} with", value.to_value()),
        Modification::Take => "take".to_owned(),
        Modification::Push(PushItems { end, items, keep }) => {
            let keep = keep.map_or(String::new(), |keep| format!(" keeping {keep}"));
            format!("push {} {end:?}{keep} of", listed(items))
        }
        Modification::Pop { end, count } => format!("pop {count} {end:?} of"),
        Modification::SetAdd(items) => format!("set_add {} to", listed(items)),
        Modification::SetRemove(items) => format!("set_remove {} from", listed(items)),
        Modification::MapSet(fields) => {
            let shown = |(name, value): &(_, ValueRef<'_>)| format!("{name}={}", value.to_value());
            let fields: Vec<_> = fields.iter().map(shown).collect();
            format!("map_set {} in", fields.join(","))
        }
        Modification::MapRemove(fields) => format!("map_remove {fields:?} from"),
        Modification::MapIncrement { field, by, initial } => {
            let initial = initial.map_or(String::new(), |initial| initial.to_string());
            format!("map_increment {field} by {by} from {initial} in")
        }
    }
}

fn listed(items: &[ValueRef<'_>]) -> String {
    items.iter().map(|item| item.to_value().to_string()).collect::<Vec<_>>().join(",")
}

fn question(question: &Question<'_>) -> String {
    match question {
        Question::Length => "length of".to_owned(),
        Question::Range { start, count } => format!("{count} items from {start} of"),
        Question::Contains(items) => format!("contains {} in", listed(items)),
        Question::Fields(fields) => format!("fields {fields:?} of"),
    }
}

/// Each in its words, `a` for a key and `a…` for a prefix.
fn topics(topics: &[WatchTopic<'_>]) -> String {
    let topics = topics.iter().map(|topic| match topic {
        WatchTopic::Key(key) => key.to_string(),
        WatchTopic::Prefix(prefix) => format!("{prefix}…"),
    });
    topics.collect::<Vec<_>>().join(" ")
}

fn expected(expect: Expect<'_>) -> String {
    match expect {
        Expect::Any => String::new(),
        Expect::Absent => " if absent".to_owned(),
        Expect::Revision(revision) => format!(" if {revision}"),
        Expect::Value(value) => format!(" if value {}", value.to_value()),
    }
}

fn time(expiry: Expiry, unsaid: Expiry) -> String {
    match expiry {
        said if said == unsaid => String::new(),
        Expiry::Never => " for ever".to_owned(),
        Expiry::Keep => " for as long as it had".to_owned(),
        Expiry::After(ttl) => format!(" for {} ms", ttl.as_millis()),
        Expiry::AfterIfNew(ttl) => format!(" for {} ms if new", ttl.as_millis()),
    }
}

/// The next request, which must be this one; its id.
pub(crate) async fn hear(peer: &mut Peer, expected: &str) -> RequestId {
    let frame = peer.next().await.unwrap_or_else(|| panic!("hung up instead of {expected}"));
    let (id, request) = frame.request::<Request<'_>>();
    assert_eq!(in_words(&request), expected);
    id
}

/// Hears a request and answers it.
pub(crate) async fn answer(peer: &mut Peer, expected: &str, reply: Reply<'_>) {
    let id = hear(peer, expected).await;
    peer.reply(id, reply).await;
}

/// The client has read what was sent before, and said nothing meanwhile.
pub(crate) async fn proof(peer: &mut Peer) {
    peer.send(&ToClient::<Unread<'_>, Unread<'_>>::Ping(7)).await;
    let frame = peer.frame().await.unwrap();
    assert!(matches!(frame.to_server::<Unread<'_>>(), ToServer::Pong(7)), "{frame:?}");
}

pub(crate) fn got(revision: u64, value: ValueRef<'_>) -> Reply<'_> {
    Reply::Got(Some(Entry { revision, ttl_ms: None, value }))
}

pub(crate) fn stored(revision: u64) -> Reply<'static> {
    Reply::Written(Written::Stored { revision })
}

pub(crate) fn conflict(current: u64) -> Reply<'static> {
    Reply::Written(Written::Conflict { current })
}

pub(crate) fn modified(outcome: Outcome<'_>) -> Reply<'_> {
    Reply::Modified(Modified { revision: 9, ttl_ms: None, outcome })
}

pub(crate) fn modified_for(ttl_ms: u64, outcome: Outcome<'_>) -> Reply<'_> {
    Reply::Modified(Modified { revision: 9, ttl_ms: Some(ttl_ms), outcome })
}

pub(crate) fn looked(found: Found<'_>) -> Reply<'_> {
    Reply::Looked(Looked { revision: 9, found })
}
