//! Wakes a session at the time that it wants to be woken.

use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep, sleep_until};

/// One timer, set to wherever it is wanted.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Whether the time has come; if not, the task is woken then.
    pub(crate) fn is_due(&mut self, at: Option<Instant>, cx: &mut Context<'_>) -> bool {
        let Some(at) = at else { return false };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx) == Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn it_goes_off_at_the_time_wanted_last() {
        let start = Instant::now();
        let mut alarm = Alarm::default();
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        assert!(!alarm.is_due(None, cx));
        let later = start + Duration::from_secs(10);
        assert!(!alarm.is_due(Some(later), cx));
        let sooner = start + Duration::from_secs(1);
        assert!(!alarm.is_due(Some(sooner), cx));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!alarm.is_due(Some(later), cx));
        assert!(alarm.is_due(Some(sooner), cx));
        tokio::time::advance(Duration::from_secs(9)).await;
        assert!(alarm.is_due(Some(later), cx));
    }
}
