//! What is kept of all channels, in the order in which it was published.

use super::logs::LogId;
use std::collections::VecDeque;

/// Most places of a block. No single step looks at more of them.
const PLACES_MAX: usize = 512;

/// A block with fewer places is not worth clearing up.
const CLEARED_MIN: usize = 64;

/// A block is cleared up when it has this many times as many places as messages.
const SLACK_FACTOR: usize = 4;

/// The places of all messages by their positions, which grow.
///
/// A message that goes leaves an empty place: mostly the first of all. Places are in blocks, so that
/// clearing them up takes no longer with the messages that there are: a block goes with its last
/// message, and is cleared up when it is mostly empty.
#[derive(Debug, Default)]
pub(crate) struct Order {
    blocks: VecDeque<Block>,
    /// The memory of the block that went last.
    spare: Vec<(u64, LogId)>,
}

#[derive(Debug)]
struct Block {
    places: Vec<(u64, LogId)>,
    /// Nothing stands before it.
    first: usize,
    /// How many messages are left.
    left: usize,
}

impl Order {
    /// A message behind all others.
    pub(crate) fn push(&mut self, position: u64, log: LogId) {
        match self.blocks.back_mut().filter(|block| block.places.len() < PLACES_MAX) {
            Some(block) => block.push(position, log),
            None => {
                let places = std::mem::take(&mut self.spare);
                self.blocks.push_back(Block { places, first: 0, left: 0 });
                self.push(position, log);
            }
        }
    }

    /// The message of this position has gone; `is_kept` says of others whether they are left.
    pub(crate) fn remove(&mut self, position: u64, is_kept: impl Fn(u64, LogId) -> bool) {
        let is_first = self.blocks.front().is_some_and(|block| position <= block.last());
        let at = if is_first { 0 } else { self.block_of(position) };
        let block = &mut self.blocks[at];
        block.left -= 1;
        block.first += usize::from(block.places[block.first].0 == position);
        if block.left == 0 {
            self.forget(at);
        } else if block.places.len() - block.first > CLEARED_MIN.max(SLACK_FACTOR * block.left) {
            block.places.retain(|(position, log)| is_kept(*position, *log));
            block.places.shrink_to(SLACK_FACTOR * block.left);
            block.first = 0;
        }
    }

    /// The log of the oldest message.
    pub(crate) fn first(&mut self, is_kept: impl Fn(u64, LogId) -> bool) -> Option<LogId> {
        let block = self.blocks.front_mut()?;
        let is_kept = |(position, log): &(u64, LogId)| is_kept(*position, *log);
        block.first += block.places[block.first..].iter().position(is_kept)?;
        Some(block.places[block.first].1)
    }

    /// The places behind a position, each with its log. Some are empty.
    pub(crate) fn behind(&self, position: u64) -> impl Iterator<Item = (u64, LogId)> {
        let at = self.blocks.partition_point(|block| block.last() <= position);
        let mut behind = self.blocks.range(at..).map(|block| &block.places[..]);
        let places = behind.next().unwrap_or_default();
        let from = places.partition_point(|(other, _)| *other <= position);
        places[from..].iter().chain(behind.flatten()).copied()
    }

    /// The block of a message that is there.
    fn block_of(&self, position: u64) -> usize {
        self.blocks.partition_point(|block| block.last() < position)
    }

    fn forget(&mut self, at: usize) {
        let mut places = self.blocks.remove(at).expect("it is there").places;
        places.clear();
        self.spare = places;
    }
}

impl Block {
    fn push(&mut self, position: u64, log: LogId) {
        self.places.push((position, log));
        self.left += 1;
    }

    fn last(&self) -> u64 {
        self.places.last().map_or(0, |(position, _)| *position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::logs::Logs;
    use proptest::prelude::*;
    use workyard_protocol::ChannelName;

    /// Everything that stands there, and where it is left: one row for each log.
    #[derive(Default)]
    struct World {
        order: Order,
        position: u64,
        kept: Vec<(LogId, VecDeque<u64>)>,
    }

    impl World {
        fn new() -> Self {
            let mut logs = Logs::new(1000);
            let names = ["quiet", "busy", "other"];
            let logs = names.map(|name| logs.find_or_add(ChannelName::new(name).unwrap()));
            Self { kept: logs.map(|log| (log, VecDeque::new())).into(), ..Self::default() }
        }

        fn push(&mut self, at: usize) {
            self.position += 1;
            let (log, row) = &mut self.kept[at];
            row.push_back(self.position);
            self.order.push(self.position, *log);
        }

        fn pop(&mut self, at: usize) {
            if let Some(gone) = self.kept[at].1.pop_front() {
                let kept = &self.kept;
                self.order.remove(gone, |position, log| is_kept(kept, position, log));
            }
        }

        fn check(&mut self) {
            let kept = &self.kept;
            let all = kept.iter().flat_map(|(log, row)| row.iter().map(|at| (*at, *log)));
            let mut all: Vec<_> = all.collect();
            all.sort_unstable();
            for from in [0, 1, self.position / 2, self.position, u64::MAX] {
                let found = self.order.behind(from).filter(|(at, log)| is_kept(kept, *at, *log));
                let expected = all.iter().copied().filter(|(at, _)| *at > from);
                assert!(found.eq(expected), "behind {from}");
            }
            let first = self.order.first(|position, log| is_kept(kept, position, log));
            assert_eq!(first, all.first().map(|(_, log)| *log));
            let places = |block: &Block| block.places.len() - block.first;
            let most = |block: &Block| CLEARED_MIN.max(SLACK_FACTOR * block.left);
            assert!(self.order.blocks.iter().all(|block| places(block) <= most(block)));
        }
    }

    fn is_kept(kept: &[(LogId, VecDeque<u64>)], position: u64, log: LogId) -> bool {
        let row = kept.iter().find(|(other, _)| *other == log).map(|(_, row)| row);
        row.and_then(|row| row.front()).is_some_and(|first| *first <= position)
    }

    #[test]
    fn a_message_that_stays_does_not_keep_the_places_of_the_others() {
        let mut world = World::new();
        world.push(0);
        for _ in 0..10 * PLACES_MAX {
            world.push(1);
            world.push(1);
            world.pop(1);
            world.pop(1);
        }
        world.check();
        let places: usize = world.order.blocks.iter().map(|block| block.places.len()).sum();
        assert!(places <= PLACES_MAX + CLEARED_MIN, "{places}");
        world.pop(0);
        assert!(world.order.blocks.is_empty());
    }

    proptest! {
        #[test]
        fn whatever_comes_and_goes_the_rest_stands_in_order(
            steps in prop::collection::vec((0..3usize, 0..300usize, 0..300usize), 1..30),
        ) {
            let mut world = World::new();
            for (at, pushes, pops) in steps {
                (0..pushes).for_each(|number| world.push((at + number % 2) % 3));
                (0..pops).for_each(|_| world.pop(at));
                world.check();
            }
        }
    }
}
