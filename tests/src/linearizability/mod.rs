//! Whether what concurrent clients saw of one variable could have come from one that is changed by one
//! call at a time.
//!
//! A history is what was called, when, and what came of it. It is *linearizable* when each call can be
//! given an instant between its beginning and its end so that, carried out one at a time in the order
//! of these instants, all calls come to what they came to. The search is that of Wing and Gong with
//! the memory of Lowe ("Testing for linearizability", 2017). Variables do not influence each other, so
//! each is searched alone.

mod call;
mod clock;
mod finding;
mod search;
mod variable;

pub use call::{Action, Call, NEVER, Outcome};
pub use clock::Clock;
pub use finding::{Finding, check};
pub use search::{Search, Stuck, search};
pub use variable::{Revision, State};
