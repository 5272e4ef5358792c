//! Messages that wait to be written. One counts until it was written whole, or given up.

use crate::limits::CUTS_MAX;
use crate::message::Message;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, Semaphore};

#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<VecDeque<Queued>>,
    /// Messages that were cut in two too often.
    given_up: Mutex<Vec<Message>>,
    places: Semaphore,
    places_max: usize,
    bytes: Semaphore,
    bytes_max: usize,
    readable: Notify,
    settled: Notify,
}

/// A message, and how many connections have ended in the midst of it.
#[derive(Debug)]
struct Queued {
    message: Message,
    cuts: u32,
}

impl Queue {
    /// For so many messages, and for so many bytes, which are fewer than 2^32. A message of more than that has to
    /// be alone.
    pub(crate) fn new(places_max: usize, bytes_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            given_up: Mutex::default(),
            places: Semaphore::new(places_max),
            places_max,
            bytes: Semaphore::new(bytes_max),
            bytes_max,
            readable: Notify::new(),
            settled: Notify::new(),
        }
    }

    /// Adds a message as soon as there is a place.
    pub(crate) async fn push(&self, message: Message) {
        // In this order: whoever gives up waiting has never had a place.
        let bytes = self.bytes.acquire_many(self.weight(&message)).await;
        let place = self.places.acquire().await;
        bytes.expect("nobody closes the semaphore").forget();
        place.expect("nobody closes the semaphore").forget();
        self.add(message);
    }

    /// Adds a message if there is a place; whether there was one.
    pub(crate) fn try_push(&self, message: Message) -> bool {
        let bytes = self.bytes.try_acquire_many(self.weight(&message));
        let (Ok(bytes), Ok(place)) = (bytes, self.places.try_acquire()) else { return false };
        bytes.forget();
        place.forget();
        self.add(message);
        true
    }

    /// The next message. Dropped before it was [written](Taken::written), it is the next again.
    pub(crate) async fn next(&self) -> Taken<'_> {
        loop {
            let readable = self.readable.notified();
            if let Some(queued) = self.waiting().pop_front() {
                return Taken { queue: self, queued: Some(queued), begun: false };
            }
            readable.await;
        }
    }

    /// Takes back a message that is not being written; whether it was there.
    pub(crate) fn withdraw(&self, is_it: impl Fn(&Message) -> bool) -> bool {
        let mut waiting = self.waiting();
        let place = waiting.iter().position(|queued| is_it(&queued.message));
        let Some(queued) = place.and_then(|place| waiting.remove(place)) else { return false };
        drop(waiting);
        self.settle(&queued.message);
        true
    }

    /// The messages that were given up since the last time.
    pub(crate) fn take_given_up(&self) -> Vec<Message> {
        std::mem::take(&mut *self.given_up())
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

    fn settle(&self, message: &Message) {
        self.bytes.add_permits(self.weight(message) as usize);
        self.places.add_permits(1);
        self.settled.notify_waiters();
    }

    fn weight(&self, message: &Message) -> u32 {
        weight(message, self.bytes_max)
    }

    fn add(&self, message: Message) {
        self.waiting().push_back(Queued { message, cuts: 0 });
        self.readable.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Queued>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn given_up(&self) -> MutexGuard<'_, Vec<Message>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many of so many bytes a message takes.
pub(crate) fn weight(message: &Message, bytes_max: usize) -> u32 {
    u32::try_from(message.length().min(bytes_max)).expect("bounds are below 2^32")
}

/// A message that is being written.
pub(crate) struct Taken<'a> {
    queue: &'a Queue,
    queued: Option<Queued>,
    begun: bool,
}

impl Taken<'_> {
    pub(crate) fn message(&self) -> &Message {
        &self.queued.as_ref().expect("it is there until it was written").message
    }

    /// The system has the beginning of it: an end of the connection cuts it in two from now on.
    pub(crate) fn begun(&mut self) {
        self.begun = true;
    }

    /// The system has all of it.
    pub(crate) fn written(mut self) {
        if let Some(queued) = self.queued.take() {
            self.queue.settle(&queued.message);
        }
    }
}

/// A message that was written in part only cannot be read by anybody: it may go to another peer. One that is cut
/// again and again is what ends the connections: it would keep all that come after it from their peers.
impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let Some(mut queued) = self.queued.take() else { return };
        queued.cuts += u32::from(self.begun);
        if queued.cuts >= CUTS_MAX {
            self.queue.settle(&queued.message);
            self.queue.given_up().push(queued.message);
        } else {
            self.queue.waiting().push_front(queued);
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
        let queue = Queue::new(2, 100);
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
        assert!(queue.withdraw(|message| *message == "d".into()));
        assert!(!queue.withdraw(|message| *message == "d".into()));
        assert!(queue.try_push("f".into()) && !queue.try_push("g".into()));
        assert_eq!(*queue.next().await.message(), "e".into());
    }

    #[tokio::test]
    async fn bytes_count_beside_messages() {
        let queue = Queue::new(3, 10);
        assert!(queue.try_push("123456".into()) && !queue.try_push("12345".into()));
        assert!(queue.try_push("1234".into()) && !queue.try_push("1".into()));
        assert!(queue.withdraw(|message| *message == "1234".into()));
        queue.next().await.written();
        assert!(queue.is_empty());
        // One that is larger than all of it has it alone.
        assert!(queue.try_push("12345678901".into()) && !queue.try_push("1".into()));
        queue.next().await.written();
        queue.push("1234567890".into()).await;
        let given_up = timeout(Duration::from_millis(1), queue.push("1".into())).await;
        assert!(given_up.is_err());
        queue.next().await.written();
        queue.emptied().await;
        assert!(queue.try_push("1234567890".into()));
    }

    #[tokio::test]
    async fn a_message_that_is_cut_again_and_again_is_given_up() {
        let queue = Queue::new(1, 100);
        assert!(queue.try_push("large".into()));
        for _ in 0..10 {
            drop(queue.next().await);
        }
        for _ in 0..CUTS_MAX {
            assert!(queue.take_given_up().is_empty() && !queue.is_empty());
            queue.next().await.begun();
        }
        assert!(queue.is_empty());
        assert_eq!(queue.take_given_up(), ["large".into()]);
        assert!(queue.try_push("small".into()));
        assert_eq!(*queue.next().await.message(), "small".into());
    }

    #[tokio::test]
    async fn whoever_waits_gets_the_next() {
        let queue = Queue::new(100, 1000);
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
