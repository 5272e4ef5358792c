//! Pages of queues and what is in them.

use super::Queues;
use super::queue::Queue;
use workyard_engine::{Caller, Outbox, Time};
use workyard_protocol::QueueName;
use workyard_protocol::channel::{self, ChannelWire, QueueStats, Reply};
use workyard_protocol::limits::HEADER_BYTES_MAX;

/// Most slots that one page looks at, so that a rare prefix does not hold everybody else up.
const PAGE_SLOTS_MAX: usize = 10_000;

/// A page ends after this many bytes of names: an answer is all header, and a header is bounded.
const PAGE_NAME_BYTES_MAX: usize = HEADER_BYTES_MAX / 2;

impl Queues {
    /// Answers with the queues from the cursor on whose names begin with the prefix.
    ///
    /// The cursor is the slot to go on from. A queue that is there from the first page to the last
    /// is listed exactly once, whatever comes and goes meanwhile.
    pub(crate) fn list(
        &self,
        now: Time,
        caller: Caller,
        request: channel::Queues<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let first = usize::try_from(request.cursor).unwrap_or(usize::MAX);
        let mut page = Vec::new();
        let mut name_bytes = 0;
        let mut slot = first;
        while slot < self.queues.end()
            && slot - first < PAGE_SLOTS_MAX
            && page.len() < request.limit as usize
            && name_bytes < PAGE_NAME_BYTES_MAX
        {
            if let Some((name, queue)) = self.queues.slot(slot)
                && name.starts_with(request.prefix)
            {
                name_bytes += name.len();
                page.push(self.stats(now, name, queue));
            }
            slot += 1;
        }
        let cursor = if slot < self.queues.end() { slot as u64 } else { 0 };
        outbox.reply(caller, Reply::Queues { cursor, queues: page });
    }

    fn stats<'a>(&self, now: Time, name: &'a [u8], queue: &Queue) -> QueueStats<'a> {
        let name = QueueName::new(name).expect("it was a queue's name when it came");
        QueueStats {
            queue: name,
            ready: queue.ready() as u64,
            leased: queue.leased() as u64,
            delayed: queue.delayed() as u64,
            dead: self.dead_letters_of(name).map_or(0, |dead| self.queues[dead].jobs() as u64),
            consumers: queue.consumers,
            oldest_ms: queue.oldest().map_or(0, |since| now.millis_since(since)),
        }
    }
}
