//! Locks as their holders see them: what is asked, and who is told what.

mod bounds;
mod claims;
mod fences;
mod lapses;
mod model;
mod pages;
mod properties;
mod room;
