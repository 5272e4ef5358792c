//! The broker's rules as dialogues, its bookkeeping against a naive model.

mod channels;
mod dialogue;
mod groups;
mod jobs;
mod limits;
mod listing;
mod model;
mod outbox;
mod publish_one;
mod routes;
mod sessions;
