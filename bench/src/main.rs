//! Measures the daemons beside their peers.
fn main() {}
