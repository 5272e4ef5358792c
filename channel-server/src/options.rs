//! The broker's bounds as flags, environment and `[limits]` of the file.

mod history;

pub use history::HistoryRules;

use workyard_channel_core::BrokerLimits;

workyard_daemon::overrides! {
    /// The broker's bounds, each of which may be missing.
    pub struct Limits overrides BrokerLimits {
        /// Subscriptions of one session at most
        subscriptions_per_session_max: usize = "COUNT",
        /// Subscriptions of all sessions together at most
        subscriptions_max: usize = "COUNT",
        /// Different patterns at most
        patterns_max: usize = "COUNT",
        /// Bytes of subscribed names at most
        name_bytes_max: usize = "BYTES",
        /// Bytes for the numbers of channels' messages: names, and 64 bytes for each channel. Above it
        /// channels that were not published to lately are forgotten
        sequence_bytes_max: usize = "BYTES",
        /// Rules by which messages are kept at most
        history_rules_max: usize = "COUNT",
        /// Bytes of the messages that are kept at most, with 96 bytes for each
        history_bytes_max: usize = "BYTES",
        /// Replays of one session at most
        replays_per_session_max: usize = "COUNT",
        /// Replays of all sessions together at most
        replays_max: usize = "COUNT",
        /// Messages held for one subscription whose session is slow at most
        held_messages_per_subscription_max: usize = "COUNT",
        /// Bytes of these messages at most, with 256 bytes and the channel's name twice for each
        held_bytes_per_subscription_max: usize = "BYTES",
        /// Bytes of messages held for all subscriptions at most
        held_bytes_max: usize = "BYTES",
        /// Queues at most
        queues_max: usize = "COUNT",
        /// Jobs in one queue at most
        queue_jobs_max: usize = "COUNT",
        /// Bytes of the jobs in all queues at most, with 192 bytes for each job
        queue_bytes_max: usize = "BYTES",
        /// Queues that one session consumes from at most
        consumers_per_session_max: usize = "COUNT",
        /// How often a job is handed out before it goes to the queue NAME.dead; 0 is without end
        job_attempts_max: u32 = "COUNT",
        /// Channels that one session serves at most
        services_per_session_max: usize = "COUNT",
        /// Channels that all sessions together serve at most
        services_max: usize = "COUNT",
        /// Questions that wait for an answer at most
        questions_max: usize = "COUNT",
        /// Questions of one session that wait for an answer at most
        questions_per_session_max: usize = "COUNT",
        /// Questions that one responder holds at most
        questions_per_responder_max: usize = "COUNT",
        /// Bytes of questions and answers that are kept at most
        question_bytes_max: usize = "BYTES",
        /// Channels that one session has entered or follows at most
        presences_per_session_max: usize = "COUNT",
        /// Members of all channels at most
        presence_members_max: usize = "COUNT",
        /// Sessions that follow who is there at most
        presence_followers_max: usize = "COUNT",
        /// Bytes of identities and names of entered channels at most
        presence_bytes_max: usize = "BYTES",
        /// How long a job is its consumer's unless the lease is renewed; 0 is as long as the connection
        queue_lease_ms: u32 = "MILLISECONDS",
        /// How long the id that a publisher gave a job is remembered; 0 is not at all
        queue_dedup_window_ms: u64 = "MILLISECONDS",
        /// Ids of jobs that are remembered at most
        dedup_ids_max: usize = "COUNT",
        /// Whether jobs that are reserved one by one, as Workerman's clients do, are done with when
        /// they are sent, and not when the next one is reserved
        reserve_at_most_once: bool = "true|false",
    }
    beside {
        /// What is kept of which channels, as in `orders.>=1000,1MiB,1h;state.*=1,64KiB,1d`: messages,
        /// bytes and age at most
        history: HistoryRules = "RULES",
    }
}
