//! Async client of globaldata-server: shared variables.
