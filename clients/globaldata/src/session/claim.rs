//! One lock that somebody wants or holds, and how long it is certainly held.

use bytes::Bytes;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use workyard_protocol::globaldata::{Lock, Renewal, Unlock};
use workyard_protocol::{LockName, Ttl};

/// What a server's time may lag behind the true one: it counts whole milliseconds, so that a ttl begins
/// there up to so much before the request came.
const SERVER_CLOCK: Duration = Duration::from_millis(1);

/// Names a claim within this process.
pub(crate) type ClaimId = u64;

/// What somebody wants.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// A name within its limit.
    pub(crate) name: Bytes,
    pub(crate) permits: NonZeroU32,
    pub(crate) ttl: Ttl,
    pub(crate) wait: bool,
}

/// What somebody has.
#[derive(Debug)]
pub(crate) struct Acquired {
    pub(crate) token: u64,
    pub(crate) lease: watch::Receiver<Lease>,
}

/// How long a lock is certainly held: from when the last request was *sent* that the server has granted,
/// so that it ends here before it can end there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) until: Instant,
    /// Why it is not held any more.
    pub(crate) lost: Option<LockLost>,
}

/// Why a lock is not held any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LockLost {
    /// It was not renewed in time: the process was stopped, the runtime blocked, or the network slow for
    /// longer than its ttl.
    #[error("it was not renewed in time")]
    Expired,
    /// The connection was lost or the client closed: the server gives back what a connection held when it
    /// is gone.
    #[error("the connection was lost")]
    Disconnected,
}

/// How far a claim has come on this connection.
#[derive(Debug)]
pub(crate) enum Stage {
    /// There was no connection, or the turn came and went while nobody looked: to be asked for.
    Wanted,
    /// Asked for, when.
    Asked(Instant),
    /// Its turn will come.
    Queued { token: u64 },
    /// It was granted at a time that only the server knows, and is renewed before it is handed out.
    Confirming { token: u64 },
    /// Somebody has it.
    Held { token: u64, lease: watch::Sender<Lease>, renewal: RenewalState },
}

/// What is done so that a lock stays held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RenewalState {
    /// It is renewed at this time.
    At(Instant),
    /// A renewal is on its way.
    Sent,
}

impl Wish {
    pub(crate) fn lock(&self) -> Lock<'_> {
        Lock { name: self.name(), permits: self.permits, ttl: self.ttl, wait: self.wait }
    }

    pub(crate) fn unlock(&self, token: u64) -> Unlock<'_> {
        Unlock { name: self.name(), token }
    }

    pub(crate) fn renewal(&self, token: u64) -> Renewal<'_> {
        Renewal { name: self.name(), token, ttl: self.ttl }
    }

    /// When a lock that was asked for or renewed then is not certainly held any more.
    pub(crate) fn until(&self, sent: Instant) -> Instant {
        let ttl = Duration::from(self.ttl).saturating_sub(SERVER_CLOCK);
        // A clock that ends before ten years are over has other troubles.
        sent.checked_add(ttl).unwrap_or(sent)
    }

    /// Whether it can be known to be held at all.
    pub(crate) fn is_long_enough(&self) -> bool {
        Duration::from(self.ttl) > SERVER_CLOCK
    }

    /// When one that was renewed then is renewed again: two renewals may fail.
    pub(crate) fn next_renewal(&self, sent: Instant) -> Instant {
        sent.checked_add(Duration::from(self.ttl) / 3).unwrap_or(sent)
    }

    fn name(&self) -> LockName<'_> {
        LockName::new(&self.name).expect("it was a name when it was asked for")
    }
}

impl Stage {
    /// The number that the server knows it by.
    pub(crate) fn token(&self) -> Option<u64> {
        match self {
            Self::Wanted | Self::Asked(_) => None,
            Self::Queued { token } | Self::Confirming { token } | Self::Held { token, .. } => {
                Some(*token)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_here_before_it_can_end_where_milliseconds_are_counted() {
        let ttl = Ttl::from_millis(50).unwrap();
        let wish = Wish { name: Bytes::new(), permits: NonZeroU32::MIN, ttl, wait: false };
        let start = Instant::now();
        for micros in [0, 1, 400, 999, 1000, 1001, 7999] {
            let sent = start + Duration::from_micros(micros);
            // A server that has begun at that instant, and is asked without any delay.
            let ends = start + Duration::from_millis(micros / 1000 + 50);
            assert!(wish.until(sent) <= ends, "{micros} us");
        }
    }
}
