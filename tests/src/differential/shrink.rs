//! Makes a question smaller as long as PHP and we do not agree on it.

use super::php::{Php, Said};
use super::question::{Answer, Question};
use super::verdict::{self, Verdict};
use crate::workerman::shown;
use std::io;

const ROUNDS_MAX: usize = 100;
/// What is longer is shown as it is: there would be too much to try.
const TEXT_BYTES_MAX: usize = 4096;
/// What takes the place of a value.
const SMALLER: [&[u8]; 3] = [b"N;", b"a:0:{}", b"O:1:\"A\":0:{}"];

/// The smallest of a question's kind that was found, with both answers, for people.
pub(super) fn shrunk(php: &mut Php, mut question: Question) -> io::Result<String> {
    for _ in 0..ROUNDS_MAX {
        let mut smaller = candidates(&question);
        let said = php.ask(&smaller)?;
        let differs =
            |index: &usize| verdict::of(&smaller[*index], &said[*index]) == Verdict::Different;
        let indices = (0..smaller.len()).filter(differs);
        match indices.min_by_key(|index| smaller[*index].text.len()) {
            Some(index) => question = smaller.swap_remove(index),
            None => break,
        }
    }
    let said = php.ask(std::slice::from_ref(&question))?;
    let theirs = match said.as_slice() {
        [Said::Answer(theirs, _)] => theirs,
        _ => &None,
    };
    let answer = |answer: &Answer| answer.as_deref().map_or_else(|| "refused".into(), shown);
    let (kind, text, theirs) = (question.kind, shown(&question.text), answer(theirs));
    Ok(format!("{kind:?} of {text}\n  PHP: {theirs}\n  we:  {}", answer(&question.answer())))
}

/// The question with one of the values in it made smaller.
fn candidates(question: &Question) -> Vec<Question> {
    let text = &question.text;
    let mut candidates = Vec::new();
    if text.len() > TEXT_BYTES_MAX {
        return candidates;
    }
    for at in 0..text.len() {
        let Ok(found) = workyard_php::scan_at_depth(&text[at..], 1) else { continue };
        let end = at + found.text.len();
        for smaller in SMALLER.iter().filter(|smaller| smaller.len() < found.text.len()) {
            let text = [&text[..at], smaller, &text[end..]].concat();
            candidates.push(Question { text, ..question.clone() });
        }
    }
    candidates
}
