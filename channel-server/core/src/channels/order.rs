//! What is kept of all channels, in the order in which it was published.

use super::logs::LogId;
use std::collections::VecDeque;

/// Most runs of a block. No single step looks at more of them.
const RUNS_MAX: usize = 512;

/// A block with fewer runs is not worth clearing up.
const CLEARED_MIN: usize = 64;

/// A block is cleared up when it has this many times as many runs as there are left.
const SLACK_FACTOR: usize = 4;

/// Stands for nothing where a run is asked for.
const NO_RUN: Run = Run { begin: 0, count: 0, log: LogId::NONE };

/// All messages by their positions, which grow by one: runs of one log each.
///
/// Of each log the oldest message goes first, so a run gets shorter in front. Those that have become
/// empty are cleared up block by block, so that it takes no longer with the messages that there are.
#[derive(Debug)]
pub(crate) struct Order {
    blocks: VecDeque<Block>,
    /// Behind all blocks: what is published again and again to one channel is a single run.
    newest: Run,
    /// The memory of the block that went last.
    spare: Vec<Run>,
}

/// Messages of one log, at positions that follow each other.
#[derive(Clone, Copy, Debug)]
struct Run {
    begin: u64,
    count: u32,
    log: LogId,
}

#[derive(Debug)]
struct Block {
    runs: Vec<Run>,
    /// Before it all are empty.
    first: usize,
    /// How many are not empty.
    left: usize,
}

impl Order {
    pub(crate) fn new() -> Self {
        Self { blocks: VecDeque::new(), newest: NO_RUN, spare: Vec::new() }
    }

    /// A message behind all others, at the position behind the last.
    pub(crate) fn push(&mut self, position: u64, log: LogId) {
        if self.newest.log != log {
            self.begin_run(position, log);
        }
        self.newest.count += 1;
    }

    /// The oldest message of a log has gone from this position.
    pub(crate) fn remove(&mut self, position: u64) {
        match position >= self.newest.begin {
            true => self.newest.shorten(),
            false => self.remove_older(position),
        }
    }

    /// The log of the oldest message.
    pub(crate) fn first(&self) -> Option<LogId> {
        match self.blocks.front() {
            Some(block) => Some(block.runs[block.first].log),
            None => Some(self.newest.log).filter(|_| self.newest.count > 0),
        }
    }

    /// The messages behind a position, each with its position and its log.
    pub(crate) fn behind(&self, position: u64) -> impl Iterator<Item = (u64, LogId)> {
        let at = self.blocks.partition_point(|block| block.last() <= position);
        let mut behind = self.blocks.range(at..).map(|block| &block.runs[..]);
        let runs = behind.next().unwrap_or_default();
        let from = runs.partition_point(|run| run.end() <= position.saturating_add(1));
        let runs = runs[from..].iter().chain(behind.flatten()).chain([&self.newest]);
        let begin = move |run: &Run| run.begin.max(position.saturating_add(1));
        runs.flat_map(move |run| (begin(run)..run.end()).map(|position| (position, run.log)))
    }

    #[inline(never)]
    fn begin_run(&mut self, position: u64, log: LogId) {
        let run = std::mem::replace(&mut self.newest, Run { begin: position, count: 0, log });
        if run.count == 0 {
            return;
        }
        match self.blocks.back_mut().filter(|block| block.runs.len() < RUNS_MAX) {
            Some(block) => block.push(run),
            None => {
                let runs = std::mem::take(&mut self.spare);
                let mut block = Block { runs, first: 0, left: 0 };
                block.push(run);
                self.blocks.push_back(block);
            }
        }
    }

    #[inline(never)]
    fn remove_older(&mut self, position: u64) {
        let is_first = self.blocks.front().is_some_and(|block| position <= block.last());
        let at = match is_first {
            true => 0,
            false => self.blocks.partition_point(|block| block.last() < position),
        };
        let block = &mut self.blocks[at];
        block.remove(position);
        if block.left == 0 {
            let mut runs = self.blocks.remove(at).expect("it is there").runs;
            runs.clear();
            self.spare = runs;
        }
    }
}

impl Block {
    fn push(&mut self, run: Run) {
        self.runs.push(run);
        self.left += 1;
    }

    /// The position of its last message, or one behind that.
    fn last(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.end() - 1)
    }

    fn remove(&mut self, position: u64) {
        let is_first = position < self.runs[self.first].end();
        let at = match is_first {
            true => self.first,
            false => self.runs.partition_point(|run| run.end() <= position),
        };
        self.runs[at].shorten();
        if self.runs[at].count > 0 {
            return;
        }
        self.left -= 1;
        let empty = self.runs[self.first..].iter().take_while(|run| run.count == 0);
        self.first += empty.count();
        if self.runs.len() - self.first > CLEARED_MIN.max(SLACK_FACTOR * self.left) {
            self.runs.retain(|run| run.count > 0);
            self.runs.shrink_to(SLACK_FACTOR * self.left);
            self.first = 0;
        }
    }
}

impl Run {
    /// The position behind its last message. An empty one keeps its end.
    fn end(&self) -> u64 {
        self.begin + u64::from(self.count)
    }

    fn shorten(&mut self) {
        self.begin += 1;
        self.count -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::logs::Logs;
    use proptest::prelude::*;
    use workyard_protocol::ChannelName;

    /// Everything that stands there, once more: one row for each log.
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
            let kept = logs.map(|log| (log, VecDeque::new())).into();
            Self { order: Order::new(), position: 0, kept }
        }

        fn push(&mut self, at: usize) {
            self.position += 1;
            let (log, row) = &mut self.kept[at];
            row.push_back(self.position);
            self.order.push(self.position, *log);
        }

        fn pop(&mut self, at: usize) {
            if let Some(gone) = self.kept[at].1.pop_front() {
                self.order.remove(gone);
            }
        }

        fn check(&mut self) {
            let kept = &self.kept;
            let all = kept.iter().flat_map(|(log, row)| row.iter().map(|at| (*at, *log)));
            let mut all: Vec<_> = all.collect();
            all.sort_unstable();
            for from in [0, 1, self.position / 2, self.position, u64::MAX] {
                let expected = all.iter().copied().filter(|(at, _)| *at > from);
                assert!(self.order.behind(from).eq(expected), "behind {from}");
            }
            assert_eq!(self.order.first(), all.first().map(|(_, log)| *log));
            let runs = |block: &Block| block.runs.len() - block.first;
            // What has come since a block was cleared up is not empty.
            let most = |block: &Block| CLEARED_MIN + SLACK_FACTOR * block.left;
            assert!(self.order.blocks.iter().all(|block| runs(block) <= most(block)));
        }
    }

    #[test]
    fn a_message_that_stays_does_not_keep_room_for_the_others() {
        let mut world = World::new();
        world.push(0);
        for _ in 0..10 * RUNS_MAX {
            world.push(1);
            world.push(2);
            world.pop(1);
            world.pop(2);
        }
        world.check();
        let runs: usize = world.order.blocks.iter().map(|block| block.runs.len()).sum();
        assert!(runs <= RUNS_MAX + CLEARED_MIN, "{runs}");
        world.pop(0);
        assert!(world.order.blocks.is_empty());
    }

    proptest! {
        #[test]
        fn whatever_comes_and_goes_the_rest_stands_in_order(
            steps in prop::collection::vec((0..3usize, 1..4usize, 0..300usize, 0..300usize), 1..30),
        ) {
            let mut world = World::new();
            for (at, every, pushes, pops) in steps {
                (0..pushes).for_each(|number| world.push((at + number % every) % 3));
                (0..pops).for_each(|_| world.pop(at));
                world.check();
            }
        }
    }
}
