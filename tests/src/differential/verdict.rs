//! Whether PHP and we agree.

use super::php::Said;
use super::question::{Question, is_nameless};

/// What came out of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was not meant to be asked.
    NotCompared,
    /// Both took it, and answered the same.
    Taken,
    /// The same, and it came back as it was, as it had to.
    Unchanged,
    /// Both refused it.
    Refused,
    /// We may refuse it, and did.
    TakenByPhp,
    /// PHP gave an object an impossible name, and we did not.
    Nameless,
    /// We do not agree.
    Different,
}

/// Compares our answer with PHP's.
pub(super) fn of(question: &Question, said: &Said) -> Verdict {
    // Whatever it is, we have an answer.
    let ours = question.answer();
    let Said::Answer(theirs, digits) = said else {
        return Verdict::NotCompared;
    };
    match (&ours, theirs) {
        (None, _) | (_, None) if question.canonical => Verdict::Different,
        (None, None) => Verdict::Refused,
        (None, Some(_)) if question.may_be_refused() => Verdict::TakenByPhp,
        (Some(ours), Some(theirs)) if ours == theirs && question.is_hash(digits) => {
            match question.canonical {
                false => Verdict::Taken,
                true if *theirs == question.text => Verdict::Unchanged,
                true => Verdict::Different,
            }
        }
        (Some(ours), Some(_)) if is_nameless(ours) => Verdict::Nameless,
        _ => Verdict::Different,
    }
}
