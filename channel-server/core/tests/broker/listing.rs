//! Pages of queues.

use crate::dialogue::Dialogue;

#[test]
fn what_is_in_each_queue() {
    let mut talk = Dialogue::new();
    talk.session(1).lists("", 0, 10).sees(["1: next 0"]);
    talk.wait(1000);
    talk.session(1).consumes("mail", 1).done();
    talk.session(2).consumes("mail", 1).done();
    for job in 1..=4 {
        talk.wait(10);
        assert_eq!(talk.session(9).enqueues("mail", "x").texts()[0], format!("9: enqueued {job}"));
    }
    talk.session(9).enqueues("paint", "x").sees(["9: enqueued 5"]);
    talk.wait(5);
    talk.session(9).lists("", 0, 10).sees(["9: mail: ready 2 leased 2 consumers 2 oldest 15 ms; \
         paint: ready 1 leased 0 consumers 0 oldest 5 ms; next 0"]);
    talk.session(9)
        .lists("pa", 0, 10)
        .sees(["9: paint: ready 1 leased 0 consumers 0 oldest 5 ms; next 0"]);
    talk.session(1).cancels("mail").done();
    talk.session(1).closes().nothing();
    talk.session(9)
        .lists("mail", 0, 10)
        .sees(["9: mail: ready 3 leased 1 consumers 1 oldest 35 ms; next 0"]);
}

#[test]
fn pages_go_on_where_the_last_one_ended_whatever_comes_and_goes() {
    let mut talk = Dialogue::new();
    for queue in ["a", "b", "c", "d"] {
        talk.session(1).consumes(queue, 1).done();
    }
    let stats = "ready 0 leased 0 consumers 1 oldest 0 ms";
    let page = format!("9: a: {stats}; b: {stats}; next 2");
    talk.session(9).lists("", 0, 2).sees([&*page]);
    talk.session(1).cancels("a").done();
    talk.session(1).cancels("c").done();
    let page = format!("9: d: {stats}; next 0");
    talk.session(9).lists("", 2, 2).sees([&*page]);
    talk.session(9).lists("", u64::MAX, 2).sees(["9: next 0"]);
}

#[test]
fn a_page_looks_at_ten_thousand_slots_and_no_more() {
    let mut talk = Dialogue::new();
    for number in 0..10_000 {
        assert_eq!(talk.session(1).enqueues(&format!("x{number}"), "").texts().len(), 1);
    }
    talk.session(1).enqueues("rare", "").sees(["1: enqueued 10001"]);
    talk.session(1).lists("rare", 0, 5).sees(["1: next 10000"]);
    talk.session(1)
        .lists("rare", 10_000, 5)
        .sees(["1: rare: ready 1 leased 0 consumers 0 oldest 0 ms; next 0"]);
}

#[test]
fn a_page_of_long_names_fits_into_a_header() {
    let mut talk = Dialogue::new();
    let long = "n".repeat(4000);
    for number in 0..1000 {
        assert_eq!(talk.session(1).enqueues(&format!("{number}{long}"), "").texts().len(), 1);
    }
    let (mut cursor, mut listed) = (0, 0);
    loop {
        let page = talk.session(1).lists("", cursor, 1000).texts().remove(0);
        listed += page.matches("ready 1").count();
        let (_, next) = page.rsplit_once(' ').unwrap();
        cursor = next.parse().unwrap();
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(listed, 1000);
}
