//! Which callback this process is in, for whom looks at it from outside when it does not come back.

use std::sync::atomic::{AtomicU64, Ordering};

/// The callback in the upper bits, the connection in the lower ones; 0 is none. A process serves on one
/// thread, so there is one such place; another thread only reads it.
static PRESENT: AtomicU64 = AtomicU64::new(0);
const CONNECTION_BITS: u32 = 56;
const CONNECTION_MASK: u64 = (1 << CONNECTION_BITS) - 1;

/// What of the user's code is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Callback {
    WorkerStart = 1,
    WorkerReload,
    WorkerStop,
    Connect,
    Message,
    Close,
    BufferFull,
    BufferDrain,
    Error,
    Opening,
    Timer,
}

impl Callback {
    const ALL: [Self; 11] = [
        Self::WorkerStart,
        Self::WorkerReload,
        Self::WorkerStop,
        Self::Connect,
        Self::Message,
        Self::Close,
        Self::BufferFull,
        Self::BufferDrain,
        Self::Error,
        Self::Opening,
        Self::Timer,
    ];

    /// As users write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WorkerStart => "on_worker_start",
            Self::WorkerReload => "on_worker_reload",
            Self::WorkerStop => "on_worker_stop",
            Self::Connect => "on_connect",
            Self::Message => "on_message",
            Self::Close => "on_close",
            Self::BufferFull => "on_buffer_full",
            Self::BufferDrain => "on_buffer_drain",
            Self::Error => "on_error",
            Self::Opening => "on_websocket_connect",
            Self::Timer => "a timer",
        }
    }
}

/// A callback of a connection, or of none, which is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Activity(u64);

/// Until it is dropped, a callback runs.
#[derive(Debug)]
#[must_use = "the callback is over when this is dropped"]
pub(crate) struct Active {
    before: u64,
}

impl Activity {
    pub(crate) fn new(callback: Callback, connection: u64) -> Self {
        Self((callback as u64) << CONNECTION_BITS | connection & CONNECTION_MASK)
    }

    /// Notes that it is run.
    pub(crate) fn begin(self) -> Active {
        let before = PRESENT.load(Ordering::Relaxed);
        PRESENT.store(self.0, Ordering::Relaxed);
        Active { before }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        PRESENT.store(self.before, Ordering::Relaxed);
    }
}

/// The callback that runs now, and the connection.
pub(crate) fn present() -> Option<(Callback, u64)> {
    let present = PRESENT.load(Ordering::Relaxed);
    let number = present >> CONNECTION_BITS;
    let callback = Callback::ALL.into_iter().find(|callback| *callback as u64 == number)?;
    Some((callback, present & CONNECTION_MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_within_callbacks_are_known() {
        for callback in Callback::ALL {
            assert!(!callback.name().is_empty());
            let _active = Activity::new(callback, 7).begin();
            assert_eq!(present(), Some((callback, 7)));
        }
        assert_eq!(present(), None);
        let outer = Activity::new(Callback::Message, u64::MAX).begin();
        let inner = Activity::new(Callback::Close, 2).begin();
        assert_eq!(present(), Some((Callback::Close, 2)));
        drop(inner);
        assert_eq!(present(), Some((Callback::Message, CONNECTION_MASK)));
        drop(outer);
        assert_eq!(present(), None);
    }
}
