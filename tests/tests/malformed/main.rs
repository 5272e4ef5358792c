//! Input that no client should send: it costs its own request or its own connection, nobody else's.

mod cuts;
mod first_bytes;
mod frames;
mod garbage;
mod requests;
mod samples;
