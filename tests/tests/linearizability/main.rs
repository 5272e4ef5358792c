//! One variable behaves as if it were changed by one call at a time, whoever calls and whatever
//! becomes of the connections.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod by_hand;
mod faulty;
mod histories;
mod workload;
