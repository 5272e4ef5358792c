//! How large a frame may be.

/// How large a frame may be, in both directions. A peer that sends more is not read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// Most headers of a frame: 128.
    pub headers_max: usize,
    /// Longest line of its head, escapes included: 16 KiB.
    pub line_bytes_max: usize,
    /// Largest body: 10 MiB.
    pub body_bytes_max: usize,
}

impl Default for FrameLimits {
    fn default() -> Self {
        Self { headers_max: 128, line_bytes_max: 16 << 10, body_bytes_max: 10 << 20 }
    }
}
