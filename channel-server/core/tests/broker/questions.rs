//! Questions and answers: to one responder, back to the asker, and what happens when either is gone.

use crate::dialogue::Dialogue;
use workyard_channel_core::{BrokerLimits, Census};

/// A dialogue in which these sessions serve `sum`.
fn served_by(numbers: impl IntoIterator<Item = u32>) -> Dialogue {
    let mut talk = Dialogue::new();
    for number in numbers {
        talk.session(number).serves("sum").done();
    }
    talk
}

#[test]
fn an_answer_goes_to_the_asker_alone() {
    let mut talk = served_by([1]);
    talk.subscribe_all([2, 3], "sum, ~>");
    talk.session(8)
        .inquires("sum", "1+1")
        .sees(["8: asked 1", "1 <- question 1 on sum: 1+1 (1000 ms)"]);
    talk.session(9)
        .inquires("sum", "2+2")
        .sees(["9: asked 2", "1 <- question 2 on sum: 2+2 (1000 ms)"]);
    talk.session(1).answers(2, "4").sees(["1: done", "9 <- answer 2: 4"]);
    talk.session(1).declines(1, "too hard").sees(["1: done", "8 <- declined 1: too hard"]);
    assert_eq!((talk.census().questions, talk.later(5000).texts().len()), (0, 0));
}

#[test]
fn a_session_may_ask_itself() {
    let mut talk = served_by([1]);
    talk.session(1)
        .inquires("sum", "x")
        .sees(["1: asked 1", "1 <- question 1 on sum: x (1000 ms)"]);
    talk.session(1).answers(1, "y").sees(["1: done", "1 <- answer 1: y"]);
    talk.session(1)
        .inquires_again("sum", "x")
        .sees(["1: asked 2", "1 <- question 2 on sum: x (1000 ms)"]);
    talk.session(1).closes().nothing();
    assert_eq!(talk.census(), Census::default());
}

#[test]
fn without_a_responder_the_answer_is_no_at_once() {
    let mut talk = Dialogue::new();
    talk.subscribe_all([1], "sum");
    let refused = ["8: NoResponders: nobody serves channel \"sum\""];
    talk.session(8).inquires("sum", "x").sees(refused);
    talk.session(1).serves("sum").done();
    talk.session(1).serves_no_more("sum").done();
    talk.session(1).serves_no_more("sum").done();
    talk.session(8).inquires("sum", "x").sees(refused);
}

#[test]
fn responders_take_turns() {
    let mut talk = served_by([1, 2, 3]);
    for (number, responder) in (1..).zip([1, 2, 3, 1]) {
        let asked = format!("8: asked {number}");
        let question = format!("{responder} <- question {number} on sum: x (1000 ms)");
        talk.session(8).inquires("sum", "x").sees([&asked, &question]);
    }
}

#[test]
fn serving_twice_is_serving_once() {
    let mut talk = served_by([1, 1, 2]);
    assert_eq!((talk.census().services, talk.census().responders), (1, 2));
    talk.session(1).serves_no_more("sum").done();
    assert_eq!(talk.census().responders, 1);
    talk.session(8)
        .inquires("sum", "x")
        .sees(["8: asked 1", "2 <- question 1 on sum: x (1000 ms)"]);
}

#[test]
fn a_responder_without_room_is_passed_over() {
    let mut talk = served_by([1, 2]);
    talk.session(1).fills_up();
    for number in [1, 2] {
        let asked = format!("8: asked {number}");
        let question = format!("2 <- question {number} on sum: x (1000 ms)");
        talk.session(8).inquires("sum", "x").sees([&asked, &question]);
    }
    talk.session(2).fills_up();
    let text = "8: RespondersBusy: everybody who serves channel \"sum\" holds 10000 questions or does \
                not read";
    talk.session(8).inquires("sum", "x").sees([text]);
    talk.session(1).drains().nothing();
    talk.session(8)
        .inquires("sum", "x")
        .sees(["8: asked 3", "1 <- question 3 on sum: x (1000 ms)"]);
}

#[test]
fn a_responder_with_enough_to_do_is_passed_over() {
    let limits = BrokerLimits { questions_per_responder_max: 1, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.session(1).serves("sum").done();
    talk.session(2).serves("sum").done();
    for number in [1, 2] {
        let asked = format!("8: asked {number}");
        let question = format!("{number} <- question {number} on sum: x (1000 ms)");
        talk.session(8).inquires("sum", "x").sees([&asked, &question]);
    }
    let text = "8: RespondersBusy: everybody who serves channel \"sum\" holds 1 questions or does not \
                read";
    talk.session(8).inquires("sum", "x").sees([text]);
    talk.session(2).answers(2, "y").sees(["2: done", "8 <- answer 2: y"]);
    talk.session(8)
        .inquires("sum", "x")
        .sees(["8: asked 3", "2 <- question 3 on sum: x (1000 ms)"]);
}

#[test]
fn only_who_holds_a_question_answers_it_and_only_once() {
    let mut talk = served_by([1, 2]);
    talk.session(8)
        .inquires("sum", "x")
        .sees(["8: asked 1", "1 <- question 1 on sum: x (1000 ms)"]);
    let refused = |session: u32, question: u64| {
        format!(
            "{session}: UnknownQuestion: question {question} does not wait for an answer of this \
             session: it was answered, its time ran out, or its asker is gone"
        )
    };
    talk.session(2).answers(1, "mine").sees([&refused(2, 1)]);
    talk.session(8).answers(1, "my own").sees([&refused(8, 1)]);
    talk.session(1).answers(7, "none").sees([&refused(1, 7)]);
    talk.session(1).answers(1, "y").sees(["1: done", "8 <- answer 1: y"]);
    talk.session(1).answers(1, "y").sees([&refused(1, 1)]);
    talk.session(1).declines(1, "y").sees([&refused(1, 1)]);
}

#[test]
fn time_runs_out_at_the_deadline_and_not_before() {
    let mut talk = served_by([1]);
    let asked = ["8: asked 1", "1 <- question 1 on sum: x (300 ms)"];
    talk.session(8).inquires_in("sum", "x", 300, false).sees(asked);
    let asked = ["9: asked 2", "1 <- question 2 on sum: x (200 ms)"];
    talk.session(9).inquires_in("sum", "x", 200, true).sees(asked);
    talk.later(199).nothing();
    talk.later(1).sees(["9 <- unanswered 2: TimedOut"]);
    talk.later(99).nothing();
    talk.later(1).sees(["8 <- unanswered 1: TimedOut"]);
    assert_eq!(talk.census().questions, 0);
    let refused = talk.session(1).answers(1, "late").texts();
    assert!(refused[0].starts_with("1: UnknownQuestion"), "{refused:?}");
}

#[test]
fn an_answer_at_the_deadline_is_too_late_though_nobody_has_looked_at_the_clock() {
    let mut talk = served_by([1]);
    for _ in 0..2 {
        assert_eq!(talk.session(8).inquires("sum", "x").texts().len(), 2);
    }
    talk.wait(999);
    talk.session(1).answers(1, "y").sees(["1: done", "8 <- answer 1: y"]);
    talk.wait(1);
    let seen = talk.session(1).answers(2, "y").texts();
    assert_eq!(seen[0], "8 <- unanswered 2: TimedOut");
    assert!(seen[1].starts_with("1: UnknownQuestion"), "{seen:?}");
    talk.later(1).nothing();
}

#[test]
fn a_crowd_of_questions_runs_out_of_time_to_the_last() {
    let mut talk = served_by([1]);
    for _ in 0..2500 {
        assert_eq!(talk.session(8).inquires("sum", "x").texts().len(), 2);
    }
    assert_eq!(talk.later(1000).texts().len(), 2500);
    assert_eq!((talk.census().questions, talk.census().question_parties), (0, 1));
}

#[test]
fn a_responder_that_is_gone_leaves_its_questions_unanswered() {
    let mut talk = served_by([1, 2]);
    talk.session(8)
        .inquires("sum", "x")
        .sees(["8: asked 1", "1 <- question 1 on sum: x (1000 ms)"]);
    talk.session(1).closes().sees(["8 <- unanswered 1: ResponderGone"]);
}

#[test]
fn a_question_that_may_be_repeated_goes_to_the_next_responder() {
    let mut talk = served_by([1, 2, 3]);
    talk.session(8)
        .inquires_again("sum", "x")
        .sees(["8: asked 1", "1 <- question 1 on sum: x (1000 ms)"]);
    talk.wait(300);
    talk.session(1).closes().sees(["2 <- question 1 on sum: x (700 ms, attempt 2)"]);
    talk.session(3).fills_up();
    talk.session(2).closes().sees(["8 <- unanswered 1: ResponderGone"]);
    assert_eq!((talk.census().questions, talk.census().question_bytes), (0, 0));
}

#[test]
fn a_question_that_was_passed_on_is_answered_by_its_holder_in_its_first_time() {
    let mut talk = served_by([1, 2]);
    talk.session(8)
        .inquires_again("sum", "x")
        .sees(["8: asked 1", "1 <- question 1 on sum: x (1000 ms)"]);
    talk.session(9)
        .inquires_again("sum", "y")
        .sees(["9: asked 2", "2 <- question 2 on sum: y (1000 ms)"]);
    talk.wait(600);
    talk.session(1).closes().sees(["2 <- question 1 on sum: x (400 ms, attempt 2)"]);
    talk.session(2).answers(1, "z").sees(["2: done", "8 <- answer 1: z"]);
    talk.later(399).nothing();
    talk.later(1).sees(["9 <- unanswered 2: TimedOut"]);
}

#[test]
fn an_asker_that_is_gone_is_forgotten() {
    let mut talk = served_by([1]);
    talk.session(8)
        .inquires("sum", "x")
        .sees(["8: asked 1", "1 <- question 1 on sum: x (1000 ms)"]);
    talk.session(8).closes().nothing();
    let refused = talk.session(1).answers(1, "y").texts();
    assert!(refused[0].contains("its asker is gone"), "{refused:?}");
    talk.later(1000).nothing();
}

#[test]
fn what_was_handed_out_may_be_answered_after_serving() {
    let mut talk = served_by([1]);
    talk.session(8)
        .inquires("sum", "x")
        .sees(["8: asked 1", "1 <- question 1 on sum: x (1000 ms)"]);
    talk.session(1).serves_no_more("sum").done();
    talk.session(1).answers(1, "y").sees(["1: done", "8 <- answer 1: y"]);
    assert_eq!(talk.census(), Census::default());
}

#[test]
fn answers_wait_for_an_asker_that_does_not_read() {
    let mut talk = served_by([1]);
    for _ in 0..3 {
        assert_eq!(talk.session(8).inquires("sum", "x").texts().len(), 2);
    }
    talk.session(8).fills_up();
    talk.session(1).answers(3, "c").done();
    talk.session(1).answers(1, "a").done();
    talk.later(1000).sees(["8 <- unanswered 2: TimedOut"]);
    talk.session(8).drains().sees(["8 <- answer 3: c", "8 <- answer 1: a"]);
    assert_eq!((talk.census().questions, talk.census().question_bytes), (0, 0));
    talk.session(8).fills_up();
    assert_eq!(talk.session(8).inquires("sum", "x").texts().len(), 2);
    talk.session(1).answers(4, "d").done();
    talk.session(8).closes().nothing();
    assert_eq!((talk.census().question_parties, talk.census().question_bytes), (1, 0));
}

#[test]
fn an_answer_above_what_may_wait_is_told_to_be_lost() {
    let limits = BrokerLimits { question_bytes_max: 64 + 3, ..BrokerLimits::default() };
    let mut talk = Dialogue::with(limits);
    talk.session(1).serves("sum").done();
    for _ in 0..2 {
        assert_eq!(talk.session(8).inquires("sum", "x").texts().len(), 2);
    }
    talk.session(8).fills_up();
    talk.session(1).answers(1, "1234").sees(["1: done", "8 <- unanswered 1: AskerSlow"]);
    talk.session(1).answers(2, "123").done();
    talk.session(8).drains().sees(["8 <- answer 2: 123"]);
}
