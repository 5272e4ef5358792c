//! One direction of a connection: bytes arrive in order, later than they were sent.

/// How a direction treats what is sent.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// When the last bytes sent will arrive, in milliseconds.
    last_ms: u64,
    /// Nothing arrives before this.
    held_until_ms: u64,
    /// What is sent from now on never arrives.
    pub(crate) is_cut: bool,
    /// Neither does what is on the way.
    pub(crate) is_dead: bool,
}

impl Line {
    /// When something arrives that is sent now and takes so long; nothing if never.
    pub(crate) fn arrival(&mut self, now_ms: u64, delay_ms: u64) -> Option<u64> {
        if self.is_cut {
            return None;
        }
        self.last_ms = self.last_ms.max(now_ms + delay_ms).max(self.held_until_ms);
        Some(self.last_ms)
    }

    /// Lets nothing arrive for a while that is not on the way already.
    pub(crate) fn hold(&mut self, until_ms: u64) {
        self.held_until_ms = self.held_until_ms.max(until_ms);
    }

    /// Lets nothing arrive any more, and perhaps not even what is on the way.
    pub(crate) fn cut(&mut self, with_what_is_on_the_way: bool) {
        self.is_cut = true;
        self.is_dead |= with_what_is_on_the_way;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_first_arrives_first() {
        let mut line = Line::default();
        assert_eq!(line.arrival(0, 30), Some(30));
        assert_eq!(line.arrival(5, 1), Some(30));
        line.hold(100);
        assert_eq!(line.arrival(40, 1), Some(100));
        assert_eq!(line.arrival(200, 1), Some(201));
        line.cut(false);
        assert_eq!(line.arrival(200, 1), None);
    }
}
