//! How large a frame may be.

/// How large a frame may be. A peer that sends more is not read any further. What was sent comes back
/// with what the server adds to it, so more is received than sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// Most headers of a frame that is sent: 128.
    pub headers_max: usize,
    /// Most headers of a frame that is received: 512.
    pub received_headers_max: usize,
    /// Longest line of the head of a frame that is sent, escapes included: 16 KiB.
    pub line_bytes_max: usize,
    /// Longest line of the head of a frame that is received, escapes included: 33 KiB, as each byte of
    /// what was sent may have become two.
    pub received_line_bytes_max: usize,
    /// Largest body, both ways: 10 MiB.
    pub body_bytes_max: usize,
}

impl Default for FrameLimits {
    fn default() -> Self {
        Self {
            headers_max: 128,
            received_headers_max: 512,
            line_bytes_max: 16 << 10,
            received_line_bytes_max: 33 << 10,
            body_bytes_max: 10 << 20,
        }
    }
}
