//! The search for an order of the calls that explains what they came to.

use super::call::Call;
use super::variable::State;
use std::collections::HashSet;

/// Most places that one search looks at. A history that needs more is neither right nor wrong to it.
const PLACES_MAX: usize = 1_000_000;

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// There is such an order: these calls, by their index. Of those whose outcome is unknown it has
    /// the ones that must have been carried out.
    Found(Vec<usize>),
    /// There is none.
    Stuck(Stuck),
    /// It was given up.
    Endless,
}

/// How far a search came that found nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The longest order in which all is as it was told.
    pub order: Vec<usize>,
    /// What the variable was then, that no further call can have found.
    pub state: State,
    /// The calls that one would have to be next of.
    pub next: Vec<usize>,
}

/// Searches. `calls` are those on one variable, in the order of their beginning.
#[must_use]
pub fn search(start: State, calls: &[Call]) -> Search {
    assert!(calls.is_sorted_by_key(|call| call.called), "calls come in the order of beginning");
    Searcher::new(start, calls).run()
}

struct Searcher<'a> {
    calls: &'a [Call],
    state: State,
    /// Calls not in the order yet, each by the index of the one before it; a list with its head at
    /// the end, so that taking one out and putting it back is cheap.
    next: Vec<usize>,
    previous: Vec<usize>,
    /// How many of them must still find their place.
    left: usize,
    /// The calls of unknown outcome, in the order in which they were over.
    unknown: Vec<usize>,
    order: Vec<Step>,
    done: Box<[u64]>,
    seen: HashSet<(Done, State, Option<State>)>,
    longest: Stuck,
}

/// Which calls make no difference any more: all before some, and these bits from there on.
type Done = (usize, Box<[u64]>);

/// A call that was put into the order, and what else could have been there.
struct Step {
    before: State,
    /// The latest beginning of all calls before it in the order.
    reached: u64,
    options: Vec<(usize, State)>,
    /// Which of the options it is.
    taken: usize,
}

impl<'a> Searcher<'a> {
    fn new(start: State, calls: &'a [Call]) -> Self {
        let count = calls.len();
        let mut unknown: Vec<_> = (0..count).filter(|index| !calls[*index].is_known()).collect();
        unknown.sort_by_key(|index| calls[*index].returned);
        Self {
            calls,
            state: start,
            next: (1..=count).chain([0]).collect(),
            previous: [count].into_iter().chain(0..count).collect(),
            left: count - unknown.len(),
            unknown,
            order: Vec::new(),
            done: vec![0; count.div_ceil(64)].into(),
            seen: HashSet::new(),
            longest: Stuck { order: Vec::new(), state: start, next: Vec::new() },
        }
    }

    fn run(mut self) -> Search {
        loop {
            if self.left == 0 {
                return Search::Found(self.indices());
            }
            if self.seen.len() >= PLACES_MAX {
                return Search::Endless;
            }
            let reached = self.reached();
            let place = (self.done_or_over(reached), self.state, self.without_the_last());
            let options = if self.seen.insert(place) { self.options(reached) } else { Vec::new() };
            let step = Step { before: self.state, reached, options, taken: 0 };
            if !self.advance(step) && !self.turn_back() {
                return Search::Stuck(self.longest);
            }
        }
    }

    /// Every call that may be next, with what it leaves. Those with unknown outcomes come last: they
    /// happened only where nothing else explains what others saw.
    fn options(&mut self, reached: u64) -> Vec<(usize, State)> {
        let may_be_next = self.may_be_next(reached);
        let (known, unknown): (Vec<usize>, Vec<usize>) =
            may_be_next.iter().partition(|index| self.calls[**index].is_known());
        let over = unknown.iter().map(|index| self.calls[*index].returned).min();
        let unchanged = known.iter().find(|index| {
            let call = &self.calls[**index];
            let harmless = over.is_none_or(|over| call.called <= over);
            harmless && self.state.after(call).any(|after| after == self.state)
        });
        if let Some(index) = unchanged {
            // Here it is right, and it is in nobody's way: no other place can be better.
            return vec![(*index, self.state)];
        }
        let mut options = Vec::new();
        for index in known.into_iter().chain(unknown) {
            let call = &self.calls[index];
            let left = self.state.after(call).filter(|after| self.makes_a_difference(call, *after));
            options.extend(left.map(|after| (index, after)));
        }
        if options.is_empty() && self.order.len() >= self.longest.order.len() {
            self.longest = Stuck { order: self.indices(), state: self.state, next: may_be_next };
        }
        options
    }

    /// A call of unknown outcome is in the order for the sake of the one behind it. If that could stand
    /// there without it, and leave the same, an order without it is as good.
    fn makes_a_difference(&self, call: &Call, after: State) -> bool {
        let useless = !call.is_known() && after == self.state;
        let without = self.without_the_last();
        !useless && without.is_none_or(|without| without.after(call).all(|state| state != after))
    }

    /// The state if the last call had not been carried out, of which that is not known.
    fn without_the_last(&self) -> Option<State> {
        let last = self.order.last()?;
        let (index, _) = last.options[last.taken];
        (!self.calls[index].is_known()).then_some(last.before)
    }

    /// The latest beginning of all calls in the order. What was over before cannot come now.
    fn reached(&self) -> u64 {
        self.order.last().map_or(0, |last| {
            let (index, _) = last.options[last.taken];
            last.reached.max(self.calls[index].called)
        })
    }

    /// The calls that make no difference any more: those in the order, and those of unknown outcome
    /// that were over before.
    fn done_or_over(&self, reached: u64) -> Done {
        let mut done = self.done.clone();
        let over = |index: &&usize| self.calls[**index].returned < reached;
        for index in self.unknown.iter().take_while(over) {
            done[index / 64] |= 1 << (index % 64);
        }
        let begin = done.iter().take_while(|bits| **bits == u64::MAX).count();
        let behind = done.iter().rev().take_while(|bits| **bits == 0).count();
        let end = (done.len() - behind).max(begin);
        (begin, done[begin..end].into())
    }

    /// The calls that began before any other, which must still come, had ended.
    fn may_be_next(&self, reached: u64) -> Vec<usize> {
        let head = self.calls.len();
        let mut ended = u64::MAX;
        let mut found = Vec::new();
        let mut at = self.next[head];
        while at != head && self.calls[at].called <= ended {
            let call = &self.calls[at];
            if call.is_known() {
                ended = ended.min(call.returned);
            }
            if call.returned >= reached {
                found.push(at);
            }
            at = self.next[at];
        }
        found
    }

    /// Takes the option that the step is at. Whether there is one.
    fn advance(&mut self, step: Step) -> bool {
        let Some((index, after)) = step.options.get(step.taken).copied() else { return false };
        self.state = after;
        self.take_out(index);
        self.order.push(step);
        true
    }

    /// Goes back to the latest step that has another option, and takes that. Whether there was one.
    fn turn_back(&mut self) -> bool {
        while let Some(mut step) = self.order.pop() {
            self.put_back(step.options[step.taken].0);
            self.state = step.before;
            step.taken += 1;
            if self.advance(step) {
                return true;
            }
        }
        false
    }

    fn take_out(&mut self, index: usize) {
        let (next, previous) = (self.next[index], self.previous[index]);
        self.next[previous] = next;
        self.previous[next] = previous;
        self.done[index / 64] |= 1 << (index % 64);
        self.left -= usize::from(self.calls[index].is_known());
    }

    fn put_back(&mut self, index: usize) {
        let (next, previous) = (self.next[index], self.previous[index]);
        self.next[previous] = index;
        self.previous[next] = index;
        self.done[index / 64] &= !(1 << (index % 64));
        self.left += usize::from(self.calls[index].is_known());
    }

    fn indices(&self) -> Vec<usize> {
        self.order.iter().map(|step| step.options[step.taken].0).collect()
    }
}
