//! Runnable programs that use the suite; each is a folder beside this file.
//!
//! `cargo run -p workyard-examples --example cluster-push -- --help`
