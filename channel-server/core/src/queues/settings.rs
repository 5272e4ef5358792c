//! What a queue works by: its own settings, and the server's where it has none.

use super::Queues;
use workyard_engine::{Caller, Outbox};
use workyard_planted::planted;
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

    /// How long a lease of the queue's jobs lasts.
    pub(super) fn lease_ms(&self, at: u32) -> u32 {
        let own = self.queues[at].settings.as_ref().and_then(|own| own.lease_ms);
        own.filter(|_| !planted!("lease-of-a-queue-is-ignored"))
            .unwrap_or(self.limits.queue_lease_ms)
    }

    /// How many jobs the queue may have.
    pub(super) fn jobs_max(&self, at: u32) -> usize {
        let own = self.queues[at].settings.as_ref().and_then(|own| own.jobs_max);
        bounded(own, self.limits.queue_jobs_max)
    }

    /// How many bytes of jobs the queue may have.
    pub(super) fn bytes_max(&self, at: u32) -> usize {
        let own = self.queues[at].settings.as_ref().and_then(|own| own.bytes_max);
        bounded(own, self.limits.queue_bytes_max)
    }

    /// What the bound of its jobs is called to those who meet it.
    pub(super) fn jobs_limit(&self, at: u32) -> &'static str {
        match self.jobs_max(at) < self.limits.queue_jobs_max {
            true => "the queue's own jobs_max",
            false => "queue_jobs_max",
        }
    }

    fn own(&self, at: u32) -> QueueSettings {
        self.queues[at].settings.as_deref().copied().unwrap_or_default()
    }
}

/// A queue's own bound, as far as the server's lets it.
fn bounded(own: Option<u64>, limit: usize) -> usize {
    own.map_or(limit, |own| usize::try_from(own).unwrap_or(usize::MAX).min(limit))
}
