//! Runnable programs that use the suite.
