//! Measures the daemons beside their peers.
