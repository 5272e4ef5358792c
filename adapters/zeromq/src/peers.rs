//! The peers of a socket: by name, with what waits for each and what each wants.

use crate::kind::Kind;
use crate::limits::{PREFIX_BYTES_MAX, SUBSCRIPTIONS_MAX};
use crate::message::Message;
use crate::options::Options;
use crate::queue::Queue;
use crate::stop::Stop;
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::oneshot;
use workyard_adapter_kit::{Error, ErrorKind};

/// How many words about subscriptions may wait beside the subscriptions themselves.
const CHANGES_MAX: usize = 1000;

#[derive(Default)]
pub(crate) struct Peers {
    peers: HashMap<Bytes, Peer>,
    /// How many there were; names are made of it.
    count: u64,
    /// Most messages and bytes that wait for each.
    queue_max: (usize, usize),
    /// Whether they are known by what they call themselves.
    named: bool,
    subscribes: bool,
    /// What a subscriber wants, and how often it has said so.
    subscriptions: Subscriptions,
    requests: HashMap<u64, Request>,
}

type Subscriptions = BTreeMap<Bytes, usize>;

pub(crate) struct Peer {
    pub(crate) number: u64,
    pub(crate) queue: Arc<Queue>,
    /// Somebody else has come by its name.
    pub(crate) superseded: Arc<Stop>,
    /// What it wants of a publisher.
    subscriptions: Subscriptions,
}

/// A request that waits for its reply.
struct Request {
    reply: oneshot::Sender<Result<Message, Error>>,
    /// Who has it, once it was written.
    peer: Option<u64>,
}

impl Peers {
    pub(crate) fn new(kind: Kind, options: &Options) -> Self {
        let subscribes = kind == Kind::Subscriber;
        let queue_max = if subscribes {
            (SUBSCRIPTIONS_MAX + CHANGES_MAX, u32::MAX as usize)
        } else {
            (options.send_queue_max, options.send_queue_bytes_max)
        };
        let prefixes = options.subscribe.iter().filter(|_| subscribes);
        let subscriptions = prefixes.map(|prefix| (Bytes::from(prefix.clone()), 1)).collect();
        let named = kind.names_peers();
        Self { queue_max, named, subscribes, subscriptions, ..Self::default() }
    }

    /// Takes in a peer by its name, or by one that is made for it. Who had that name before has to go:
    /// it is the same peer, whose end has not been noticed yet.
    pub(crate) fn join(&mut self, name: Bytes) -> (Bytes, Peer) {
        self.count += 1;
        let name = if self.named && !name.is_empty() { name } else { made(self.count) };
        let queue = Arc::new(Queue::new(self.queue_max.0, self.queue_max.1));
        if self.subscribes {
            for prefix in self.subscriptions.keys() {
                queue.try_push(word(true, prefix));
            }
        }
        let peer = Peer {
            number: self.count,
            queue,
            superseded: Arc::default(),
            subscriptions: Subscriptions::new(),
        };
        let known = Peer {
            number: peer.number,
            queue: Arc::clone(&peer.queue),
            superseded: Arc::clone(&peer.superseded),
            subscriptions: Subscriptions::new(),
        };
        if let Some(before) = self.peers.insert(name.clone(), known) {
            before.superseded.stop();
        }
        (name, peer)
    }

    /// A peer is gone, and with it the replies that it owes.
    pub(crate) fn leave(&mut self, name: &Bytes, number: u64) {
        if self.peers.get(name).is_some_and(|peer| peer.number == number) {
            self.peers.remove(name);
        }
        let owed = self.requests.extract_if(|_, request| request.peer == Some(number));
        for (_, request) in owed {
            let message = "the peer that had the request was lost before it replied";
            // Nobody may wait any more.
            let _ = request.reply.send(Err(Error::new(ErrorKind::Disconnected, message)));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    pub(crate) fn queue(&self, name: &[u8]) -> Option<Arc<Queue>> {
        self.peers.get(name).map(|peer| Arc::clone(&peer.queue))
    }

    /// The queue of one connection: not of another that has come by the same name.
    pub(crate) fn queue_of(&self, name: &[u8], number: u64) -> Option<Arc<Queue>> {
        let peer = self.peers.get(name).filter(|peer| peer.number == number)?;
        Some(Arc::clone(&peer.queue))
    }

    pub(crate) fn queues(&self) -> Vec<Arc<Queue>> {
        self.peers.values().map(|peer| Arc::clone(&peer.queue)).collect()
    }

    /// The queues of those who want a message of a publisher.
    pub(crate) fn interested<'a>(&'a self, first: &'a [u8]) -> impl Iterator<Item = &'a Queue> {
        let peers = self.peers.values().filter(|peer| matches(&peer.subscriptions, first));
        peers.map(|peer| &*peer.queue)
    }

    /// Whether a subscriber wants a message.
    pub(crate) fn wants(&self, first: &[u8]) -> bool {
        matches(&self.subscriptions, first)
    }

    /// A subscriber wants more.
    pub(crate) fn subscribe(&mut self, prefix: &[u8]) -> Result<(), Error> {
        if prefix.len() > PREFIX_BYTES_MAX {
            let message = format!("a subscription of more than {PREFIX_BYTES_MAX} bytes");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX && !self.subscriptions.contains_key(prefix)
        {
            let message = format!("more than {SUBSCRIPTIONS_MAX} subscriptions");
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        let count = self.subscriptions.entry(Bytes::copy_from_slice(prefix)).or_default();
        *count += 1;
        if *count == 1 {
            self.say(&word(true, prefix));
        }
        Ok(())
    }

    /// A subscriber wants less; whether it had wanted that.
    pub(crate) fn unsubscribe(&mut self, prefix: &[u8]) -> bool {
        let Some(count) = self.subscriptions.get_mut(prefix) else { return false };
        *count -= 1;
        if *count == 0 {
            self.subscriptions.remove(prefix);
            self.say(&word(false, prefix));
        }
        true
    }

    /// A peer of a publisher says what it wants: 1 and a prefix, or no longer: 0 and the prefix.
    pub(crate) fn hear(&mut self, name: &Bytes, number: u64, parts: &[Bytes]) -> Result<(), Error> {
        let peer = self.peers.get_mut(name).filter(|peer| peer.number == number);
        let (Some(peer), [word]) = (peer, parts) else { return Ok(()) };
        let Some((verb, prefix)) = word.split_first() else { return Ok(()) };
        let wanted = &mut peer.subscriptions;
        match verb {
            1 if prefix.len() <= PREFIX_BYTES_MAX && wanted.len() < SUBSCRIPTIONS_MAX => {
                *wanted.entry(Bytes::copy_from_slice(prefix)).or_default() += 1;
            }
            1 => {
                let message = format!(
                    "a peer subscribes to more than {SUBSCRIPTIONS_MAX} prefixes of \
                     {PREFIX_BYTES_MAX} bytes"
                );
                return Err(Error::new(ErrorKind::TooLarge, message));
            }
            0 => {
                if let Some(count) = wanted.get_mut(prefix) {
                    *count -= 1;
                    if *count == 0 {
                        wanted.remove(prefix);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A request is made: by this number its reply will be known.
    pub(crate) fn request(&mut self, number: u64) -> oneshot::Receiver<Result<Message, Error>> {
        let (reply, replied) = oneshot::channel();
        self.requests.insert(number, Request { reply, peer: None });
        replied
    }

    /// Nobody waits any more.
    pub(crate) fn forget(&mut self, number: u64) {
        self.requests.remove(&number);
    }

    pub(crate) fn is_wanted(&self, number: u64) -> bool {
        self.requests.contains_key(&number)
    }

    /// The request was written to this peer.
    pub(crate) fn written(&mut self, number: u64, peer: u64) {
        if let Some(request) = self.requests.get_mut(&number) {
            request.peer = Some(peer);
        }
    }

    /// A reply came from this peer. One that nobody waits for is nobody's.
    pub(crate) fn replied(&mut self, number: u64, peer: u64, message: Message) {
        if self.requests.get(&number).is_some_and(|request| request.peer == Some(peer))
            && let Some(request) = self.requests.remove(&number)
        {
            let _ = request.reply.send(Ok(message));
        }
    }

    /// No peer takes the request: none has read it whole.
    pub(crate) fn refuse(&mut self, number: u64, why: &str) {
        if let Some(request) = self.requests.remove(&number) {
            let message = format!("no peer takes the request: {why}");
            let error = Error::new(ErrorKind::Disconnected, message);
            let _ = request.reply.send(Err(error.not_carried_out().transient(false)));
        }
    }

    /// Tells all peers. One that hears nothing has to come again, and is told everything then.
    fn say(&self, word: &Message) {
        for peer in self.peers.values() {
            if !peer.queue.try_push(word.clone()) {
                peer.superseded.stop();
            }
        }
    }
}

/// Some subscription is a prefix of it.
fn matches(subscriptions: &Subscriptions, first: &[u8]) -> bool {
    if subscriptions.len() < 16 {
        return subscriptions.keys().any(|prefix| first.starts_with(prefix));
    }
    let longest = first.len().min(PREFIX_BYTES_MAX);
    (0..=longest).any(|length| subscriptions.contains_key(&first[..length]))
}

fn word(subscribes: bool, prefix: &[u8]) -> Message {
    let mut word = BytesMut::with_capacity(1 + prefix.len());
    word.put_u8(subscribes.into());
    word.put_slice(prefix);
    word.freeze().into()
}

/// A name that no peer gives itself: those begin with another byte.
fn made(count: u64) -> Bytes {
    let mut name = BytesMut::with_capacity(9);
    name.put_u8(0);
    name.put_u64(count);
    name.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(kind: Kind) -> Peers {
        Peers::new(kind, &Options::default())
    }

    #[test]
    fn only_who_answers_peers_knows_them_by_their_names() {
        for kind in [Kind::Replier, Kind::Router] {
            let mut peers = peers(kind);
            let (name, first) = peers.join("ann".into());
            let (_, second) = peers.join("ann".into());
            assert!(first.superseded.is_stopped() && !second.superseded.is_stopped());
            assert_eq!((&*name, peers.len()), (&b"ann"[..], 1));
            assert!(peers.queue_of(b"ann", first.number).is_none());
            assert!(peers.queue_of(b"ann", second.number).is_some());
        }
        for kind in [Kind::Publisher, Kind::Subscriber, Kind::Push, Kind::Pull, Kind::Dealer] {
            let mut peers = peers(kind);
            let (first, second) = (peers.join("ann".into()), peers.join("ann".into()));
            assert!(!first.1.superseded.is_stopped() && !second.1.superseded.is_stopped());
            assert_eq!(peers.len(), 2);
        }
    }

    #[test]
    fn what_an_old_connection_has_said_is_not_heard_of_the_new_one() {
        let mut peers = peers(Kind::Router);
        let (name, old) = peers.join("ann".into());
        let (_, new) = peers.join("ann".into());
        let subscribe = |prefix: &'static str| [word(true, prefix.as_bytes()).parts()[0].clone()];
        peers.hear(&name, old.number, &subscribe("old")).unwrap();
        peers.hear(&name, new.number, &subscribe("new")).unwrap();
        assert_eq!(peers.interested(b"old").count(), 0);
        assert_eq!(peers.interested(b"new").count(), 1);
    }
}
