//! The requests of a key-value run: built once, then copied with another key and id.

use crate::wire::{KeyValueWire, Request, SwapBy};

/// What a run does with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Get,
    Set,
    Increment,
    /// On a key of its own, so that every swap succeeds.
    CompareAndSwap,
}

pub(crate) const VALUE_BYTES: usize = 64;

/// The two values that keys have.
pub(super) const VALUES: [[u8; VALUE_BYTES]; 2] = [[b'a'; VALUE_BYTES], [b'b'; VALUE_BYTES]];

/// What counters start at: large, so that all sums have one length.
pub(super) const FIRST_COUNT: u64 = 1_000_000_000;

const DIGITS: usize = 10;

impl Operation {
    pub(crate) const ALL: [Self; 4] = [Self::Get, Self::Set, Self::Increment, Self::CompareAndSwap];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Increment => "incr",
            Self::CompareAndSwap => "cas",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Get | Self::Set => "value",
            Self::Increment => "count",
            Self::CompareAndSwap => "swap",
        }
    }

    fn key(self, number: u64) -> String {
        format!("{}:{number:0DIGITS$}", self.prefix())
    }
}

/// A request whose key's number and whose id are filled in when it is sent.
pub(super) struct Template {
    frame: Vec<u8>,
    digits_at: usize,
    id_at: Option<usize>,
}

impl Template {
    pub(super) fn new(
        wire: &dyn KeyValueWire,
        prefix: &str,
        request: impl Fn(&str) -> Request<'_>,
    ) -> Self {
        let key = format!("{prefix}:{:0DIGITS$}", 0);
        let mut frame = Vec::new();
        wire.request(1, request(&key), &mut frame);
        let key_at = frame
            .windows(key.len())
            .position(|window| window == key.as_bytes())
            .expect("a wire carries the key verbatim");
        let digits_at = key_at + prefix.len() + 1;
        Self { frame, digits_at, id_at: wire.id_at() }
    }

    pub(super) fn put(&self, id: u32, key: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.frame);
        let frame = &mut out[start..];
        put_digits(key, &mut frame[self.digits_at..][..DIGITS]);
        if let Some(id_at) = self.id_at {
            frame[id_at..][..4].copy_from_slice(&id.to_be_bytes());
        }
    }
}

/// Writes `number` at the end of `to`, which holds zeros.
pub(super) fn put_digits(mut number: u64, to: &mut [u8]) {
    for digit in to.iter_mut().rev() {
        if number == 0 {
            return;
        }
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The requests of one operation on one wire.
pub(super) struct Requests {
    operation: Operation,
    swap_by: SwapBy,
    /// The operation itself; of a compare-and-swap by value there and back, by token the first half.
    templates: Vec<Template>,
    /// What gives a key its first value.
    first: Template,
}

/// What a compare-and-swap goes by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Swap {
    /// Which of the two values the key holds.
    pub(super) value: usize,
    /// The key's revision, where the server tells it.
    pub(super) revision: u64,
}

impl Requests {
    pub(super) fn new(wire: &dyn KeyValueWire, operation: Operation) -> Self {
        let [first, second] = &VALUES;
        let template =
            |request: fn(&str) -> Request<'_>| Template::new(wire, operation.prefix(), request);
        let set = || template(|key| Request::Set { key, value: &VALUES[0] });
        let swap = |old: &'static [u8], new: &'static [u8]| {
            Template::new(wire, operation.prefix(), move |key| Request::CompareAndSwap {
                key,
                old,
                new,
            })
        };
        let swap_by = wire.swap_by();
        let templates = match (operation, swap_by) {
            (Operation::Get, _) => vec![template(|key| Request::Get { key })],
            (Operation::Set, _) => vec![set()],
            (Operation::Increment, _) => vec![template(|key| Request::Increment { key })],
            (Operation::CompareAndSwap, SwapBy::Revision) => Vec::new(),
            (Operation::CompareAndSwap, SwapBy::Value | SwapBy::Token) => {
                vec![swap(first, second), swap(second, first)]
            }
        };
        let first = match operation {
            Operation::Increment => template(|key| Request::SetNumber { key, number: FIRST_COUNT }),
            _ => set(),
        };
        Self { operation, swap_by, templates, first }
    }

    /// What gives key `key` its first value.
    pub(super) fn first(&self) -> &Template {
        &self.first
    }

    /// Appends the operation on key `key`.
    pub(super) fn put(
        &self,
        wire: &dyn KeyValueWire,
        id: u32,
        key: u64,
        swap: Swap,
        out: &mut Vec<u8>,
    ) {
        match (self.operation, self.swap_by) {
            (Operation::CompareAndSwap, SwapBy::Revision) => {
                let request = Request::SwapByRevision {
                    key: &self.operation.key(key),
                    revision: swap.revision,
                    new: &VALUES[1 - swap.value],
                };
                wire.request(id, request, out);
            }
            (Operation::CompareAndSwap, _) => self.templates[swap.value].put(id, key, out),
            _ => self.templates[0].put(id, key, out),
        }
    }

    /// Appends the second half of a compare-and-swap that goes by token.
    pub(super) fn put_second_half(
        &self,
        wire: &dyn KeyValueWire,
        id: u32,
        key: u64,
        (swap, token): (Swap, u64),
        out: &mut Vec<u8>,
    ) {
        let request = Request::SwapByToken {
            key: &self.operation.key(key),
            token,
            new: &VALUES[1 - swap.value],
        };
        wire.request(id, request, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Kind;
    use crate::wire::key_value;

    #[test]
    fn a_filled_template_is_the_request_itself() {
        for kind in Kind::ALL {
            let Some(wire) = key_value(kind, false) else { continue };
            for operation in Operation::ALL {
                let requests = Requests::new(&*wire, operation);
                for key in [0, 7, 9_999, 1_234_567_890] {
                    let name = operation.key(key);
                    let (mut filled, mut built) = (Vec::new(), Vec::new());
                    requests.put(&*wire, 0x0102_0304, key, Swap::default(), &mut filled);
                    let request = match (operation, wire.swap_by()) {
                        (Operation::Get, _) => Request::Get { key: &name },
                        (Operation::Set, _) => Request::Set { key: &name, value: &VALUES[0] },
                        (Operation::Increment, _) => Request::Increment { key: &name },
                        (Operation::CompareAndSwap, SwapBy::Revision) => {
                            Request::SwapByRevision { key: &name, revision: 0, new: &VALUES[1] }
                        }
                        (Operation::CompareAndSwap, _) => {
                            Request::CompareAndSwap { key: &name, old: &VALUES[0], new: &VALUES[1] }
                        }
                    };
                    wire.request(0x0102_0304, request, &mut built);
                    assert_eq!(filled, built, "{kind} {operation:?} {key}");
                }
            }
        }
    }
}
