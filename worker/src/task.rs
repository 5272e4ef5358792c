//! Work beside the callbacks: on this thread, or on others where it may block.

use crate::outcome::{Outcome, Running};
use std::future::Future;
use thiserror::Error;
use tokio::task::{spawn_blocking, spawn_local};

/// Work on another thread has panicked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the work on another thread has panicked: {0}")]
pub struct BlockingPanicked(String);

/// Does on another thread what would hold up this one: computing for long, files, libraries that wait. Other
/// callbacks go on meanwhile. A process has 512 such threads at most; more work waits for one of them.
///
/// # Errors
/// It panicked.
///
/// # Panics
/// Outside of a worker process.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BlockingPanicked> {
    let done = spawn_blocking(work).await;
    done.map_err(|error| BlockingPanicked(error.to_string()))
}

/// Lets something go on while the callback that began it returns, on this thread. A failure or panic of it is
/// logged.
///
/// # Panics
/// Outside of a worker process.
pub fn spawn<O: Outcome + 'static>(work: impl Future<Output = O> + 'static) {
    let running = Running::new(work);
    spawn_local(async {
        if let Err(failure) = running.await {
            tracing::error!("spawned work failed: {failure}");
        }
    });
}
