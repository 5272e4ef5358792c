//! Every setting of the broker: its bounds, each with its unit last, and what it does with jobs.

use std::fmt::Display;
use workyard_protocol::{Reason, Refusal};

/// How much a broker takes before it refuses with `LimitReached`.
///
/// What is at a limit already can still be used: subscribing again to what one has, consuming again
/// from the same queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokerLimits {
    /// Most subscriptions of one session.
    pub subscriptions_per_session_max: usize,
    /// Most subscriptions of all sessions together. One takes about 200 bytes.
    pub subscriptions_max: usize,
    /// Most different patterns of all sessions together. It bounds what matching can cost.
    pub patterns_max: usize,
    /// Most bytes in the names of channels, patterns and groups that are subscribed to.
    pub name_bytes_max: usize,
    /// Most bytes for the numbers of channels' messages: the channels' names and 64 bytes for each.
    /// Nothing is refused above it; channels that were not published to lately are forgotten, and go on
    /// above the greatest number of them all.
    pub sequence_bytes_max: usize,
    /// Most rules by which messages are kept.
    pub history_rules_max: usize,
    /// Most bytes in the messages that are kept of all channels. A message counts as its value and 96
    /// bytes, a channel of which any is kept as its name and 256. Above it the oldest are forgotten.
    pub history_bytes_max: usize,
    /// Most replays of one session that are under way.
    pub replays_per_session_max: usize,
    /// Most replays of all sessions together. One takes about 250 bytes, however long it waits.
    pub replays_max: usize,
    /// Most messages that are held for one subscription while its session has no room. Above it the oldest
    /// are lost.
    pub held_messages_per_subscription_max: usize,
    /// Most bytes in these messages: their values, and for each its channel's name twice and
    /// [`BrokerLimits::HELD_OVERHEAD_BYTES`]. The same.
    pub held_bytes_per_subscription_max: usize,
    /// Most bytes that are held for all subscriptions together. Above it a subscription loses its own.
    pub held_bytes_max: usize,
    /// Most queues: those that have a job, a consumer, settings of their own, or an id to remember.
    pub queues_max: usize,
    /// Most jobs in one queue, whatever their state.
    pub queue_jobs_max: usize,
    /// Most bytes in the jobs of all queues together. A job counts as its value and
    /// [`BrokerLimits::JOB_OVERHEAD_BYTES`].
    pub queue_bytes_max: usize,
    /// Most queues that one session consumes from or holds jobs of.
    pub consumers_per_session_max: usize,
    /// How often a job is handed out before its next return puts it into the queue of the same name with
    /// `.dead` behind it; 0 is without end. The jobs there stay there.
    pub job_attempts_max: u32,
    /// Most channels that one session serves.
    pub services_per_session_max: usize,
    /// Most channels that all sessions together serve, each counted once for each of its sessions. Their
    /// names may have [`BrokerLimits::name_bytes_max`] bytes besides those of subscriptions.
    pub services_max: usize,
    /// Most questions that wait for an answer. One takes about 200 bytes, and its copy if it may be repeated.
    pub questions_max: usize,
    /// Most questions of one asker that wait.
    pub questions_per_session_max: usize,
    /// Most questions that one responder holds. It is passed over while it has so many.
    pub questions_per_responder_max: usize,
    /// Most bytes of questions that are kept for another responder, and of answers that wait for askers
    /// which do not read, together.
    pub question_bytes_max: usize,
    /// Most channels that one session has entered and follows, together.
    pub presences_per_session_max: usize,
    /// Most members of all channels together. One takes about 130 bytes, and its identity.
    pub presence_members_max: usize,
    /// Most sessions that follow who is there, each counted once for each channel.
    pub presence_followers_max: usize,
    /// Most bytes of identities and of the names of entered or followed channels.
    pub presence_bytes_max: usize,
    /// How long a job is its consumer's unless the lease is renewed, in milliseconds; 0 is as long as the
    /// connection. Queues may have another time of their own.
    pub queue_lease_ms: u32,
    /// How long the id that a publisher gave a job is remembered, in milliseconds; 0 is not at all.
    /// Queues may have another time of their own.
    pub queue_dedup_window_ms: u64,
    /// Most ids of jobs that are remembered, of all queues together. One takes about 200 bytes more
    /// than it is long.
    pub dedup_ids_max: usize,
    /// Jobs that a consumer reserves one by one are done with when they are sent. Else they are its
    /// own until it acknowledges them, and come back when it is gone.
    pub reserve_at_most_once: bool,
}

impl BrokerLimits {
    /// What a job takes apart from its value, so that jobs without content are bounded too.
    pub const JOB_OVERHEAD_BYTES: usize = 192;

    /// What a message that is held takes apart from its value and its channel's name.
    pub const HELD_OVERHEAD_BYTES: usize = 256;

    /// The refusal for whoever would exceed a limit.
    pub(crate) fn reached(name: &str, value: impl Display) -> Refusal {
        Refusal::new(Reason::LimitReached, format!("{name} of {value} is reached"))
    }
}

impl Default for BrokerLimits {
    fn default() -> Self {
        Self {
            subscriptions_per_session_max: 1_000_000,
            subscriptions_max: 10_000_000,
            patterns_max: 100_000,
            name_bytes_max: 1024 * 1024 * 1024,
            sequence_bytes_max: 64 * 1024 * 1024,
            history_rules_max: 1000,
            history_bytes_max: 1024 * 1024 * 1024,
            replays_per_session_max: 100_000,
            replays_max: 1_000_000,
            held_messages_per_subscription_max: 8192,
            held_bytes_per_subscription_max: 16 * 1024 * 1024,
            held_bytes_max: 256 * 1024 * 1024,
            queues_max: 100_000,
            queue_jobs_max: 10_000_000,
            queue_bytes_max: 1024 * 1024 * 1024,
            consumers_per_session_max: 10_000,
            job_attempts_max: 10,
            services_per_session_max: 10_000,
            services_max: 1_000_000,
            questions_max: 1_000_000,
            questions_per_session_max: 10_000,
            questions_per_responder_max: 10_000,
            question_bytes_max: 256 * 1024 * 1024,
            presences_per_session_max: 1000,
            presence_members_max: 1_000_000,
            presence_followers_max: 1_000_000,
            presence_bytes_max: 256 * 1024 * 1024,
            queue_lease_ms: 30_000,
            queue_dedup_window_ms: 5 * 60 * 1000,
            dedup_ids_max: 1_000_000,
            reserve_at_most_once: false,
        }
    }
}
