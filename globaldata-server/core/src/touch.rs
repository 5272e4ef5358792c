//! `touch`: another lifetime for what is there, or none.

use crate::store::Store;
use crate::update::Change;
use workyard_engine::Time;
use workyard_protocol::Refusal;
use workyard_protocol::globaldata::{Existence, Reply, Touch};

impl Store {
    /// Neither value nor revision change: whoever has read the variable knows it still, and a cas on
    /// what was read holds. So a session that is kept alive does not disturb those who work on it.
    pub(crate) fn touch(&mut self, now: Time, touch: Touch<'_>) -> Result<Reply<'static>, Refusal> {
        let updated = self.update(now, touch.key, |_| Ok(Change::Touch(touch.ttl)))?;
        Ok(Reply::Existence(updated.changed.then_some(Existence {
            revision: updated.revision,
            ttl_ms: touch.ttl.map(|ttl| ttl.as_millis()),
        })))
    }
}
