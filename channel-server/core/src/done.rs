//! The answer to a request that has nothing to tell but whether it was carried out.

use workyard_engine::{Caller, Outbox};
use workyard_protocol::Refusal;
use workyard_protocol::channel::{ChannelWire, Reply};

/// Answers `Done`, or refuses.
pub(crate) fn done(
    caller: Caller,
    result: Result<(), Refusal>,
    outbox: &mut impl Outbox<ChannelWire>,
) {
    match result {
        Ok(()) => outbox.reply(caller, Reply::Done),
        Err(refusal) => outbox.refuse(caller, refusal),
    }
}
