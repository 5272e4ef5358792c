//! The shared-variable daemon.
