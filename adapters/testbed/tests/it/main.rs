//! What the tests of the adapters stand on, tested itself.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod process;
mod relay;
