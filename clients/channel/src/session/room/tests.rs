//! Buffers of every kind against a reader that takes now and then.

use super::*;
use crate::session::ToSubscribe;
use crate::wanted::Wanted;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use workyard_link::Mailbox;
use workyard_protocol::Value;

const CHANNELS: [&str; 3] = ["a", "b", "c"];

fn local(when_slow: WhenSlow, items_max: usize, bytes_max: usize) -> Local {
    Local::new(ToSubscribe {
        id: 1,
        wanted: Wanted::pattern(b"*", None).unwrap(),
        mailbox: Arc::new(Mailbox::new(items_max, bytes_max)),
        when_slow,
        too_slow: Arc::default(),
    })
}

fn message(channel: &'static str, sequence: u64, size: usize) -> Message {
    let value = Value::raw(vec![0; size]);
    Message::new(Bytes::from_static(channel.as_bytes()), sequence, 0, value)
}

fn take(local: &Local) -> Option<Message> {
    match local.mailbox.poll_take(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(message) => message,
        Poll::Pending => None,
    }
}

/// Numbers of one channel come; what is taken after them, with what is missing before each.
fn taken_after(when_slow: WhenSlow, numbers: u64) -> Vec<(u64, u64)> {
    let (mut local, mut lost) = (local(when_slow, 3, usize::MAX), Vec::new());
    for number in 1..=numbers {
        assert!(!local.offer(&message("a", number, 0), &mut lost));
    }
    let taken: Vec<_> = std::iter::from_fn(|| take(&local)).collect();
    let missed: u64 = taken.iter().map(Message::missed_before).sum();
    assert_eq!(missed, lost.len() as u64);
    taken.iter().map(|message| (message.sequence(), message.missed_before())).collect()
}

#[test]
fn the_oldest_go_and_the_next_one_tells() {
    assert_eq!(taken_after(WhenSlow::DropOldest, 3), [(1, 0), (2, 0), (3, 0)]);
    assert_eq!(taken_after(WhenSlow::DropOldest, 7), [(5, 4), (6, 0), (7, 0)]);
}

#[test]
fn only_the_latest_stays_once_there_is_no_room() {
    assert_eq!(taken_after(WhenSlow::Latest, 3), [(1, 0), (2, 0), (3, 0)]);
    assert_eq!(taken_after(WhenSlow::Latest, 4), [(4, 3)]);
}

#[test]
fn one_that_shall_lose_nothing_ends() {
    let (mut local, mut lost) = (local(WhenSlow::Disconnect, 2, usize::MAX), Vec::new());
    let ends: Vec<_> =
        (1..=3).map(|number| local.offer(&message("a", number, 0), &mut lost)).collect();
    assert_eq!(ends, [false, false, true]);
    assert_eq!(local.end_slow(), 1);
    let taken: Vec<_> = std::iter::from_fn(|| take(&local)).map(|one| one.sequence()).collect();
    assert_eq!(taken, [1, 2]);
    assert!(local.too_slow.load(std::sync::atomic::Ordering::Relaxed));
}

#[test]
fn a_message_takes_the_place_of_the_one_before_until_all_are_read() {
    let (mut local, mut lost) = (local(WhenSlow::Latest, 4, usize::MAX), Vec::new());
    let mut offer = |local: &mut Local, channel, number| {
        assert!(!local.offer(&message(channel, number, 0), &mut lost));
    };
    for (channel, number) in [("a", 1), ("b", 1), ("a", 2), ("c", 1), ("b", 2)] {
        offer(&mut local, channel, number);
    }
    // Room for one more is there, and still only the latest of each is kept.
    offer(&mut local, "c", 2);
    let told = |message: Message| {
        let numbers = message.missed_numbers_before();
        (message.channel_str().into_owned(), message.sequence(), numbers)
    };
    assert_eq!(told(take(&local).unwrap()), ("a".to_owned(), 2, Some(1..=1)));
    offer(&mut local, "c", 3);
    let rest: Vec<_> = std::iter::from_fn(|| take(&local)).map(told).collect();
    assert_eq!(rest, [("b".to_owned(), 2, Some(1..=1)), ("c".to_owned(), 3, Some(1..=2))]);
    // All is read: from here on all come again.
    for number in 4..=5 {
        offer(&mut local, "c", number);
    }
    let rest: Vec<_> = std::iter::from_fn(|| take(&local)).map(told).collect();
    assert_eq!(rest, [("c".to_owned(), 4, None), ("c".to_owned(), 5, None)]);
}

#[derive(Clone, Debug)]
enum Step {
    Offer(&'static str, usize),
    /// The server has lost some.
    Gap(&'static str, u64),
    Take(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (select(&CHANNELS[..]), select(vec![0, 0, 10, 3000]))
            .prop_map(|(channel, size)| Step::Offer(channel, size)),
        1 => (select(&CHANNELS[..]), 1..4u64).prop_map(|(channel, count)| Step::Gap(channel, count)),
        2 => (1..6usize).prop_map(Step::Take),
    ]
}

proptest! {
    #[test]
    fn nothing_is_lost_uncounted_and_no_order_is_changed(
        when_slow in select(vec![WhenSlow::DropNewest, WhenSlow::Latest, WhenSlow::DropOldest]),
        items_max in 1..6usize,
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut local = local(when_slow, items_max, 4000);
        let (mut lost, mut server_lost) = (Vec::new(), 0);
        let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        let (mut had, mut missed) = (0, 0);
        let mut read = |local: &Local, count: usize| {
            for message in std::iter::from_fn(|| take(local)).take(count) {
                let last = last.entry(message.channel_str().into_owned()).or_default();
                assert!(*last < message.sequence(), "{message:?} after {last}");
                if let Some(missed) = message.missed_numbers_before() {
                    assert!(*last < *missed.start() && *missed.end() < message.sequence());
                }
                *last = message.sequence();
                had += 1;
                missed += message.missed_before();
            }
        };
        for step in steps {
            match step {
                Step::Offer(channel, size) => {
                    let number = numbers.entry(channel).or_default();
                    *number += 1;
                    prop_assert!(!local.offer(&message(channel, *number, size), &mut lost));
                }
                Step::Gap(channel, count) => {
                    let number = numbers.entry(channel).or_default();
                    let name = Bytes::from_static(channel.as_bytes());
                    local.missed.add(Some(&name), *number + 1, *number + count, count);
                    *number += count;
                    server_lost += count;
                }
                Step::Take(count) => read(&local, count),
            }
        }
        read(&local, usize::MAX);
        // One more, which has room and tells of whatever was not told yet.
        prop_assert!(!local.offer(&message("d", 1, 0), &mut lost));
        read(&local, usize::MAX);
        let published: u64 = numbers.values().sum::<u64>() + 1;
        prop_assert_eq!(had + missed, published);
        prop_assert_eq!(missed, lost.len() as u64 + server_lost);
    }
}
