//! So many in so much time, counted together by all programs.

use crate::client::GlobalDataClient;
use crate::error::{Error, OutOfBounds};
use crate::expiry::Expiry;
use crate::modify::Bounds;
use bytes::Bytes;
use std::time::Duration;
use workyard_protocol::Number;

/// A limit that all programs share which name the same variable; made by
/// [`GlobalDataClient::rate_limit`].
///
/// It counts in a variable that expires with the window: the first one begins the window, and a new one
/// begins with the first after its end. Each check is one request, and what is not allowed is not
/// counted, so that those who are turned away do not keep others out. As with every fixed window, the end
/// of one and the beginning of the next can together have twice as many within one window's time.
#[derive(Clone, Debug)]
pub struct RateLimit {
    client: GlobalDataClient,
    key: Bytes,
    most: u32,
    window: Duration,
}

/// The answer to a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "it may not be allowed"]
pub struct Verdict {
    /// Whether it is within the limit, and counted.
    pub allowed: bool,
    /// How many more are allowed in this window.
    pub remaining: u32,
    /// When the window ends; nothing when the variable does not expire, because somebody else made it.
    pub reset_in: Option<Duration>,
}

impl GlobalDataClient {
    /// A limit of `most` per window, counted in this variable.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use workyard_globaldata::GlobalDataClient;
    /// # async fn example(client: GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let limit = client.rate_limit("calls:tom", 100, Duration::from_secs(60));
    /// let verdict = limit.check().await?;
    /// if !verdict.allowed {
    ///     println!("too many: come back in {:?}", verdict.reset_in);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn rate_limit(&self, key: impl AsRef<[u8]>, most: u32, window: Duration) -> RateLimit {
        let client = self.with_expiry(Expiry::AfterIfNew(window));
        RateLimit { client, key: Bytes::copy_from_slice(key.as_ref()), most, window }
    }
}

impl RateLimit {
    /// Counts one, if it is allowed.
    ///
    /// # Errors
    /// `Refused` with `NotANumber` when the variable holds something else; `InvalidArgument` for a limit
    /// of 0 and a window that nothing can live; else as [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn check(&self) -> Result<Verdict, Error> {
        self.check_many(1).await
    }

    /// Counts so many, if all of them are allowed; else none.
    ///
    /// # Errors
    /// As [`RateLimit::check`]; `InvalidArgument` for more than the limit, which no window ever allows.
    pub async fn check_many(&self, count: u32) -> Result<Verdict, Error> {
        if count == 0 || count > self.most {
            let most = self.most;
            let text = format!("{count} at once are not in 1 to {most}, the limit");
            return Err(Error::InvalidArgument(text));
        }
        let bounds = Bounds::at_most(self.most);
        let sum = self.client.add_within(&self.key, count.into(), bounds, false).await?;
        let (allowed, used) = match sum.number {
            Ok(used) => (true, used),
            Err(OutOfBounds { current }) => (false, current),
        };
        Ok(Verdict { allowed, remaining: self.remaining(used), reset_in: sum.ttl })
    }

    /// How long a window is.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.window
    }

    fn remaining(&self, used: Number) -> u32 {
        let most = f64::from(self.most);
        // Between 0 and the limit, as the cast saturates.
        (most - used.as_f64()).clamp(0.0, most) as u32
    }
}
