//! A process that serves one engine: configuration, listeners, sessions, delivery, drain.
