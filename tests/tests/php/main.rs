//! PHP programs use our daemons as the manual of the original has them use its servers, alone and
//! together with Rust programs.

mod cluster;
mod mixed_messages;
mod mixed_queues;
mod mixed_variables;
mod support;
mod variables;
