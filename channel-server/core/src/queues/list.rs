//! Pages of queues and what is in them.

use super::Queues;
use super::queue::Queue;
use crate::named::Page;
use workyard_engine::{Caller, Outbox, Time};
use workyard_protocol::QueueName;
use workyard_protocol::channel::{self, ChannelWire, QueueStats, Reply};

impl Queues {
    /// Answers with the queues from the cursor on whose names begin with the prefix.
    pub(crate) fn list(
        &self,
        now: Time,
        caller: Caller,
        request: channel::Queues<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let channel::Queues { prefix, cursor, limit } = request;
        let page = Page { cursor, limit, prefix };
        let (cursor, queues) = self.queues.page(page, |name, queue| self.stats(now, name, queue));
        outbox.reply(caller, Reply::Queues { cursor, queues });
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
