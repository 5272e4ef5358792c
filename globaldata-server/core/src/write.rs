//! `write` and `delete`: `set`, `add` and `cas` are one, and differ in what they expect.

use crate::store::Store;
use crate::update::Change;
use workyard_engine::Time;
use workyard_planted::planted;
use workyard_protocol::Refusal;
use workyard_protocol::globaldata::{Delete, Entry, Expect, Reply, Write, Written};

impl Store {
    pub(crate) fn write(&mut self, now: Time, write: Write<'_>) -> Result<Reply<'static>, Refusal> {
        let updated = self.update(now, write.key, |current| {
            let holds = holds(write.expect, current);
            Ok(if holds { Change::Store(write.value, write.expiry) } else { Change::Keep })
        })?;
        let revision = updated.revision;
        Ok(Reply::Written(if updated.changed {
            Written::Stored { revision }
        } else {
            Written::Conflict { current: revision }
        }))
    }

    pub(crate) fn delete(
        &mut self,
        now: Time,
        delete: Delete<'_>,
    ) -> Result<Reply<'static>, Refusal> {
        let mut held = true;
        let updated = self.update(now, delete.key, |current| {
            held = holds(delete.expect, current);
            Ok(if held { Change::Delete } else { Change::Keep })
        })?;
        Ok(match held {
            true => Reply::Deleted { existed: updated.changed },
            false => Reply::Written(Written::Conflict { current: updated.revision }),
        })
    }
}

/// Whether a variable is as expected.
pub(crate) fn holds(expect: Expect<'_>, current: Option<Entry<'_>>) -> bool {
    match (expect, current) {
        (Expect::Any, _) | (Expect::Absent, None) => true,
        (Expect::Revision(_), Some(_)) if planted!("cas-ignores-the-revision") => true,
        (Expect::Revision(revision), Some(entry)) => entry.revision == revision,
        (Expect::Value(value), Some(entry)) => entry.value == value,
        (Expect::Absent, Some(_)) if planted!("add-overwrites") => true,
        (Expect::Absent, Some(_)) | (Expect::Revision(_) | Expect::Value(_), None) => false,
    }
}
