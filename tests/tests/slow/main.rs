//! Peers that do not read: they cost a bounded amount of memory, and nobody else anything.

mod bursts;
mod policies;
mod requesters;
mod subscribers;
mod together;
