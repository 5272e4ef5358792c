//! Signs of life that peers ask for.

use bytes::{BufMut, Bytes, BytesMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

const PING: &[u8] = b"\x04PING";
const PONG: &[u8] = b"\x04PONG";
/// How long the sign of life is waited for, which is for the peer to know.
const TTL_BYTES: usize = 2;

/// The last sign of life that a peer has asked for. One is enough for all that it has asked for before.
#[derive(Default)]
pub(crate) struct Heartbeat {
    context: Mutex<Option<Bytes>>,
    asked: Notify,
}

impl Heartbeat {
    /// A command came: whatever else it may be asks for nothing.
    pub(crate) fn hear(&self, command: &[u8]) {
        let context = command.strip_prefix(PING).and_then(|rest| rest.get(TTL_BYTES..));
        if let Some(context) = context {
            *self.context() = Some(Bytes::copy_from_slice(context));
            self.asked.notify_one();
        }
    }

    /// The command that is the sign of life, once one is asked for.
    pub(crate) async fn answer(&self) -> BytesMut {
        loop {
            let asked = self.asked.notified();
            if let Some(context) = self.context().take() {
                let mut answer = BytesMut::from(PONG);
                answer.put(context);
                return answer;
            }
            asked.await;
        }
    }

    fn context(&self) -> MutexGuard<'_, Option<Bytes>> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
