//! The end of a turn: everything that was read is handled, now everybody is written to once.
//!
//! One task does this. Sessions wake it; it runs behind all sessions that were woken before it, that
//! is, behind all that the same look at the sockets found ready.

use crate::driver::{Driver, Shared};
use crate::peer::keep_waker;
use crate::service::Service;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use workyard_engine::Engine;

pub(crate) struct Turn<S: Service> {
    shared: Shared<S>,
    alarm: Pin<Box<Sleep>>,
}

impl<S: Service> Turn<S> {
    pub(crate) fn new(shared: Shared<S>) -> Self {
        Self { shared, alarm: Box::pin(tokio::time::sleep(Duration::ZERO)) }
    }
}

impl<S: Service> Future for Turn<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let driver = &mut *this.shared.borrow_mut();
        driver.turn_due = false;
        keep_waker(&mut driver.turn, cx);
        let is_due = driver.armed.is_some() && this.alarm.as_mut().poll(cx).is_ready();
        if is_due {
            driver.expire();
        }
        end_turn(driver);
        if driver.delivery.has_work() {
            // Others get their turn before the next round.
            driver.turn_due = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = driver.engine.next_deadline();
        // An alarm that every turn sets anew would never go off while there is work.
        if is_due || next != driver.armed {
            driver.armed = next;
            if let Some(deadline) = next {
                set_alarm(this.alarm.as_mut(), deadline.millis_since(driver.now()), cx);
            }
        }
        Poll::Pending
    }
}

/// What is due already goes off at the clock's next millisecond: until then the sockets have their turn.
fn set_alarm(mut alarm: Pin<&mut Sleep>, wait_ms: u64, cx: &mut Context<'_>) {
    alarm.as_mut().reset(Instant::now() + Duration::from_millis(wait_ms));
    if alarm.poll(cx).is_ready() {
        cx.waker().wake_by_ref();
    }
}

fn end_turn<S: Service>(driver: &mut Driver<S>) {
    driver.delivery.flush_dirty();
    let drained = driver.delivery.take_drained();
    if drained.is_empty() {
        return;
    }
    let now = driver.now();
    for session in drained {
        if driver.delivery.peer_mut(session).is_some_and(|peer| peer.is_open()) {
            driver.engine.drained(now, session, &mut driver.delivery);
        }
    }
}
