//! Daemons answer clients of the original servers as those would, byte for byte.

mod bounds;
mod dialogues;
mod jobs;
mod numbers;
mod places;
mod questions;
mod values;
