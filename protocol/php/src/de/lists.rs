//! Which arrays of a value are lists: one pass over the text, without recursion.

use crate::error::{Error, ErrorKind};
use crate::key::integer_like;
use crate::lexer::{Head, KeyText, Lexer};
use crate::limits::DEPTH_MAX;

/// Passes over a value. Returns for each array and object in it, in the order of their heads, whether
/// it is an array with the keys 0, 1, 2, … in order.
///
/// # Errors
/// When the text is not valid.
pub(super) fn lists(lexer: &mut Lexer<'_>) -> Result<Vec<bool>, Error> {
    struct Open {
        position: usize,
        done: usize,
        count: usize,
    }
    let mut lists = Vec::new();
    let mut open = Vec::new();
    loop {
        let opened = match lexer.value()? {
            Head::Array { count } => Some((count, true)),
            Head::Object { count, .. } => Some((count, false)),
            _ => None,
        };
        if let Some((count, is_array)) = opened {
            if open.len() == DEPTH_MAX {
                return Err(ErrorKind::TooDeep.at(lexer.at()));
            }
            open.push(Open { position: lists.len(), done: 0, count });
            lists.push(is_array);
        }
        loop {
            let Some(Open { position, done, count }) = open.last_mut() else {
                return Ok(lists);
            };
            if done < count {
                lists[*position] &= is_index(lexer.key()?, *done);
                *done += 1;
                break;
            }
            lexer.end()?;
            open.pop();
        }
    }
}

fn is_index(key: KeyText<'_>, index: usize) -> bool {
    let key = match key {
        KeyText::Int(int) => Some(int),
        KeyText::String(key) => integer_like(&key.bytes()),
    };
    key.and_then(|key| usize::try_from(key).ok()) == Some(index)
}
