//! What `R:` and `r:` stand for: the text of an earlier value, read once more.

use super::{DeError, DeErrorKind};
use crate::error::{Error, ErrorKind};
use crate::lexer::{Head, Lexer};
use crate::limits::{DEPTH_MAX, REPEATED_BYTES_MAX};
use std::ops::Range;

/// Where the values of a text stand, by their slots, once a reference has been met.
#[derive(Default)]
pub(super) struct References {
    /// Slots count from 1. That of an `r:` has the place of its object.
    places: Vec<Range<usize>>,
    repeated_bytes: usize,
}

impl References {
    /// The first byte of the value that the reference at `at` stands for.
    ///
    /// All bytes of that value count as read again, so that references to values full of references
    /// come to an end.
    pub(super) fn target(&mut self, text: &[u8], slot: usize, at: usize) -> Result<usize, DeError> {
        if self.places.is_empty() {
            self.places = places(text)?;
        }
        let place = slot.checked_sub(1).and_then(|index| self.places.get(index));
        let Some(place) = place.filter(|place| place.start < at) else {
            return Err(DeErrorKind::Text(ErrorKind::NoSuchSlot(slot)).at(at));
        };
        if place.contains(&at) {
            return Err(DeErrorKind::Cycle.at(at));
        }
        self.repeated_bytes = self.repeated_bytes.saturating_add(place.len());
        if self.repeated_bytes > REPEATED_BYTES_MAX {
            return Err(DeErrorKind::Repeated.at(at));
        }
        Ok(place.start)
    }
}

/// Where each value with a slot stands, in one pass without recursion.
fn places(text: &[u8]) -> Result<Vec<Range<usize>>, Error> {
    let mut lexer = Lexer::new(text);
    let mut places: Vec<Range<usize>> = Vec::new();
    // The slots of the arrays and objects around, and how many entries each has left.
    let mut open = Vec::new();
    loop {
        let start = lexer.at();
        match lexer.value()? {
            Head::SamePlace { .. } => (),
            Head::SameObject { slot } => {
                let object = slot.checked_sub(1).and_then(|index| places.get(index)).cloned();
                places.push(object.unwrap_or(start..start));
            }
            Head::Array { count } | Head::Object { count, .. } if open.len() < DEPTH_MAX => {
                open.push((places.len(), count));
                // Unless it is closed, it contains all that follows.
                places.push(start..text.len());
            }
            Head::Array { .. } | Head::Object { .. } => {
                return Err(ErrorKind::TooDeep.at(start));
            }
            _ => places.push(start..lexer.at()),
        }
        loop {
            let Some((index, left)) = open.last_mut() else {
                return Ok(places);
            };
            if *left > 0 {
                *left -= 1;
                lexer.key()?;
                break;
            }
            lexer.end()?;
            places[*index].end = lexer.at();
            open.pop();
        }
    }
}
