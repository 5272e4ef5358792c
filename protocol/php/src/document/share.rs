//! Counts the places that are one variable: one place alone is no reference.

use super::{Document, Index, NONE, Value};
use crate::error::{Error, ErrorKind};
use hashbrown::HashSet;

/// Goes over everything that can be reached from a value, each place once.
///
/// What a key that came twice held before is not reached, unless from elsewhere; nor is what names
/// an object, as that is not written.
pub(super) fn each_shared(document: &Document<'_>, root: Index, mut see: impl FnMut(Index)) {
    let mut seen = HashSet::new();
    let mut open = Vec::new();
    let mut enter = |value: Value, open: &mut Vec<Index>| {
        if let Value::Holder(holder) = document.unshared(value)
            && seen.insert(holder)
        {
            open.push(holder);
        }
    };
    enter(document.value(root), &mut open);
    while let Some(holder) = open.pop() {
        let holder = document.holders[holder as usize];
        for place in document.places_of(holder).filter(|place| *place != holder.name) {
            let value = document.places[place as usize].value;
            if let Value::Shared(shared) = value {
                see(shared);
            }
            enter(value, &mut open);
        }
    }
}

/// Counts for each shared variable the places of the whole document that are it, and looks for an
/// array that contains itself.
///
/// The root is no such place: PHP hands out what it holds, not the variable.
pub(super) fn survey(document: &mut Document<'_>) -> Result<(), Error> {
    if document.shared.is_empty() {
        return Ok(());
    }
    let mut survey = Survey {
        document,
        progress: vec![Progress::New; document.holders.len()],
        counts: vec![0; document.shared.len()],
        waiting: Vec::new(),
        path: Vec::new(),
    };
    if let Value::Holder(root) = document.value(0) {
        survey.waiting.push(root);
    }
    survey.whole()?;
    let counts = survey.counts;
    for (shared, count) in document.shared.iter_mut().zip(counts) {
        shared.places = count;
    }
    Ok(())
}

struct Survey<'s, 'a> {
    document: &'s Document<'a>,
    /// Of each holder.
    progress: Vec<Progress>,
    /// Of each shared variable.
    counts: Vec<u32>,
    /// What to enter when the path has come to its end.
    waiting: Vec<Index>,
    /// Arrays inside each other, no object between, each with the place to look at next; or one
    /// object alone.
    path: Vec<(Index, Index)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    New,
    OnPath,
    Done,
}

impl Survey<'_, '_> {
    fn whole(&mut self) -> Result<(), Error> {
        while let Some(start) = self.waiting.pop() {
            if self.progress[start as usize] == Progress::New {
                self.enter(start);
                self.along_path()?;
            }
        }
        Ok(())
    }

    fn along_path(&mut self) -> Result<(), Error> {
        while let Some((holder, next)) = self.path.last_mut() {
            let (holder, place) = (*holder, *next);
            if place == NONE {
                self.progress[holder as usize] = Progress::Done;
                self.path.pop();
                continue;
            }
            let found = self.document.places[place as usize];
            *next = found.next;
            if place != self.document.holders[holder as usize].name {
                self.value(holder, found.value)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, holder: Index, value: Value) -> Result<(), Error> {
        if let Value::Shared(shared) = value {
            self.counts[shared as usize] += 1;
        }
        let Value::Holder(inner) = self.document.unshared(value) else { return Ok(()) };
        if self.document.is_object(holder) || self.document.is_object(inner) {
            self.waiting.push(inner);
            return Ok(());
        }
        match self.progress[inner as usize] {
            Progress::New => self.enter(inner),
            Progress::Done => {}
            Progress::OnPath => {
                let head = self.document.holders[inner as usize].head;
                return Err(ErrorKind::ContainsItself.at(head as usize));
            }
        }
        Ok(())
    }

    fn enter(&mut self, holder: Index) {
        self.progress[holder as usize] = Progress::OnPath;
        self.path.push((holder, self.document.holders[holder as usize].first));
    }
}
