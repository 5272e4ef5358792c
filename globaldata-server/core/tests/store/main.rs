//! The store as its clients see it: what is asked, and what must come back.

mod ask;
mod batches;
mod churn;
mod containers;
mod expiry;
mod harness;
mod increments;
mod limits;
mod listeners;
mod model;
mod model_containers;
mod modifications;
mod pages;
mod properties;
mod reads;
mod updates;
mod watch_bounds;
mod watch_properties;
mod watches;
mod writes;
