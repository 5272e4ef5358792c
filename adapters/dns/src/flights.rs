//! Questions under way, so that who asks the same shares the answer.

use crate::question::Question;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Goes on as long as somebody waits for it, whoever began it; when nobody does, it is given up, unless it
/// is seen through.
type Flight<T> = Shared<BoxFuture<'static, T>>;

/// The questions under way.
pub(crate) struct Flights<T: Clone>(Arc<Mutex<Table<T>>>);

struct Table<T: Clone> {
    next: u64,
    flights: HashMap<Question, Entry<T>>,
}

struct Entry<T: Clone> {
    number: u64,
    flight: WeakShared<BoxFuture<'static, T>>,
    is_seen_through: bool,
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Table { next: 0, flights: HashMap::new() })))
    }

    /// The answer of whoever asks that already, or of `ask`.
    pub(crate) fn join<F>(&self, question: &Question, ask: impl FnOnce() -> F) -> Flight<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut table = lock(&self.0);
        let under_way = table.flights.get(question).and_then(|entry| entry.flight.upgrade());
        if let Some(flight) = under_way {
            return flight;
        }
        let number = table.next;
        table.next += 1;
        let landing = Landing { table: Arc::clone(&self.0), question: question.clone(), number };
        let asked = ask();
        let flight = async move {
            let _landing = landing;
            asked.await
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            let entry = Entry { number, flight: weak, is_seen_through: false };
            table.flights.insert(question.clone(), entry);
        }
        flight
    }

    /// Sees one under way to its end, whether anybody waits for it or not.
    pub(crate) fn see_through(&self, question: &Question) {
        let mut table = lock(&self.0);
        let Some(entry) = table.flights.get_mut(question) else { return };
        // One task for each, however many ask for it.
        let is_new = !mem::replace(&mut entry.is_seen_through, true);
        let flight = entry.flight.upgrade().filter(|_| is_new);
        drop(table);
        if let Some(flight) = flight {
            tokio::spawn(flight);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        lock(&self.0).flights.len()
    }
}

/// Takes a flight out of the table when it has ended, or nobody waits for it any more.
struct Landing<T: Clone> {
    table: Arc<Mutex<Table<T>>>,
    question: Question,
    number: u64,
}

impl<T: Clone> Drop for Landing<T> {
    fn drop(&mut self) {
        let mut table = lock(&self.table);
        // Another one may have begun since nobody waited for this.
        if table.flights.get(&self.question).is_some_and(|entry| entry.number == self.number) {
            table.flights.remove(&self.question);
        }
    }
}

fn lock<T: Clone>(table: &Mutex<Table<T>>) -> MutexGuard<'_, Table<T>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::rr::RecordType;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::time::{sleep, timeout};

    const SECOND: Duration = Duration::from_secs(1);

    struct Asked(Flights<usize>, Arc<AtomicUsize>);

    impl Asked {
        fn new() -> Self {
            Self(Flights::new(), Arc::default())
        }

        fn count(&self) -> usize {
            self.1.load(Ordering::SeqCst)
        }

        fn ask(&self, name: &str) -> Flight<usize> {
            let (count, question) =
                (Arc::clone(&self.1), Question::new(name, RecordType::A).unwrap());
            self.0.join(&question, || async move {
                let number = count.fetch_add(1, Ordering::SeqCst);
                sleep(SECOND).await;
                number
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_the_same_shares_the_answer() {
        let asked = Asked::new();
        let all = (0..100).map(|number| asked.ask(["a", "A"][number % 2])).collect::<Vec<_>>();
        let other = asked.ask("b");
        assert_eq!(asked.0.count(), 2);
        assert!(futures_util::future::join_all(all).await.iter().all(|number| *number == 0));
        assert_eq!(other.await, 1);
        assert_eq!((asked.0.count(), asked.count()), (0, 2));
        assert_eq!(asked.ask("a").await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_when_who_began_it_gives_up() {
        let asked = Asked::new();
        let (first, second) = (asked.ask("a"), asked.ask("a"));
        timeout(SECOND / 2, first).await.unwrap_err();
        assert_eq!(timeout(SECOND * 6 / 10, second).await.unwrap(), 0);
        assert_eq!(asked.count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_given_up_when_nobody_waits() {
        let asked = Asked::new();
        let (first, second) = (asked.ask("a"), asked.ask("a"));
        timeout(SECOND / 2, first).await.unwrap_err();
        drop(second);
        assert_eq!(asked.0.count(), 0);
        drop(asked.ask("never-polled"));
        assert_eq!((asked.0.count(), asked.ask("a").await), (0, 1));
    }
}
