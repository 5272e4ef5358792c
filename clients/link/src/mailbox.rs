//! The buffer between the connection's task and one receiver: bounded, and never waited for.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What the task puts in, and one receiver takes out. When it is full the task does not wait: it knows better
/// what to do about it.
#[derive(Debug)]
pub struct Mailbox<T> {
    items_max: usize,
    bytes_max: usize,
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    items: VecDeque<(usize, T)>,
    bytes: usize,
    closed: bool,
    waker: Option<Waker>,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It is in.
    Taken,
    /// There was no room.
    Full,
    /// Nobody will take items any more.
    Closed,
}

impl<T> Mailbox<T> {
    /// An empty one for so many items, and so many bytes of them.
    #[must_use]
    pub fn new(items_max: usize, bytes_max: usize) -> Self {
        let inner = Inner { items: VecDeque::new(), bytes: 0, closed: false, waker: None };
        Self { items_max, bytes_max, inner: Mutex::new(inner) }
    }

    /// Puts an item in, if there is room. One that alone is above the limit fits into an empty
    /// mailbox: it could never be received otherwise.
    pub fn offer(&self, bytes: usize, item: T) -> Offered {
        let inner = self.lock();
        match (inner.closed, self.fits(&inner, bytes)) {
            (true, _) => Offered::Closed,
            (false, false) => Offered::Full,
            (false, true) => {
                Self::put(inner, bytes, item);
                Offered::Taken
            }
        }
    }

    /// Puts an item in that was asked for while there was room, and is bounded by that.
    pub fn insist(&self, bytes: usize, item: T) {
        let inner = self.lock();
        if !inner.closed {
            Self::put(inner, bytes, item);
        }
    }

    fn put(mut inner: MutexGuard<'_, Inner<T>>, bytes: usize, item: T) {
        inner.bytes += bytes;
        inner.items.push_back((bytes, item));
        let waker = inner.waker.take();
        drop(inner);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether an item would be taken.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        let inner = self.lock();
        !inner.closed && self.fits(&inner, bytes)
    }

    /// Whether nothing is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().items.is_empty()
    }

    /// Whether items are taken, and at most half of either bound is used.
    #[must_use]
    pub fn is_half_empty(&self) -> bool {
        let inner = self.lock();
        let is_half_empty =
            inner.items.len() <= self.items_max / 2 && inner.bytes <= self.bytes_max / 2;
        is_half_empty && !inner.closed
    }

    /// The next item; nothing when the mailbox is closed and empty.
    pub fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut inner = self.lock();
        match inner.items.pop_front() {
            Some((bytes, item)) => {
                inner.bytes -= bytes;
                Poll::Ready(Some(item))
            }
            None if inner.closed => Poll::Ready(None),
            None => {
                match &mut inner.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
        }
    }

    /// Takes out everything that is in.
    pub fn drain(&self) -> Vec<T> {
        let mut inner = self.lock();
        inner.bytes = 0;
        inner.items.drain(..).map(|(_, item)| item).collect()
    }

    /// Lets nothing more in. What is in can still be taken.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        let waker = inner.waker.take();
        drop(inner);
        waker.into_iter().for_each(Waker::wake);
    }

    fn fits(&self, inner: &Inner<T>, bytes: usize) -> bool {
        let room = inner.bytes.saturating_add(bytes) <= self.bytes_max || inner.items.is_empty();
        room && inner.items.len() < self.items_max
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // No code of others runs under the lock: whatever panicked left a whole state behind.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(mailbox: &Mailbox<u32>) -> Poll<Option<u32>> {
        mailbox.poll_take(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn items_and_bytes_are_bounded() {
        let mailbox = Mailbox::new(3, 10);
        assert_eq!(mailbox.offer(100, 1), Offered::Taken, "alone, any size fits");
        assert_eq!(mailbox.offer(1, 2), Offered::Full);
        assert_eq!(take(&mailbox), Poll::Ready(Some(1)));
        for (bytes, item) in [(4, 3), (4, 4)] {
            assert_eq!(mailbox.offer(bytes, item), Offered::Taken);
        }
        assert_eq!(mailbox.offer(3, 5), Offered::Full);
        assert_eq!(mailbox.offer(2, 6), Offered::Taken);
        assert_eq!(mailbox.offer(0, 7), Offered::Full, "three are the most");
        assert_eq!(mailbox.drain(), [3, 4, 6]);
        assert!(mailbox.has_room(10));
    }

    #[test]
    fn what_was_in_when_it_closed_can_be_taken() {
        let mailbox = Mailbox::new(3, 10);
        mailbox.offer(1, 1);
        mailbox.close();
        assert_eq!(mailbox.offer(1, 2), Offered::Closed);
        assert_eq!(take(&mailbox), Poll::Ready(Some(1)));
        assert_eq!(take(&mailbox), Poll::Ready(None));
    }
}
