//! What is asked of PHP and of us, and our answers.

use super::generate::{Made, Slot};
use super::{generate, json, mutate};
use fastrand::Rng;
use workyard_php::{Document, ErrorKind};
use workyard_protocol::{Encoding, Number, ValueRef};
use workyard_workerman::{channel, globaldata, value};

/// A question with all that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) kind: Kind,
    pub(super) text: Vec<u8>,
    /// Whether the answer must be the text itself.
    pub(super) canonical: bool,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// How is this value written?
    Value,
    /// Which events does this request publish?
    Event,
    /// What is stored by this request, and read back?
    Stored,
    /// What is this JSON text?
    Json,
    /// What is the sum of these, the stored one first?
    Sum,
}

/// An answer; none is a refusal.
pub(super) type Answer = Option<Vec<u8>>;

const CHANNEL: &[u8] =
    b"a:3:{s:4:\"type\";s:7:\"publish\";s:8:\"channels\";a:1:{i:0;s:1:\"c\";}s:4:\"data\";";
const CHANNEL_SLOTS: [Slot; 4] = [Slot::Array, Slot::Scalar, Slot::Array, Slot::Scalar];
const SET: &[u8] = b"a:3:{s:3:\"cmd\";s:3:\"set\";s:3:\"key\";s:1:\"k\";s:5:\"value\";";
const SET_SLOTS: [Slot; 3] = [Slot::Array, Slot::Scalar, Slot::Scalar];
const NUMBERS: [&str; 24] = [
    "5",
    "-5",
    "+5",
    "05",
    " 7",
    "7 ",
    "7\n",
    "\u{b}7",
    ".5",
    "5.",
    "1e3",
    "1E-3",
    "1e",
    "e5",
    "0x1A",
    "",
    " ",
    ".",
    "-",
    "5 apples",
    "1.5abc",
    "9223372036854775807",
    "9223372036854775808",
    "1e1000",
];

impl Kind {
    /// The byte that says it to PHP.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Value => b'v',
            Self::Event => b'e',
            Self::Stored => b's',
            Self::Json => b'j',
            Self::Sum => b'+',
        }
    }
}

impl Question {
    /// Makes one up.
    pub(super) fn made(rng: &mut Rng) -> Self {
        let asked = |kind, text| Self { kind, text, canonical: false };
        match rng.u8(..16) {
            0..8 => {
                let Made { text, canonical } = generate::value(rng, &[]);
                Self { kind: Kind::Value, text, canonical }
            }
            8..10 => {
                let value = generate::value(rng, &CHANNEL_SLOTS).text;
                asked(Kind::Event, [CHANNEL, &value, b"}"].concat())
            }
            10..12 => {
                let value = generate::value(rng, &SET_SLOTS).text;
                asked(Kind::Stored, [SET, &value, b"}"].concat())
            }
            12..14 => asked(Kind::Json, json::text(rng)),
            _ => asked(Kind::Sum, [operand(rng), operand(rng)].concat()),
        }
    }

    /// Makes one up and spoils it.
    pub(super) fn mutated(rng: &mut Rng) -> Self {
        let mut question = Self::made(rng);
        mutate::mutate(rng, &mut question.text);
        question.canonical = false;
        question
    }

    /// Our answer.
    pub(super) fn answer(&self) -> Answer {
        match self.kind {
            Kind::Value => workyard_php::canonical(&self.text).ok().map(|text| text.into_owned()),
            Kind::Event => events(&self.text),
            Kind::Stored => stored(&self.text),
            Kind::Json => {
                let json = ValueRef::Encoded { encoding: Encoding::Json, bytes: &self.text };
                Some(value::canonical(json))
            }
            Kind::Sum => sum(&self.text),
        }
    }

    /// Whether this is what the stored value would be compared by.
    pub(super) fn is_hash(&self, digits: &[u8]) -> bool {
        let digits = digits.try_into().ok();
        match (self.kind, globaldata::decode(&self.text)) {
            (Kind::Stored, Ok(globaldata::Heard::Request(globaldata::Request::Set(_, value)))) => {
                globaldata::matches(digits, Some(value.as_value()))
            }
            _ => true,
        }
    }

    /// Whether we may refuse what PHP takes: an array that contains itself, and numbers that it
    /// takes modulo 2^64.
    pub(super) fn may_be_refused(&self) -> bool {
        const DIGITS_MIN: usize = 19;
        let contains_itself =
            Document::parse(&self.text).is_err_and(|error| error.kind == ErrorKind::ContainsItself);
        let mut runs = self.text.split(|byte| !byte.is_ascii_digit());
        contains_itself || runs.any(|run| run.len() >= DIGITS_MIN)
    }
}

/// Whether our answer differs because an object was renamed to what is no name of a class: PHP writes a
/// text then that it cannot read.
pub(super) fn is_nameless(ours: &[u8]) -> bool {
    const NAMELESS: &[u8] = b"O:22:\"__PHP_Incomplete_Class\":";
    ours.windows(NAMELESS.len()).any(|window| window == NAMELESS)
}

fn events(body: &[u8]) -> Answer {
    let Some(channel::Request::Publish(names, data)) = channel::decode(body) else {
        return None;
    };
    let mut out = Vec::new();
    for name in names.list {
        channel::put_event(name.as_bytes(), name.spelling(), data.as_value(), &mut out);
    }
    Some(out)
}

fn stored(body: &[u8]) -> Answer {
    let Ok(globaldata::Heard::Request(globaldata::Request::Set(_, value))) =
        globaldata::decode(body)
    else {
        return None;
    };
    let mut out = Vec::new();
    value::put(value.as_value(), 0, &mut out);
    Some(out)
}

/// A value that may be a number, as an element of a list of two.
fn operand(rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    match rng.u8(..4) {
        0 | 1 => {
            let number = NUMBERS[rng.usize(..NUMBERS.len())].as_bytes();
            workyard_php::text::string(&mut out, number);
        }
        2 => workyard_php::text::float(&mut out, f64::from_bits(rng.u64(..))),
        _ => out = generate::plain_value(rng),
    }
    out
}

/// The two values are read one behind the other.
fn sum(text: &[u8]) -> Answer {
    let first = workyard_php::scan(text).ok()?.text;
    let second = workyard_php::scan(&text[first.len()..]).ok()?.text;
    let set = request("set", "value", first);
    let increment = request("increment", "step", second);
    let Ok(globaldata::Heard::Request(globaldata::Request::Set(_, value))) =
        globaldata::decode(&set)
    else {
        return None;
    };
    let Ok(globaldata::Heard::Request(globaldata::Request::Increment(_, step))) =
        globaldata::decode(&increment)
    else {
        return None;
    };
    let mut out = Vec::new();
    match globaldata::sum(value.as_value(), step) {
        Number::Int(int) => workyard_php::text::int(&mut out, int),
        Number::Float(float) => workyard_php::text::float(&mut out, float),
    }
    Some(out)
}

fn request(command: &str, field: &str, value: &[u8]) -> Vec<u8> {
    let frame = crate::workerman::key(command, b"k", Some((field, value)));
    frame[4..].to_vec()
}
