//! Presence: who has entered, told when asked and as it changes.

use crate::dialogue::Dialogue;
use workyard_channel_core::Census;

const NOBODY: &str = "0 by name, 0 by pattern, 0 groups [], 0 serve; 0 members [], next 0";

#[test]
fn members_are_listed_in_the_order_in_which_they_entered() {
    let mut talk = Dialogue::new();
    for (number, name) in [(3, "tom"), (1, "ann"), (2, "")] {
        talk.session(number).enters("room", name).done();
    }
    talk.session(9).looks_around("room", 0, 10).sees([
        "9: 0 by name, 0 by pattern, 0 groups [], 0 serve; 3 members [3 tom, 1 ann, 2 ], next 0",
    ]);
    talk.session(9).looks_around("other", 0, 10).sees([&format!("9: {NOBODY}")]);
    talk.session(1).leaves("room").done();
    talk.session(1).leaves("room").done();
    talk.session(9)
        .looks_around("room", 0, 10)
        .sees(["9: 0 by name, 0 by pattern, 0 groups [], 0 serve; 2 members [3 tom, 2 ], next 0"]);
    for number in [2, 3] {
        talk.session(number).closes().nothing();
    }
    assert_eq!(talk.census(), Census::default());
}

#[test]
fn everybody_else_is_counted() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1, 2], "a.b");
    talk.subscribe_all([2, 3], "~a.*, ~>");
    talk.subscribe_all([4, 5], "a.b@h");
    talk.subscribe_all([5], "~a.>@g, ~*.*@h");
    talk.subscribe_all([6], "other, ~other.>, other@g");
    talk.session(7).serves("a.b").done();
    talk.session(8).enters("a.b", "me").done();
    talk.session(9).looks_around("a.b", 0, 1).sees([
        "9: 2 by name, 4 by pattern, 3 groups [h: 3, g: 1], 1 serve; 1 members [8 me], next 0",
    ]);
}

#[test]
fn of_many_groups_a_hundred_are_listed() {
    let mut talk = Dialogue::new();
    for number in 0..150 {
        talk.session(number).subscribes(&format!("a@{number}")).done();
    }
    let page = talk.session(9).looks_around("a", 0, 1).texts().remove(0);
    assert!(page.contains("150 groups [0: 1, 1: 1, "), "{page}");
    assert_eq!(page.matches(": 1").count(), 100);
}

#[test]
fn a_page_goes_on_where_the_one_before_ended_whatever_happens_between() {
    let mut talk = Dialogue::new();
    for number in 1..=5 {
        talk.session(number).enters("room", "x").done();
    }
    let page = |members: &str, count: u32, next: u64| {
        format!(
            "9: 0 by name, 0 by pattern, 0 groups [], 0 serve; {count} members [{members}], next \
             {next}"
        )
    };
    talk.session(9).looks_around("room", 0, 2).sees([&page("1 x, 2 x", 5, 2)]);
    talk.session(2).leaves("room").done();
    talk.session(3).leaves("room").done();
    talk.session(1).leaves("room").done();
    talk.session(1).enters("room", "again").done();
    talk.session(9).looks_around("room", 2, 2).sees([&page("4 x, 5 x", 3, 5)]);
    talk.session(9).looks_around("room", 5, 2).sees([&page("1 again", 3, 0)]);
    talk.session(9).looks_around("room", u64::MAX, 2).sees([&page("", 3, 0)]);
}

#[test]
fn a_page_is_bounded_in_bytes_too() {
    let mut talk = Dialogue::new();
    let identity = "x".repeat(1024);
    for number in 0..600 {
        talk.session(number).enters("room", &identity).done();
    }
    let page = talk.session(9).looks_around("room", 0, 1000).texts().remove(0);
    assert!(page.contains("600 members") && page.ends_with("next 512"), "{}", &page[..100]);
    let page = talk.session(9).looks_around("room", 512, 1000).texts().remove(0);
    assert!(page.ends_with("next 0"));
    assert_eq!(page.matches(&identity).count(), 88);
}

#[test]
fn followers_are_told_of_every_change_until_they_follow_no_more() {
    let mut talk = Dialogue::new();
    talk.session(1).enters("room", "early").done();
    talk.session(8).follows("room").done();
    talk.session(9).follows("room").done();
    talk.session(9).follows("room").done();
    let told = ["2: done", "8 <- room: joined 2 tom", "9 <- room: joined 2 tom"];
    talk.session(2).enters("room", "tom").sees(told);
    talk.session(3).enters("other", "x").done();
    talk.session(9).follows_no_more("room").done();
    talk.session(9).follows_no_more("room").done();
    talk.session(2).enters("room", "thomas").sees(["2: done", "8 <- room: joined 2 thomas"]);
    talk.session(2).leaves("room").sees(["2: done", "8 <- room: left 2"]);
    talk.session(1).closes().sees(["8 <- room: left 1"]);
    talk.session(8).closes().nothing();
    talk.session(2).enters("room", "tom").done();
    assert_eq!((talk.census().followers, talk.census().visitors), (0, 2));
}

#[test]
fn who_enters_where_it_follows_is_told_of_itself() {
    let mut talk = Dialogue::new();
    talk.session(1).follows("room").done();
    talk.session(1).enters("room", "me").sees(["1: done", "1 <- room: joined 1 me"]);
    talk.session(1).leaves("room").sees(["1: done", "1 <- room: left 1"]);
    talk.session(1).enters("room", "me").sees(["1: done", "1 <- room: joined 1 me"]);
    talk.session(1).closes().nothing();
    assert_eq!(talk.census(), Census::default());
}

#[test]
fn a_follower_without_room_is_told_that_it_missed_something_and_goes_on() {
    let mut talk = Dialogue::new();
    for channel in ["a", "b", "c"] {
        talk.session(8).follows(channel).done();
        talk.session(9).follows(channel).done();
    }
    talk.session(8).fills_up();
    talk.session(1).enters("a", "x").sees(["1: done", "9 <- a: joined 1 x"]);
    talk.session(1).enters("b", "x").sees(["1: done", "9 <- b: joined 1 x"]);
    talk.session(1).leaves("a").sees(["1: done", "9 <- a: left 1"]);
    talk.session(8).drains().sees(["8 <- a: missed", "8 <- b: missed"]);
    let told = ["1: done", "8 <- a: joined 1 y", "9 <- a: joined 1 y"];
    talk.session(1).enters("a", "y").sees(told);
    talk.session(8).drains().nothing();
}

#[test]
fn presence_and_subscriptions_are_strangers() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "room");
    talk.session(2).enters("room", "tom").done();
    talk.session(9).publishes("room", "hi").sees(["1 <- room: hi", "9: published to 1"]);
    talk.session(1).unsubscribes("room").done();
    assert_eq!((talk.census().members, talk.census().channels), (1, 0));
}
