//! What a queue works by: its own settings, and the server's where it has none.

use super::Queues;
use workyard_engine::{Caller, Outbox};
use workyard_protocol::Delay;
use workyard_protocol::channel::{
    ChannelWire, Configure, QueueSettings, Reply, Settings, SettingsInForce,
};
use workyard_protocol::limits::DELAY_MS_MAX;

impl Queues {
    /// Gives a queue settings of its own, or takes those away that it had.
    pub(crate) fn configure(
        &mut self,
        caller: Caller,
        request: Configure<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Configure { queue, settings } = request;
        let own = (settings != QueueSettings::default()).then(|| Box::new(settings));
        let at = match self.queues.find(queue.as_bytes()) {
            Some(at) => at,
            None if own.is_none() => return outbox.reply(caller, Reply::Done),
            None => match self.add_queue(queue) {
                Ok(at) => at,
                Err(refusal) => return outbox.refuse(caller, refusal),
            },
        };
        self.queues[at].settings = own;
        outbox.reply(caller, Reply::Done);
        self.forget_if_unused(at);
    }

    /// Answers with the settings of a queue, whether or not there is one.
    pub(crate) fn settings(
        &self,
        caller: Caller,
        request: Settings<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let at = self.queues.find(request.queue.as_bytes());
        let own = at.map_or_else(QueueSettings::default, |at| self.own(at));
        outbox.reply(caller, Reply::Settings { own, in_force: self.in_force(at) });
    }

    /// What the queue works by.
    #[inline]
    pub(super) fn in_force(&self, at: Option<u32>) -> SettingsInForce {
        let limits = &self.limits;
        let own = at.map_or_else(QueueSettings::default, |at| self.own(at));
        let window_ms = limits.queue_dedup_window_ms.min(DELAY_MS_MAX);
        let window = Delay::from_millis(window_ms).expect("it is no more than the most");
        let (jobs_max, bytes_max) = (limits.queue_jobs_max as u64, limits.queue_bytes_max as u64);
        SettingsInForce {
            lease_ms: own.lease_ms.unwrap_or(limits.queue_lease_ms),
            attempts_max: own.attempts_max.unwrap_or(limits.job_attempts_max),
            backoff: own.backoff.unwrap_or_default(),
            dedup_window: own.dedup_window.unwrap_or(window),
            jobs_max: own.jobs_max.map_or(jobs_max, |own| own.min(jobs_max)),
            bytes_max: own.bytes_max.map_or(bytes_max, |own| own.min(bytes_max)),
        }
    }

    fn own(&self, at: u32) -> QueueSettings {
        self.queues[at].settings.as_deref().copied().unwrap_or_default()
    }
}
