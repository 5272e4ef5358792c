//! Where queues are: the names of the original, and those for what it lacks.

/// The names of keys. The braces keep all of them on one node of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    base: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { base: format!("{prefix}{{redis-queue}}") }
    }

    /// List: jobs that wait, the oldest on the right.
    pub(super) fn waiting(&self, queue: &str) -> String {
        format!("{}-waiting{queue}", self.base)
    }

    /// Sorted set of all queues: when jobs are due, in seconds since 1970.
    pub(super) fn delayed(&self) -> String {
        format!("{}-delayed", self.base)
    }

    /// List of all queues: what has failed for good, the oldest on the right.
    pub(super) fn failed(&self) -> String {
        format!("{}-failed", self.base)
    }

    /// Hash: which queue each consumer has.
    pub(super) fn consumers(&self) -> String {
        format!("{}-consumers", self.base)
    }

    /// List: what a consumer was given and has not finished.
    pub(super) fn processing(&self, consumer: &str) -> String {
        format!("{}-processing:{consumer}", self.base)
    }

    /// There as long as a consumer is.
    pub(super) fn lease(&self, consumer: &str) -> String {
        format!("{}-lease:{consumer}", self.base)
    }
}
