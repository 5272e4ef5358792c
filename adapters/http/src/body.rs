//! The body of a request, which may have to be sent again.

use bytes::Bytes;
use std::sync::{Mutex, PoisonError};

pub(crate) enum Body {
    Whole(Bytes),
    /// Sent once. The lock lets attempts, which share the request, take it.
    Streamed(Mutex<Option<reqwest::Body>>),
}

impl Body {
    pub(crate) fn streamed(body: reqwest::Body) -> Self {
        Self::Streamed(Mutex::new(Some(body)))
    }

    /// Whether it can be sent again.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// Its length, where that is known.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Streamed(_) => 0,
        }
    }

    /// The body for an attempt. None for a request without one.
    pub(crate) fn take(&self) -> Option<reqwest::Body> {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => None,
            Self::Whole(bytes) => Some(bytes.clone().into()),
            Self::Streamed(body) => body.lock().unwrap_or_else(PoisonError::into_inner).take(),
        }
    }
}
