//! A history that no order explains, made as small as it can be, for people.

use super::call::Call;
use super::search::{Search, Stuck, search};
use super::variable::State;
use std::fmt;

/// How many calls of the longest order are shown.
const SHOWN_MAX: usize = 12;

/// Calls on one variable that cannot have come to what they came to.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The variable before them.
    pub start: State,
    /// As few of them as were found to be wrong, in the order of beginning.
    pub calls: Vec<Call>,
    stuck: Stuck,
}

/// Whether the calls on one variable, which did not exist before them, can be explained.
///
/// # Errors
/// The least that cannot.
///
/// # Panics
/// When the search has to be given up.
pub fn check(mut calls: Vec<Call>) -> Result<(), Box<Finding>> {
    calls.sort_by_key(|call| call.called);
    let start = State::Absent(0);
    match search(start, &calls) {
        Search::Found(_) => Ok(()),
        Search::Stuck(_) => Err(Box::new(Finding::smallest(start, &calls))),
        Search::Endless => panic!("{} calls are too many to tell", calls.len()),
    }
}

impl Finding {
    fn smallest(start: State, calls: &[Call]) -> Self {
        let calls = shortest(start, calls);
        let (start, calls) = latest(start, calls);
        let calls = fewest(start, calls);
        let Search::Stuck(stuck) = search(start, &calls) else {
            unreachable!("only what stays wrong is kept")
        };
        Self { start, calls, stuck }
    }
}

/// The calls until it went wrong. What comes later cannot make it right.
fn shortest(start: State, calls: &[Call]) -> Vec<Call> {
    let mut ends: Vec<u64> = calls.iter().map(|call| call.returned).collect();
    ends.sort_unstable();
    let fine = |end: &u64| !is_wrong(start, &until(calls, *end));
    let end = ends[ends.partition_point(fine).min(ends.len() - 1)];
    until(calls, end)
}

/// What is known at one instant.
fn until(calls: &[Call], end: u64) -> Vec<Call> {
    let begun = calls.iter().filter(|call| call.called <= end);
    let as_known =
        begun.map(|call| if call.returned <= end { call.clone() } else { call.pending() });
    as_known.filter(|call| call.is_known() || !call.changed_nothing()).collect()
}

/// The calls from the latest instant on from which it goes wrong whatever there was before.
fn latest(start: State, calls: Vec<Call>) -> (State, Vec<Call>) {
    let starts: Vec<u64> = calls.iter().map(|call| call.called).collect();
    let wrong = |from: &u64| is_wrong(State::Anything, &since(&calls, *from));
    match starts.partition_point(wrong) {
        0 => (start, calls),
        count => (State::Anything, since(&calls, starts[count - 1])),
    }
}

/// The calls that were not over at one instant, nor before any of these began.
fn since(calls: &[Call], mut from: u64) -> Vec<Call> {
    loop {
        let kept = calls.iter().filter(|call| call.returned >= from);
        // One that may never have been carried out can stand before or behind what is left out.
        let begun = kept.clone().filter(|call| call.is_known()).map(|call| call.called).min();
        match begun {
            Some(begun) if begun < from => from = begun,
            _ => return kept.cloned().collect(),
        }
    }
}

/// Leaves out what can be left out: calls that changed nothing cannot have made the others right.
fn fewest(start: State, mut calls: Vec<Call>) -> Vec<Call> {
    let mut portion = calls.len();
    while portion > 0 {
        let mut begin = 0;
        while begin < calls.len() {
            let chosen = begin..begin + portion;
            let stays =
                |(index, call): &(usize, &Call)| !call.changed_nothing() || !chosen.contains(index);
            let rest: Vec<Call> =
                calls.iter().enumerate().filter(stays).map(|(_, call)| call.clone()).collect();
            if rest.len() < calls.len() && is_wrong(start, &rest) {
                calls = rest;
            } else {
                begin += portion;
            }
        }
        portion /= 2;
    }
    calls
}

fn is_wrong(start: State, calls: &[Call]) -> bool {
    matches!(search(start, calls), Search::Stuck(_))
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "no order explains these {} calls:", self.calls.len())?;
        for call in &self.calls {
            writeln!(f, "  {call}")?;
        }
        let order = &self.stuck.order;
        let left_out = order.len().saturating_sub(SHOWN_MAX);
        writeln!(f, "the longest order that all of it agrees with ({left_out} before left out):")?;
        for index in &order[left_out..] {
            writeln!(f, "  {}", self.calls[*index])?;
        }
        writeln!(f, "then the variable is {:?}, and none of these can be next:", self.stuck.state)?;
        let known = self.stuck.next.iter().filter(|index| self.calls[**index].is_known());
        known.into_iter().try_for_each(|index| writeln!(f, "  {}", self.calls[*index]))
    }
}
