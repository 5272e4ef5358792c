//! The workyard command.
