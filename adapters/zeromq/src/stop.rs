//! A word to everybody that it is over.

use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is over.
    pub(crate) async fn stopped(&self) {
        // An error says that nobody can say it any more.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }
}
