//! Dead letters: what is known of them, and another chance.

use crate::dialogue::Dialogue;
use workyard_channel_core::BrokerLimits;
use workyard_protocol::channel::QueueSettings;

/// A broker that gives a job up after so many attempts.
fn talk(attempts: u32) -> Dialogue {
    Dialogue::with(BrokerLimits { job_attempts_max: attempts, ..BrokerLimits::default() })
}

#[test]
fn a_dead_letter_knows_how_and_why_it_died() {
    let mut talk = talk(1);
    for text in ["a", "b", "c"] {
        talk.session(9).enqueues("q", text).texts();
    }
    talk.session(1).consumes("q", 2).sees(["1: done", "1 <- job 1 of q: a", "1 <- job 2 of q: b"]);
    talk.session(1).nacks_because(2, None, "no route").sees(["1: done", "1 <- job 3 of q: c"]);
    talk.wait(10);
    talk.session(1).closes().nothing();
    talk.wait(5);
    talk.session(9).lists_dead("q", 0, 9).sees(["9: 1 after 1 by Disconnect () 5 ms ago; \
         2 after 1 by Nack (no route) 15 ms ago; 3 after 1 by Disconnect () 5 ms ago; next 0"]);
    talk.session(9).lists_dead("q", 0, 2).sees(["9: 1 after 1 by Disconnect () 5 ms ago; \
         2 after 1 by Nack (no route) 15 ms ago; next 3"]);
    talk.session(9).lists_dead("q", 3, 2).sees(["9: 3 after 1 by Disconnect () 5 ms ago; next 0"]);
    talk.session(9).lists_dead("q.dead", 0, 2).sees(["9: next 0"]);
    let stats = "9: q.dead: ready 3 leased 0 consumers 0 oldest 15 ms; next 0";
    talk.session(9).lists("", 0, 9).sees([stats]);
    talk.session(8).consumes("q", 1).done();
    let stats = "9: q: ready 0 leased 0 consumers 1 oldest 0 ms; delayed 0 dead 3; next 0";
    talk.session(9).lists("q", 0, 9).texts();
    assert!(talk.session(9).lists("q", 0, 9).texts()[0].contains(&stats[3..stats.len() - 8]));
}

#[test]
fn a_job_whose_leases_run_out_too_often_is_a_dead_letter() {
    let mut talk = talk(2);
    talk.session(9).enqueues("q", "x").texts();
    for session in 1..=2 {
        assert_eq!(talk.session(session).consumes("q", 1).texts().len(), 2);
        talk.wait(30_000);
        talk.expires().nothing();
        talk.session(session).cancels("q").done();
    }
    talk.session(9).lists_dead("q", 0, 9).sees(["9: 1 after 2 by Expiry () 0 ms ago; next 0"]);
}

#[test]
fn dead_letters_get_another_chance_in_their_order_as_if_they_were_new() {
    let mut talk = talk(1);
    for text in ["a", "b", "c"] {
        talk.session(9).enqueues_as("q", text, 5).texts();
    }
    talk.session(1).consumes("q", 2).texts();
    talk.session(1).nacks_because(2, None, "why").texts();
    talk.session(1).nacks(1).texts();
    talk.session(1).closes().nothing();
    assert_eq!(talk.census().ready, 3);
    talk.session(9).redrives("q", 0, 2).sees(["9: 2 jobs, next 3"]);
    talk.session(2).consumes("q", 9).sees(["2: done", "2 <- job 1 of q: a", "2 <- job 2 of q: b"]);
    talk.session(9).redrives("q", 3, 2).sees(["9: 1 jobs, next 0", "2 <- job 3 of q: c"]);
    talk.session(9).redrives("q", 0, 2).sees(["9: 0 jobs, next 0"]);
    talk.session(2).nacks(2).done();
    talk.session(9).lists_dead("q", 0, 9).sees(["9: 2 after 1 by Nack () 0 ms ago; next 0"]);
    talk.session(2).acks(1).done();
    talk.session(2).acks(3).done();
    talk.session(2).closes().nothing();
    talk.session(9).removes("q.dead", 2).sees(["9: 1 jobs, next 0"]);
    assert_eq!((talk.census().queues, talk.census().job_bytes), (0, 0), "reasons included");
}

#[test]
fn a_redrive_stops_where_there_is_no_more_room() {
    let mut talk = talk(1);
    for text in ["a", "b", "c"] {
        talk.session(9).enqueues("q", text).texts();
    }
    talk.session(1).consumes("q", 3).texts();
    talk.session(1).closes().nothing();
    let settings = QueueSettings { jobs_max: Some(2), ..QueueSettings::default() };
    talk.session(9).configures("q", settings).done();
    talk.session(9).redrives("q", 0, 9).sees(["9: 2 jobs, next 3"]);
    let refused = ["9: LimitReached: the queue's own jobs_max of 2 is reached"];
    talk.session(9).redrives("q", 3, 9).sees(refused);
    assert_eq!(talk.census().ready, 3);
}

#[test]
fn dead_letters_are_consumed_as_other_jobs_are() {
    let mut talk = talk(1);
    talk.session(9).enqueues("q", "a").texts();
    talk.session(1).consumes("q", 1).texts();
    talk.session(1).nacks(1).done();
    let dead = "1 <- job 1 of q.dead: a (attempt 2)";
    talk.session(1).consumes("q.dead", 1).sees(["1: done", dead]);
    talk.session(9).redrives("q", 0, 9).sees(["9: 0 jobs, next 0"]);
    talk.session(9).lists_dead("q", 0, 9).sees(["9: next 0"]);
    talk.session(1).nacks_because(1, Some(100), "not now").done();
    talk.session(9).lists_dead("q", 0, 9).sees(["9: 1 after 2 by Nack (not now) 0 ms ago; next 0"]);
    talk.session(9).redrives("q", 0, 9).sees(["9: 1 jobs, next 0", "1 <- job 1 of q: a"]);
    talk.wait(100);
    talk.expires().nothing();
}

#[test]
fn a_page_of_long_reasons_fits_into_a_header() {
    let mut talk = talk(1);
    let reason = "r".repeat(1024);
    talk.session(1).consumes("q", 1).done();
    for job in 1..=1000 {
        talk.session(9).enqueues("q", "").texts();
        talk.session(1).nacks_because(job, None, &reason).done();
    }
    let (mut cursor, mut listed) = (0, 0);
    loop {
        let page = talk.session(9).lists_dead("q", cursor, 1000).texts().remove(0);
        listed += page.matches(" by Nack ").count();
        let (_, next) = page.rsplit_once(' ').unwrap();
        cursor = next.parse().unwrap();
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(listed, 1000);
}
