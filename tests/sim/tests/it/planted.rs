//! Bugs that are put into the core on purpose: the simulation finds every one.

use crate::faulty::{Bug, Faulty};
use workyard_sim::{channel_with, run_all};

/// As many seeds as run with every change.
const SEEDS: u64 = 2000;

fn find(bug: Bug) -> String {
    let simulate = |plan: &workyard_sim::Plan| {
        channel_with(plan, move |_, limits| Faulty::<false>::new(bug, limits))
    };
    let (failure, _) = run_all(&simulate, 0, SEEDS);
    failure.unwrap_or_else(|| panic!("{bug:?} was not found in {SEEDS} seeds")).text
}

macro_rules! planted {
    ($($name:ident: $Bug:ident is $text:literal,)*) => {$(
        #[test]
        fn $name() {
            let text = find(Bug::$Bug);
            assert!(text.contains($text), "found as: {text}");
        }
    )*};
}

planted! {
    a_lost_job_is_found: LosesAJob is "job",
    a_job_that_was_never_stored_is_found: StoresNothing is "job",
    a_job_that_is_handed_out_twice_is_found: HandsOutTwice is "was handed to",
    a_stale_ack_that_is_accepted_is_found: AcceptsStaleAcks is "was allowed to settle",
    an_attempt_that_is_not_counted_is_found: CountsNoAttempts is "attempt",
    a_message_that_is_dropped_unannounced_is_found: DropsUnannounced is "went to",
    a_message_that_is_delivered_twice_is_found: DeliversTwice is "went to",
    a_number_that_is_given_twice_is_found: NumbersTwice is "number",
    a_request_that_is_never_answered_is_found: AnswersNever is "was not answered",
    a_request_that_is_answered_twice_is_found: AnswersTwice is "was answered request",
    an_answer_to_another_request_is_found: AnswersAnother is "was answered request",
    a_session_that_leaves_something_behind_is_found: KeepsTheDead is "the core holds",
    room_that_is_never_used_again_is_found: IgnoresRoom is "nobody can finish",
}

#[test]
fn a_gap_of_the_wrong_size_is_found_by_those_who_read() {
    let simulate = |plan: &workyard_sim::Plan| {
        channel_with(plan, move |_, limits| Faulty::<true>::new(Bug::None, limits))
    };
    let (failure, _) = run_all(&simulate, 0, SEEDS);
    let text = failure.expect("it is found").text;
    assert!(text.contains("messages are missing, and it was told of"), "found as: {text}");
}
