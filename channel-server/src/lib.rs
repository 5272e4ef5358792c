//! The publish/subscribe and work-queue daemon.
