//! How large the answer is that is being received: pure, bytes passed in.

use workyard_adapter_kit::{Error, ErrorKind};

/// Follows answers as they come in, and refuses one that is too large before it is held.
#[derive(Debug)]
pub(crate) struct AnswerSize {
    bytes_max: usize,
    /// Of the answer that is being received.
    bytes: usize,
    /// Values that are missing until it is whole.
    missing: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// A line is to begin.
    Start,
    /// In the number after the first byte of a line.
    Number { what: u8, number: usize },
    /// In a line that is a value by itself.
    Line,
    /// In the bytes of a string and the end of its line.
    Body { left: usize },
}

impl AnswerSize {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, bytes: 0, missing: 1, state: State::Start }
    }

    /// Takes what was received.
    pub(crate) fn receive(&mut self, mut received: &[u8]) -> Result<(), Error> {
        while !received.is_empty() {
            let taken = self.step(received)?;
            self.bytes = self.bytes.saturating_add(taken);
            self.check(0)?;
            received = &received[taken..];
            if self.missing == 0 {
                (self.bytes, self.missing) = (0, 1);
            }
        }
        Ok(())
    }

    /// Takes as much as belongs together; returns how many bytes that are, one at least.
    fn step(&mut self, received: &[u8]) -> Result<usize, Error> {
        match self.state {
            State::Start => {
                self.state = match received[0] {
                    what @ (b'$' | b'=' | b'!' | b'*' | b'~' | b'>' | b'%' | b'|') => {
                        State::Number { what, number: 0 }
                    }
                    _ => State::Line,
                };
                Ok(1)
            }
            State::Number { what, number } => self.number(what, number, received),
            State::Line => match received.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    self.value_ends();
                    Ok(end + 1)
                }
                None => Ok(received.len()),
            },
            State::Body { left } => {
                let taken = left.min(received.len());
                if taken == left {
                    self.value_ends();
                } else {
                    self.state = State::Body { left: left - taken };
                }
                Ok(taken)
            }
        }
    }

    fn number(&mut self, what: u8, mut number: usize, received: &[u8]) -> Result<usize, Error> {
        for (place, byte) in received.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    number = number.saturating_mul(10).saturating_add(usize::from(byte - b'0'));
                }
                // Nothing at all, written as -1.
                b'-' => {
                    self.state = State::Line;
                    return Ok(place + 1);
                }
                b'\n' => {
                    self.begin(what, number)?;
                    return Ok(place + 1);
                }
                _ => {}
            }
        }
        self.state = State::Number { what, number };
        Ok(received.len())
    }

    /// A string, or as many values, follow.
    fn begin(&mut self, what: u8, number: usize) -> Result<(), Error> {
        let values = match what {
            b'$' | b'=' | b'!' => {
                self.check(number)?;
                self.state = State::Body { left: number.saturating_add(2) };
                return Ok(());
            }
            // Attributes stand before the value that they belong to.
            b'|' => number.saturating_mul(2).saturating_add(1),
            b'%' => number.saturating_mul(2),
            _ => number,
        };
        self.state = State::Start;
        self.missing = self.missing.saturating_add(values) - 1;
        self.check(self.missing)
    }

    fn value_ends(&mut self) {
        self.missing -= 1;
        self.state = State::Start;
    }

    fn check(&self, more: usize) -> Result<(), Error> {
        if self.bytes.saturating_add(more) <= self.bytes_max {
            return Ok(());
        }
        let message = format!(
            "an answer is above the {} bytes of response_bytes_max, and its connection is closed; ask \
             for less at once, or raise the limit",
            self.bytes_max
        );
        // Whatever was asked for was carried out.
        Err(Error::new(ErrorKind::TooLarge, message).outcome_open())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERS: [&str; 12] = [
        "+OK\r\n",
        ":1234567\r\n",
        "$5\r\nhel\r\n\r\n",
        "$0\r\n\r\n",
        "$-1\r\n",
        "*0\r\n",
        "*-1\r\n",
        "*3\r\n$1\r\na\r\n*2\r\n:1\r\n+x\r\n$-1\r\n",
        "%1\r\n$1\r\nk\r\n*1\r\n:1\r\n",
        "|1\r\n+a\r\n+b\r\n:2\r\n",
        ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\np\r\n",
        "-ERR some *3 $5 text\r\n",
    ];

    #[test]
    fn every_answer_is_measured_by_itself_however_it_is_cut() {
        for answer in ANSWERS {
            for piece in 1..=answer.len() {
                let mut size = AnswerSize::new(answer.len());
                for _ in 0..3 {
                    for part in answer.as_bytes().chunks(piece) {
                        size.receive(part).unwrap_or_else(|error| panic!("{answer:?}: {error}"));
                    }
                }
                assert_eq!((size.bytes, size.missing), (0, 1), "{answer:?} by {piece}");
                let mut size = AnswerSize::new(answer.len() - 1);
                let mut parts = answer.as_bytes().chunks(piece);
                assert!(parts.any(|part| size.receive(part).is_err()), "{answer:?} by {piece}");
            }
        }
    }

    #[test]
    fn what_is_announced_too_large_is_refused_at_once() {
        for head in ["$1001\r\n", "*1001\r\n", "%600\r\n", "*99999999999999999999999\r\n"] {
            let error = AnswerSize::new(1000).receive(head.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge, "{head}");
        }
        let mut size = AnswerSize::new(1000);
        size.receive(b"*2\r\n$900\r\n").unwrap();
        size.receive(&[b'x'; 902]).unwrap();
        assert!(size.receive(b"$90\r\n").is_err());
    }
}
