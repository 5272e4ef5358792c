//! The ids that publishers gave their jobs, each for as long as a second one of it is the same job.

use std::collections::BTreeMap;
use std::sync::Arc;
use workyard_engine::Time;
use workyard_protocol::channel::PublisherId;

/// The ids of one queue.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    by_id: BTreeMap<Arc<[u8]>, Known>,
    by_job: BTreeMap<u64, Arc<[u8]>>,
}

/// Under which number a job is known, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) job: u64,
    pub(crate) until: Time,
}

impl Ids {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// What there is of an id, whether or not its time is over.
    pub(crate) fn find(&self, id: PublisherId<'_>) -> Option<Known> {
        self.by_id.get(id.as_bytes()).copied()
    }

    /// Adds an id that is not there.
    pub(crate) fn insert(&mut self, id: PublisherId<'_>, known: Known) {
        let id: Arc<[u8]> = id.as_bytes().into();
        self.by_job.insert(known.job, Arc::clone(&id));
        let before = self.by_id.insert(id, known);
        assert_eq!(before, None, "the caller has looked for it");
    }

    /// Forgets the id of this job.
    pub(crate) fn forget(&mut self, job: u64) {
        let id = self.by_job.remove(&job).expect("an id is forgotten once");
        self.by_id.remove(&id);
    }
}
