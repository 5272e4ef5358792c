//! What one follower is still to be told of a channel's members: bounded, whoever comes and goes.

use crate::limits::PRESENCE_EVENTS_MAX;
use crate::presence::{Member, PresenceEvent};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The members of a channel as the server tells them, and what of that a follower has not heard yet.
///
/// A follower that does not listen costs no more than the members themselves: above a number of changes
/// these are forgotten, and it is told the difference to what it knows instead.
#[derive(Debug, Default)]
pub(crate) struct View {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    members: BTreeMap<u64, Listed>,
    /// The listing that is under way, or was the last.
    round: u64,
    /// The last listing was read to its end.
    complete: bool,
    changes: VecDeque<Change>,
    /// Changes were forgotten: the members themselves tell.
    behind: bool,
    closed: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Listed {
    identity: Bytes,
    round: u64,
}

#[derive(Debug)]
enum Change {
    Joined(Member),
    Left(u64),
    CaughtUp,
}

/// What a follower has told its program, and what it is about to tell.
#[derive(Debug, Default)]
pub(crate) struct Told {
    members: BTreeMap<u64, Bytes>,
    next: VecDeque<Change>,
}

impl View {
    /// Everybody will be listed anew.
    pub(crate) fn begin(&self) {
        let mut inner = self.lock();
        inner.round += 1;
        inner.complete = false;
    }

    /// A member is there: it is listed, or has just entered.
    pub(crate) fn is_there(&self, session: u64, identity: &Bytes) {
        let mut inner = self.lock();
        let listed = Listed { identity: identity.clone(), round: inner.round };
        let before = inner.members.insert(session, listed);
        if before.is_none_or(|before| before.identity != *identity) {
            inner.change(Change::Joined(Member { session, identity: identity.clone() }));
        }
    }

    pub(crate) fn left(&self, session: u64) {
        let mut inner = self.lock();
        if inner.members.remove(&session).is_some() {
            inner.change(Change::Left(session));
        }
    }

    /// Everybody has been listed: who was not is gone.
    pub(crate) fn end(&self) {
        let mut inner = self.lock();
        let round = inner.round;
        let gone = inner.members.extract_if(.., |_, listed| listed.round != round);
        let gone: Vec<u64> = gone.map(|(session, _)| session).collect();
        gone.into_iter().for_each(|session| inner.change(Change::Left(session)));
        inner.complete = true;
        inner.change(Change::CaughtUp);
    }

    /// It is another server: nobody is there any more.
    pub(crate) fn reset(&self) {
        let mut inner = self.lock();
        let gone = std::mem::take(&mut inner.members);
        gone.into_keys().for_each(|session| inner.change(Change::Left(session)));
    }

    /// Nothing more will come. What is known can still be told.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.wake();
    }

    /// What the follower is to tell next; nothing when that was all for ever.
    pub(crate) fn poll_next(
        &self,
        told: &mut Told,
        cx: &mut Context<'_>,
    ) -> Poll<Option<PresenceEvent>> {
        loop {
            while let Some(change) = told.next.pop_front() {
                if let Some(event) = told.tell(change) {
                    return Poll::Ready(Some(event));
                }
            }
            let mut inner = self.lock();
            if std::mem::take(&mut inner.behind) {
                told.next = inner.difference(&told.members);
            } else {
                std::mem::swap(&mut told.next, &mut inner.changes);
            }
            if told.next.is_empty() {
                if inner.closed {
                    return Poll::Ready(None);
                }
                match &mut inner.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                return Poll::Pending;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code of others runs under the lock: whatever panicked left a whole state behind.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn change(&mut self, change: Change) {
        if self.changes.len() >= PRESENCE_EVENTS_MAX {
            self.behind = true;
            self.changes = VecDeque::new();
        }
        if !self.behind {
            self.changes.push_back(change);
        }
        self.wake();
    }

    fn wake(&mut self) {
        self.waker.take().into_iter().for_each(Waker::wake);
    }

    /// What has to be told to somebody who knows these.
    fn difference(&self, known: &BTreeMap<u64, Bytes>) -> VecDeque<Change> {
        let left = known.keys().filter(|session| !self.members.contains_key(session));
        let joined = self.members.iter().filter(|(session, listed)| {
            known.get(session).is_none_or(|identity| *identity != listed.identity)
        });
        let member = |(session, listed): (&u64, &Listed)| {
            Change::Joined(Member { session: *session, identity: listed.identity.clone() })
        };
        let caught_up = self.complete.then_some(Change::CaughtUp);
        left.map(|session| Change::Left(*session))
            .chain(joined.map(member))
            .chain(caught_up)
            .collect()
    }
}

impl Told {
    fn tell(&mut self, change: Change) -> Option<PresenceEvent> {
        match change {
            Change::Joined(member) => {
                self.members.insert(member.session, member.identity.clone());
                Some(PresenceEvent::Joined(member))
            }
            Change::Left(session) => {
                let identity = self.members.remove(&session)?;
                Some(PresenceEvent::Left(Member { session, identity }))
            }
            Change::CaughtUp => Some(PresenceEvent::CaughtUp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that is to be told, as text.
    fn heard(view: &View, told: &mut Told) -> Vec<String> {
        let mut all = Vec::new();
        while let Poll::Ready(Some(event)) =
            view.poll_next(told, &mut Context::from_waker(Waker::noop()))
        {
            all.push(match event {
                PresenceEvent::Joined(member) => format!("+{}", member.identity_str()),
                PresenceEvent::Left(member) => format!("-{}", member.identity_str()),
                PresenceEvent::CaughtUp => "=".to_owned(),
            });
        }
        all
    }

    fn there(view: &View, session: u64, identity: &'static str) {
        view.is_there(session, &Bytes::from_static(identity.as_bytes()));
    }

    #[test]
    fn who_is_not_listed_again_is_gone() {
        let (view, mut told) = (View::default(), Told::default());
        view.begin();
        there(&view, 1, "a");
        there(&view, 2, "b");
        view.end();
        assert_eq!(heard(&view, &mut told), ["+a", "+b", "="]);
        view.begin();
        there(&view, 3, "c");
        view.left(3);
        view.left(7);
        there(&view, 2, "b");
        there(&view, 4, "d");
        view.end();
        assert_eq!(heard(&view, &mut told), ["+c", "-c", "+d", "-a", "="]);
        there(&view, 2, "bob");
        there(&view, 2, "bob");
        view.reset();
        assert_eq!(heard(&view, &mut told), ["+bob", "-bob", "-d"]);
        view.close();
        let end = view.poll_next(&mut told, &mut Context::from_waker(Waker::noop()));
        assert_eq!(end, Poll::Ready(None));
    }

    #[test]
    fn who_does_not_listen_hears_the_difference() {
        let (view, mut told) = (View::default(), Told::default());
        view.begin();
        there(&view, 1, "a");
        there(&view, 2, "b");
        view.end();
        assert_eq!(heard(&view, &mut told), ["+a", "+b", "="]);
        for session in 0..10_000 {
            there(&view, 10 + session, "crowd");
            view.left(10 + session);
        }
        view.left(1);
        there(&view, 2, "bob");
        there(&view, 3, "c");
        assert!(view.lock().changes.len() <= PRESENCE_EVENTS_MAX);
        assert_eq!(heard(&view, &mut told), ["-a", "+bob", "+c", "="]);
        view.left(3);
        assert_eq!(heard(&view, &mut told), ["-c"]);
    }
}
