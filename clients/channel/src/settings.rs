//! The settings of a queue.

use crate::client::{ChannelClient, unexpected};
use crate::error::Error;
use std::time::Duration;
use workyard_protocol::channel::{self, Configure, Reply, Request, Settings};
use workyard_protocol::{Delay, QueueName};

/// What a queue has of its own; whatever it has not is as the server has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueSettings {
    /// How long a job is its consumer's unless the lease is renewed, which clients do by themselves; zero
    /// for as long as the connection. Up to 49 days.
    pub lease: Option<Duration>,
    /// How often a job is handed out before its next return makes it a dead letter; 0 is without end.
    pub attempts_max: Option<u32>,
    /// How long a job waits that was given back or whose lease ran out.
    pub backoff: Option<JobBackoff>,
    /// How long the ids of jobs are remembered; zero is not at all.
    pub dedup_window: Option<Duration>,
    /// Most jobs, whatever their state, at least 1. The server's own bound holds too.
    pub jobs_max: Option<u64>,
    /// Most bytes of jobs, at least 1, with 192 for each. The server's own bound holds too.
    pub bytes_max: Option<u64>,
}

/// How long a job waits before it is handed out again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobBackoff {
    /// Not at all.
    #[default]
    None,
    /// Equally long each time.
    Fixed(Duration),
    /// Twice as long each time.
    Exponential {
        /// How long after the first attempt.
        first: Duration,
        /// How long at most, no less than `first`.
        max: Duration,
    },
}

/// The settings of a queue, its own and those that it works by: where it has none, they are the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingsReport {
    /// What it has of its own.
    pub own: QueueSettings,
    /// What it works by: all of them are there.
    pub in_force: QueueSettings,
}

impl ChannelClient {
    /// Gives a queue these settings instead of those that it had. With any of its own it is kept also while
    /// it is empty; with the default it is as the server is.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use workyard_channel::{ChannelClient, JobBackoff, QueueSettings};
    /// # async fn example(client: ChannelClient) -> Result<(), workyard_channel::Error> {
    /// let backoff =
    ///     JobBackoff::Exponential { first: Duration::from_secs(1), max: Duration::from_secs(600) };
    /// let settings = QueueSettings {
    ///     attempts_max: Some(20),
    ///     backoff: Some(backoff),
    ///     ..QueueSettings::default()
    /// };
    /// client.configure_queue("mails", &settings).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` or `Refused` for a setting outside
    /// its bounds.
    pub async fn configure_queue(
        &self,
        queue: impl AsRef<[u8]>,
        settings: &QueueSettings,
    ) -> Result<(), Error> {
        let queue = QueueName::new(queue.as_ref())?;
        let settings = settings.wire()?;
        self.done(Request::Configure(Configure { queue, settings })).await
    }

    /// The settings of a queue, whether or not there is one.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn queue_settings(&self, queue: impl AsRef<[u8]>) -> Result<SettingsReport, Error> {
        let queue = QueueName::new(queue.as_ref())?;
        let received = self.link.request(&Request::Settings(Settings { queue })).await?;
        match received.decode()? {
            Reply::Settings { own, in_force } => Ok(SettingsReport {
                own: QueueSettings::of(own),
                in_force: QueueSettings::of(channel::QueueSettings {
                    lease_ms: Some(in_force.lease_ms),
                    attempts_max: Some(in_force.attempts_max),
                    backoff: Some(in_force.backoff),
                    dedup_window: Some(in_force.dedup_window),
                    jobs_max: Some(in_force.jobs_max),
                    bytes_max: Some(in_force.bytes_max),
                }),
            }),
            other => Err(unexpected(&other)),
        }
    }
}

impl QueueSettings {
    fn wire(&self) -> Result<channel::QueueSettings, Error> {
        Ok(channel::QueueSettings {
            lease_ms: self.lease.map(lease_ms).transpose()?,
            attempts_max: self.attempts_max,
            backoff: self.backoff.map(JobBackoff::wire).transpose()?,
            dedup_window: self.dedup_window.map(Delay::try_from).transpose()?,
            jobs_max: self.jobs_max,
            bytes_max: self.bytes_max,
        })
    }

    fn of(wire: channel::QueueSettings) -> Self {
        Self {
            lease: wire.lease_ms.map(|millis| Duration::from_millis(millis.into())),
            attempts_max: wire.attempts_max,
            backoff: wire.backoff.map(JobBackoff::of),
            dedup_window: wire.dedup_window.map(Duration::from),
            jobs_max: wire.jobs_max,
            bytes_max: wire.bytes_max,
        }
    }
}

impl JobBackoff {
    fn wire(self) -> Result<channel::Backoff, Error> {
        Ok(match self {
            Self::None => channel::Backoff::None,
            Self::Fixed(delay) => channel::Backoff::Fixed(delay.try_into()?),
            Self::Exponential { first, max } => {
                channel::Backoff::Exponential { first: first.try_into()?, max: max.try_into()? }
            }
        })
    }

    fn of(wire: channel::Backoff) -> Self {
        match wire {
            channel::Backoff::None => Self::None,
            channel::Backoff::Fixed(delay) => Self::Fixed(delay.into()),
            channel::Backoff::Exponential { first, max } => {
                Self::Exponential { first: first.into(), max: max.into() }
            }
        }
    }
}

/// Begun milliseconds count as whole ones: less than one is no lease without end.
fn lease_ms(lease: Duration) -> Result<u32, Error> {
    u32::try_from(lease.as_nanos().div_ceil(1_000_000)).map_err(|_| {
        let text = format!("a lease of {lease:?} is above the limit of {} ms, 49 days", u32::MAX);
        Error::InvalidArgument(text)
    })
}
