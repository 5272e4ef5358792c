//! The store: shared variables with revisions as a pure state machine.
