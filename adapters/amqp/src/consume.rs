//! What is wanted of a consumer.

use std::num::NonZeroU16;

/// What is wanted of a consumer: a queue, and how its messages come.
#[derive(Clone, Debug)]
pub struct Consume {
    pub(crate) queue: String,
    pub(crate) prefetch: NonZeroU16,
    pub(crate) is_exclusive: bool,
}

impl Consume {
    /// Messages of that queue.
    #[must_use]
    pub fn from(queue: impl Into<String>) -> Self {
        let prefetch = const { NonZeroU16::new(32).unwrap() };
        Self { queue: queue.into(), prefetch, is_exclusive: false }
    }

    /// Most messages that are sent ahead, and so wait in this process or are not acknowledged yet: 32
    /// unless said; none is as good as one.
    #[must_use]
    pub fn prefetch(mut self, messages: u16) -> Self {
        self.prefetch = NonZeroU16::new(messages).unwrap_or(NonZeroU16::MIN);
        self
    }

    /// Fails when there is another consumer, and keeps others away.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.is_exclusive = true;
        self
    }
}
