//! The buffer between the connection's task and one receiver: bounded, and never waited for.

mod items;

pub use items::Items;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What the task puts in, and one receiver takes out. When it is full the task does not wait: it knows better
/// what to do about it.
#[derive(Debug)]
pub struct Mailbox<T> {
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    items: Items<T>,
    closed: bool,
    waker: Option<Waker>,
    /// For so many bytes, and for half of all, whoever puts in waits for room.
    wanted: Option<usize>,
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
        let items = Items::new(items_max, bytes_max);
        let inner = Inner { items, closed: false, waker: None, wanted: None };
        Self { inner: Mutex::new(inner) }
    }

    /// Puts an item in, if there is room. One that alone is above the limit fits into an empty
    /// mailbox: it could never be received otherwise.
    pub fn offer(&self, bytes: usize, item: T) -> Offered {
        let mut inner = self.lock();
        match (inner.closed, inner.items.fits(bytes)) {
            (true, _) => Offered::Closed,
            (false, false) => Offered::Full,
            (false, true) => {
                inner.items.push(bytes, item);
                Self::wake(inner);
                Offered::Taken
            }
        }
    }

    /// Puts an item in that was asked for while there was room, and is bounded by that.
    pub fn insist(&self, bytes: usize, item: T) {
        self.change(|items| {
            items.push(bytes, item);
        });
    }

    /// Makes room and puts something in by a rule of the caller's, who must not wait in it. Returns whether
    /// anybody will take it.
    pub fn change(&self, rule: impl FnOnce(&mut Items<T>)) -> bool {
        let mut inner = self.lock();
        if inner.closed {
            return false;
        }
        rule(&mut inner.items);
        Self::wake(inner);
        true
    }

    /// Whether an item would be taken.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        let inner = self.lock();
        !inner.closed && inner.items.fits(bytes)
    }

    /// Whether nothing is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().items.is_empty()
    }

    /// Waits for room for so much, and for half of either bound, so that it is not waited for again at
    /// once. Returns whether it is there already; else the receiver is told, by
    /// [`poll_take_for_room`](Self::poll_take_for_room), and has to pass it on.
    #[must_use]
    pub fn wait_for_room(&self, bytes: usize) -> bool {
        let mut inner = self.lock();
        inner.wanted = Some(bytes);
        inner.has_room_again()
    }

    /// The next item; nothing when the mailbox is closed and empty.
    pub fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.lock().poll_take(cx)
    }

    /// The same, and whether there is room now that was waited for. It is said once.
    pub fn poll_take_for_room(&self, cx: &mut Context<'_>) -> (Poll<Option<T>>, bool) {
        let mut inner = self.lock();
        (inner.poll_take(cx), inner.has_room_again())
    }

    /// Takes out everything that is in.
    pub fn drain(&self) -> Vec<T> {
        self.lock().items.take_all()
    }

    /// Lets nothing more in. What is in can still be taken.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        Self::wake(inner);
    }

    fn wake(mut inner: MutexGuard<'_, Inner<T>>) {
        let waker = inner.waker.take();
        drop(inner);
        waker.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Each step of what runs under the lock leaves a whole state behind.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Inner<T> {
    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match self.items.pop() {
            Some(item) => Poll::Ready(Some(item)),
            None if self.closed => Poll::Ready(None),
            None => {
                match &mut self.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
        }
    }

    fn has_room_again(&mut self) -> bool {
        let is_there = |bytes: &mut usize| self.items.is_half_empty() && self.items.fits(*bytes);
        !self.closed && self.wanted.take_if(is_there).is_some()
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
    fn who_waits_for_room_is_told_once_that_half_is_free_and_enough_for_what_is_to_come() {
        let mailbox = Mailbox::new(4, 10);
        let take = || mailbox.poll_take_for_room(&mut Context::from_waker(Waker::noop()));
        [1, 2, 3, 4].into_iter().for_each(|item| _ = mailbox.offer(2, item));
        assert_eq!(take(), (Poll::Ready(Some(1)), false), "nobody waits");
        assert!(!mailbox.wait_for_room(7), "three are in, of four");
        assert_eq!(take(), (Poll::Ready(Some(2)), false), "half is free, but not seven bytes");
        assert_eq!(take(), (Poll::Ready(Some(3)), true));
        assert_eq!(take(), (Poll::Ready(Some(4)), false), "it was said");
        assert!(mailbox.wait_for_room(11), "alone, any size fits");
        assert_eq!(take(), (Poll::Pending, false), "it was said");
        mailbox.offer(6, 5);
        assert!(!mailbox.wait_for_room(1), "not half of the bytes are free");
        mailbox.close();
        assert_eq!(take(), (Poll::Ready(Some(5)), false), "nothing comes any more");
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
