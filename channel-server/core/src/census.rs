//! What a broker holds, in numbers: for metrics, and for tests that nothing stays behind.

/// How much of everything there is at one moment. All zero when nobody left anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Channels that somebody subscribed to by name.
    pub channels: usize,
    /// Patterns that somebody subscribed to.
    pub patterns: usize,
    /// Names of queue groups.
    pub groups: usize,
    /// Subscriptions of all sessions.
    pub subscriptions: usize,
    /// Sessions that subscribed to something.
    pub subscribers: usize,
    /// Replays that are under way.
    pub replays: usize,
    /// Sessions for which messages are held, as they have no room.
    pub slow_sessions: usize,
    /// These messages.
    pub held_messages: usize,
    /// Their bytes, as [`BrokerLimits::held_bytes_max`](crate::BrokerLimits) counts them.
    pub held_bytes: usize,
    /// Rules by which messages are kept.
    pub history_rules: usize,
    /// Messages that are kept.
    pub history_messages: usize,
    /// Bytes of the names of channels, patterns and groups.
    pub name_bytes: usize,
    /// Queues that have a job, a consumer, settings of their own, or an id to remember.
    pub queues: usize,
    /// Sessions that consume, each counted once for each of its queues.
    pub consumers: usize,
    /// Jobs that wait for a consumer, and are ready.
    pub ready: usize,
    /// Jobs that sessions hold.
    pub leased: usize,
    /// Jobs that nobody shall have yet.
    pub delayed: usize,
    /// Ids of jobs that are remembered.
    pub ids: usize,
    /// Sessions that consume or hold a job.
    pub holders: usize,
    /// Bytes of all jobs, as [`BrokerLimits::queue_bytes_max`](crate::BrokerLimits) counts them.
    pub job_bytes: usize,
    /// Channels that somebody serves.
    pub services: usize,
    /// Sessions that serve, each counted once for each of its channels.
    pub responders: usize,
    /// Questions that wait for an answer.
    pub questions: usize,
    /// Sessions that serve, ask or were asked, and askers that have answers still to read.
    pub question_parties: usize,
    /// Bytes of questions kept for another responder, and of answers that wait for slow askers.
    pub question_bytes: usize,
    /// Channels that somebody has entered or follows.
    pub rooms: usize,
    /// Members of all channels.
    pub members: usize,
    /// Sessions that follow who is there, each counted once for each channel.
    pub followers: usize,
    /// Sessions that are members or follow.
    pub visitors: usize,
    /// Bytes of identities and of the names of these channels.
    pub presence_bytes: usize,
}
