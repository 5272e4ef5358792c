//! Messages that wait to be written. One counts until it was written whole, or given up.

use crate::message::Message;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, Semaphore};

#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<VecDeque<Message>>,
    places: Semaphore,
    places_max: usize,
    readable: Notify,
    settled: Notify,
}

impl Queue {
    pub(crate) fn new(places_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            places: Semaphore::new(places_max),
            places_max,
            readable: Notify::new(),
            settled: Notify::new(),
        }
    }

    /// Adds a message as soon as there is a place.
    pub(crate) async fn push(&self, message: Message) {
        let place = self.places.acquire().await;
        place.expect("nobody closes the semaphore").forget();
        self.add(message);
    }

    /// Adds a message if there is a place; whether there was one.
    pub(crate) fn try_push(&self, message: Message) -> bool {
        let Ok(place) = self.places.try_acquire() else { return false };
        place.forget();
        self.add(message);
        true
    }

    /// The next message. Dropped before it was [written](Taken::written), it is the next again.
    pub(crate) async fn next(&self) -> Taken<'_> {
        loop {
            let readable = self.readable.notified();
            if let Some(message) = self.waiting().pop_front() {
                return Taken { queue: self, message: Some(message) };
            }
            readable.await;
        }
    }

    /// Takes back a message that nobody has begun to write.
    pub(crate) fn withdraw(&self, is_it: impl Fn(&Message) -> bool) {
        let mut waiting = self.waiting();
        if let Some(place) = waiting.iter().position(is_it) {
            waiting.remove(place);
            drop(waiting);
            self.settle();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.available_permits() == self.places_max
    }

    /// Returns when all messages were written.
    pub(crate) async fn emptied(&self) {
        loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            settled.as_mut().enable();
            if self.is_empty() {
                return;
            }
            settled.await;
        }
    }

    fn settle(&self) {
        self.places.add_permits(1);
        self.settled.notify_waiters();
    }

    fn add(&self, message: Message) {
        self.waiting().push_back(message);
        self.readable.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Message>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message that is being written.
pub(crate) struct Taken<'a> {
    queue: &'a Queue,
    message: Option<Message>,
}

impl Taken<'_> {
    pub(crate) fn message(&self) -> &Message {
        self.message.as_ref().expect("it is there until it was written")
    }

    /// The system has all of it.
    pub(crate) fn written(mut self) {
        self.message = None;
        self.queue.settle();
    }
}

/// A message that was written in part only cannot be read by anybody: it may go to another peer.
impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.queue.waiting().push_front(message);
            self.queue.readable.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn a_message_counts_until_it_was_written() {
        let queue = Queue::new(2);
        assert!(queue.try_push("a".into()) && queue.try_push("b".into()));
        assert!(!queue.try_push("c".into()));
        let second = Duration::from_secs(1);
        assert!(timeout(second, queue.push("c".into())).await.is_err());
        let taken = queue.next().await;
        assert_eq!(*taken.message(), "a".into());
        assert!(!queue.try_push("c".into()));
        drop(taken);
        let taken = queue.next().await;
        assert_eq!(*taken.message(), "a".into());
        taken.written();
        assert!(queue.try_push("c".into()));
        for expected in ["b", "c"] {
            assert!(timeout(second, queue.emptied()).await.is_err());
            let taken = queue.next().await;
            assert_eq!(*taken.message(), expected.into());
            taken.written();
        }
        queue.emptied().await;
        assert!(timeout(second, queue.next()).await.is_err());
        assert!(queue.try_push("d".into()) && queue.try_push("e".into()));
        queue.withdraw(|message| *message == "d".into());
        queue.withdraw(|message| *message == "d".into());
        assert!(queue.try_push("f".into()) && !queue.try_push("g".into()));
        assert_eq!(*queue.next().await.message(), "e".into());
    }

    #[tokio::test]
    async fn whoever_waits_gets_the_next() {
        let queue = Queue::new(100);
        let take = async || {
            for _ in 0..50 {
                queue.next().await.written();
                tokio::task::yield_now().await;
            }
        };
        let give = async {
            for number in 0..100 {
                queue.push(number.to_string().into()).await;
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(take(), take(), give);
        assert!(queue.is_empty());
    }
}
