//! Async client of channel-server: publish, subscribe, work queues.
