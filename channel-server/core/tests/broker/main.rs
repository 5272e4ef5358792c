//! The broker's rules as dialogues, its bookkeeping against a naive model.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod channels;
mod dead;
mod delays;
mod dialogue;
mod groups;
mod history;
mod jobs;
mod leases;
mod limits;
mod listing;
mod lost;
mod model;
mod outbox;
mod presence;
mod publish_one;
mod questions;
mod replays;
mod reserve;
mod routes;
mod sessions;
mod settings;
mod slow;
mod slow_model;
mod texts;
