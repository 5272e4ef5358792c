//! Where one stands that follows with history, whatever comes between.

use super::*;
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot;
use workyard_protocol::Value;

const EPOCH: u64 = 7;

/// One that follows "a" with room for two messages, and its handle's side.
fn follower(last: u64) -> (Followers, Arc<Mailbox<Message>>) {
    following(Wanted::channel(b"a", None).unwrap(), last)
}

fn following(wanted: Wanted, last: u64) -> (Followers, Arc<Mailbox<Message>>) {
    let mut followers = Followers::default();
    let mailbox = add(&mut followers, 1, wanted, last);
    (followers, mailbox)
}

fn add(followers: &mut Followers, id: LocalId, wanted: Wanted, last: u64) -> Arc<Mailbox<Message>> {
    let mailbox = Arc::new(Mailbox::new(2, 1000));
    let what = ToFollow { id, wanted, last, mailbox: Arc::clone(&mailbox) };
    followers.add(what, oneshot::channel().0);
    followers.restart(id);
    followers.confirmed(id, EPOCH, 10);
    mailbox
}

fn message(sequence: u64) -> Message {
    Message::new(Bytes::from_static(b"a"), sequence, sequence, Value::Int(0))
}

/// A message that is not kept.
fn unkept(sequence: u64) -> Message {
    Message { position: 0, ..message(sequence) }
}

fn take(mailbox: &Mailbox<Message>) -> Message {
    take_for_room(mailbox).0
}

/// The next message, and whether the handle says that there is room.
fn take_for_room(mailbox: &Mailbox<Message>) -> (Message, bool) {
    match mailbox.poll_take_for_room(&mut Context::from_waker(Waker::noop())) {
        (Poll::Ready(Some(message)), has_room) => (message, has_room),
        other => panic!("{other:?}"),
    }
}

fn start(followers: &mut Followers) -> Start {
    followers.restart(1).unwrap().1
}

#[test]
fn what_is_on_its_way_when_the_handle_has_room_again_is_not_taken_for_the_next() {
    let (mut followers, mailbox) = follower(0);
    followers.caught_up(1, 10);
    assert!(followers.deliver(&message(11)).is_empty());
    assert!(followers.deliver(&message(12)).is_empty());
    assert_eq!(followers.deliver(&message(13)), [1]);
    followers.stall(1);
    assert!(!followers.wait_for_room(1, message(13).byte_len()));
    assert!(take_for_room(&mailbox).1, "the handle says so");
    assert!(followers.deliver(&message(14)).is_empty());
    assert_eq!(start(&mut followers), Start::Resume { replay: 2, epoch: EPOCH, mark: 12 });
}

#[test]
fn one_that_is_emptied_before_it_is_stalled_goes_on_at_once() {
    let (mut followers, mailbox) = follower(0);
    followers.caught_up(1, 10);
    for sequence in 11..=13 {
        followers.deliver(&message(sequence));
    }
    mailbox.drain();
    followers.stall(1);
    assert!(followers.wait_for_room(1, message(13).byte_len()));
    let taken = mailbox.poll_take_for_room(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(taken, (Poll::Pending, false)), "the handle has nothing to say");
}

#[test]
fn one_that_has_no_room_for_a_large_message_does_not_ask_for_it_before_it_has() {
    let (mut followers, mailbox) = follower(0);
    followers.caught_up(1, 10);
    let large = Message { value: Value::raw(vec![0; 1000]), ..message(12) };
    assert!(followers.deliver(&message(11)).is_empty());
    assert_eq!(followers.deliver(&large), [1]);
    followers.stall(1);
    assert!(!followers.wait_for_room(1, large.byte_len()), "half is free, but not enough");
    assert!(take_for_room(&mailbox).1, "the handle says so");
}

#[test]
fn the_last_messages_are_asked_for_again_until_the_first_of_them_has_come() {
    let (mut followers, _) = follower(5);
    followers.interrupted();
    assert_eq!(start(&mut followers), Start::Last { replay: 2, count: 5 });
    followers.confirmed(1, EPOCH, 12);
    followers.replayed(2, &message(9));
    followers.interrupted();
    assert_eq!(start(&mut followers), Start::Resume { replay: 3, epoch: EPOCH, mark: 9 });
}

#[test]
fn one_that_had_no_room_before_it_began_asks_for_the_last_messages_again() {
    let (mut followers, mailbox) = following(Wanted::pattern(b"*", None).unwrap(), 5);
    assert!(followers.deliver(&unkept(11)).is_empty());
    assert!(followers.deliver(&unkept(12)).is_empty());
    followers.replayed(1, &message(8));
    followers.stall(1);
    assert_eq!(start(&mut followers), Start::Last { replay: 2, count: 5 });
    followers.confirmed(1, EPOCH, 12);
    assert_eq!([take(&mailbox).sequence(), take(&mailbox).sequence()], [11, 12]);
    followers.replayed(2, &message(8));
    assert!(take(&mailbox).interrupted_before());
    assert_eq!(start(&mut followers), Start::Resume { replay: 3, epoch: EPOCH, mark: 8 });
}

#[test]
fn a_new_server_is_told_of_also_when_the_connection_is_lost_before_its_gap() {
    let (mut followers, mailbox) = follower(0);
    followers.caught_up(1, 10);
    followers.interrupted();
    assert_eq!(start(&mut followers), Start::Resume { replay: 2, epoch: EPOCH, mark: 10 });
    followers.confirmed(1, EPOCH + 1, 3);
    followers.interrupted();
    assert_eq!(start(&mut followers), Start::Resume { replay: 3, epoch: EPOCH + 1, mark: 0 });
    followers.confirmed(1, EPOCH + 1, 3);
    followers.replayed(3, &message(1));
    assert!(take(&mailbox).interrupted_before());
}

#[test]
fn what_is_not_kept_and_had_no_room_is_told_with_the_next_that_comes_after_it() {
    let (mut followers, mailbox) = following(Wanted::pattern(b"*", None).unwrap(), 0);
    followers.caught_up(1, 0);
    assert!(followers.deliver(&unkept(1)).is_empty());
    assert!(followers.deliver(&unkept(2)).is_empty());
    assert_eq!(followers.deliver(&unkept(3)), [1]);
    followers.stall(1);
    assert!(!take(&mailbox).interrupted_before());
    assert!(!take(&mailbox).interrupted_before());
    start(&mut followers);
    // On its way since before the server was asked to stop, and to go on.
    followers.deliver(&unkept(4));
    followers.confirmed(1, EPOCH, 0);
    followers.deliver(&unkept(6));
    assert!(take(&mailbox).interrupted_before());
    assert!(take(&mailbox).interrupted_before());
    followers.deliver(&unkept(7));
    assert!(!take(&mailbox).interrupted_before());
}

#[test]
fn what_is_not_kept_and_the_server_dropped_is_told() {
    let (mut followers, mailbox) = following(Wanted::pattern(b"*", None).unwrap(), 0);
    followers.caught_up(1, 0);
    assert_eq!(followers.dropped(Some(b"a")), [1]);
    followers.deliver(&unkept(3));
    assert!(take(&mailbox).interrupted_before());
}

#[test]
fn nothing_comes_before_the_server_has_subscribed_it() {
    let mailbox = Arc::new(Mailbox::new(2, 1000));
    let wanted = Wanted::pattern(b"*", None).unwrap();
    let mut followers = Followers::default();
    let what = ToFollow { id: 1, wanted, last: 0, mailbox: Arc::clone(&mailbox) };
    followers.add(what, oneshot::channel().0);
    followers.restart(1);
    followers.deliver(&unkept(1));
    assert!(mailbox.drain().is_empty());
}

#[test]
fn what_is_for_one_goes_to_one_with_room_and_is_counted_if_none_has() {
    let (mut followers, mailbox) = follower(0);
    let other = add(&mut followers, 2, Wanted::channel(b"a", None).unwrap(), 0);
    (0..5).for_each(|_| followers.deliver_one(&unkept(0)));
    take(&mailbox);
    followers.deliver_one(&unkept(0));
    let missed = [&mailbox, &mailbox, &other, &other].map(|mailbox| take(mailbox).missed_before());
    assert_eq!(missed, [0, 1, 0, 0]);
    let gaps: Vec<_> = followers.take_gaps().collect();
    assert_eq!(gaps, [(Bytes::from_static(b"a"), None, 1)]);
}
