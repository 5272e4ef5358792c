//! The broker: channels, patterns, queue groups and work queues as a pure state machine.
