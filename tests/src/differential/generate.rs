//! Texts of PHP values, made up: as PHP writes them, or as oddly as it reads them.

use fastrand::Rng;
use std::collections::HashSet;
use workyard_php::text;

/// What a made-up text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) text: Vec<u8>,
    /// Whether PHP must write the very same text.
    pub(super) canonical: bool,
}

/// What is in a slot that a reference may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Scalar,
    Array,
    Object,
    /// Nothing that may be named.
    Hidden,
}

const NODES_OF_SMALL_MAX: usize = 8;
const NODES_MAX: usize = 40;
const NODES_OF_LARGE_MAX: usize = 3000;
const CLASSES: [&[u8]; 8] =
    [b"Foo", b"App\\User", b"stdClass", b"A", "类名".as_bytes(), b"node_1", b"9x", b"stdClass"];
const PROPERTIES: [&[u8]; 10] =
    [b"a", b"b", b"next", b"\0*\0protected", b"\0Foo\0private", b"", b"5", b"-0", b"\0", b"a b\"c"];
const NAME_PROPERTY: &[u8] = b"__PHP_Incomplete_Class_Name";
const WORDS: [&str; 16] = [
    "",
    "a",
    "5",
    "-5",
    "05",
    "5.5",
    "1e3",
    "0x1A",
    "true",
    "N;",
    "\";",
    "{}",
    "广播",
    "Zoë",
    "\0\x01",
    "9223372036854775808",
];
const INTEGERS: [i64; 12] =
    [0, 1, -1, 7, 9, 10, -10, 255, i64::MAX, i64::MIN, i64::MAX - 1, 1_000_000];
const FLOATS: [f64; 22] = [
    0.0,
    -0.0,
    0.1,
    0.5,
    -1.5,
    1e3,
    1e15,
    1e16,
    1e17,
    123_456_789_012_345_680.0,
    1e-4,
    1e-5,
    5e-324,
    f64::MAX,
    f64::MIN_POSITIVE,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    9.223_372_036_854_776e18,
    0.30000000000000004,
    1e22,
    1e23,
];

/// Makes one value in which nothing refers to anything.
pub(super) fn plain_value(rng: &mut Rng) -> Vec<u8> {
    loop {
        let Made { text, .. } = value(rng, &[]);
        if workyard_php::scan(&text).is_ok_and(|scan| !scan.references && scan.text == text) {
            return text;
        }
    }
}

/// Makes one value that stands behind these slots, the first of which is an array around it.
pub(super) fn value(rng: &mut Rng, before: &[Slot]) -> Made {
    let odd = rng.u8(..4) == 0;
    // What goes wrong is most easily seen in what is small.
    let most = match rng.u16(..500) {
        0 => NODES_OF_LARGE_MAX,
        1..250 => NODES_MAX,
        _ => NODES_OF_SMALL_MAX,
    };
    let nodes = 1 + rng.usize(..most);
    let mut maker = Maker {
        rng,
        odd,
        nodes,
        slots: before.to_vec(),
        outside: before.len(),
        out: Vec::new(),
        canonical: !odd,
    };
    if maker.rng.u16(..2000) == 0 {
        maker.deep();
    } else {
        maker.value();
    }
    if odd && maker.rng.u8(..8) == 0 {
        maker.out.extend_from_slice(b"junk;");
    }
    Made { text: maker.out, canonical: maker.canonical }
}

struct Maker<'r> {
    rng: &'r mut Rng,
    odd: bool,
    /// How many more values there may be.
    nodes: usize,
    slots: Vec<Slot>,
    /// How many of the slots are those of a request around the value.
    outside: usize,
    out: Vec<u8>,
    canonical: bool,
}

impl Maker<'_> {
    fn value(&mut self) {
        self.nodes = self.nodes.saturating_sub(1);
        let kind = if self.nodes == 0 { self.rng.u8(..60) } else { self.rng.u8(..) };
        match kind {
            0..5 => {
                self.slots.push(Slot::Scalar);
                text::null(&mut self.out);
            }
            5..10 => {
                self.slots.push(Slot::Scalar);
                text::boolean(&mut self.out, self.rng.bool());
            }
            10..25 => self.integer(),
            25..40 => self.float(),
            40..60 => {
                self.slots.push(Slot::Scalar);
                let bytes = self.bytes();
                self.string(&bytes);
            }
            60..90 => self.reference(),
            90..185 => self.array(),
            _ => self.object(),
        }
    }

    fn integer(&mut self) {
        self.slots.push(Slot::Scalar);
        let number = match self.rng.u8(..3) {
            0 => INTEGERS[self.rng.usize(..INTEGERS.len())],
            1 => i64::from(self.rng.i8(..)),
            _ => self.rng.i64(..),
        };
        if self.odd && self.rng.bool() {
            let zeros = "0".repeat(self.rng.usize(..3));
            let sign = if number < 0 { "-" } else { ["", "+"][self.rng.usize(..2)] };
            let more = "9".repeat(if self.rng.u8(..4) == 0 { self.rng.usize(..30) } else { 0 });
            let digits = format!("i:{sign}{zeros}{}{more};", number.unsigned_abs());
            self.out.extend_from_slice(digits.as_bytes());
        } else {
            text::int(&mut self.out, number);
        }
    }

    fn float(&mut self) {
        self.slots.push(Slot::Scalar);
        let number = match self.rng.u8(..4) {
            0 => FLOATS[self.rng.usize(..FLOATS.len())],
            1 => f64::from(self.rng.i32(-100_000..100_000)) / 1000.0,
            2 => f64::from_bits(self.rng.u64(..)),
            _ => self.rng.f64() * 10f64.powi(self.rng.i32(-20..25)),
        };
        if self.odd && number.is_finite() && self.rng.bool() {
            let spelled = match self.rng.u8(..5) {
                0 => format!("{number:e}"),
                1 => format!("{number:.25}"),
                2 => format!("{number:E}"),
                3 => format!("00{}.e{}", self.rng.u32(..), self.rng.i16(-330..330)),
                _ => format!(".{}", self.rng.u64(..)),
            };
            self.out.extend_from_slice(format!("d:{spelled};").as_bytes());
        } else {
            text::float(&mut self.out, number);
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        match self.rng.u8(..10) {
            0..5 => WORDS[self.rng.usize(..WORDS.len())].as_bytes().to_vec(),
            5 => self.rng.i64(..).to_string().into_bytes(),
            6 if self.rng.u8(..30) == 0 => vec![b'x'; self.rng.usize(..20_000)],
            _ => {
                let count = self.rng.usize(..30);
                (0..count).map(|_| self.rng.u8(..)).collect()
            }
        }
    }

    fn string(&mut self, bytes: &[u8]) {
        if !self.odd || self.rng.bool() {
            return text::string(&mut self.out, bytes);
        }
        let zeros = "0".repeat(self.rng.usize(..3));
        if self.rng.bool() {
            self.out.extend_from_slice(format!("s:{zeros}{}:\"", bytes.len()).as_bytes());
            self.out.extend_from_slice(bytes);
        } else {
            self.out.extend_from_slice(format!("S:{zeros}{}:\"", bytes.len()).as_bytes());
            for byte in bytes {
                match self.rng.u8(..3) {
                    0 if *byte != b'\\' => self.out.push(*byte),
                    1 => self.out.extend_from_slice(format!("\\{byte:02X}").as_bytes()),
                    _ => self.out.extend_from_slice(format!("\\{byte:02x}").as_bytes()),
                }
            }
        }
        self.out.extend_from_slice(b"\";");
    }

    /// Names some earlier slot, most often one that PHP lets be named.
    fn reference(&mut self) {
        self.canonical = false;
        // Those outside are scarcely ever meant.
        let first = if self.rng.u8(..10) == 0 { 0 } else { self.outside };
        let careless = self.rng.u8(..100) == 0;
        let same_object = self.rng.bool();
        let fits = |(_, slot): &(usize, &Slot)| match slot {
            Slot::Object => true,
            Slot::Scalar => !same_object,
            Slot::Array => careless,
            Slot::Hidden => false,
        };
        let slots: Vec<usize> =
            self.slots.iter().enumerate().skip(first).filter(fits).map(|(at, _)| at + 1).collect();
        if slots.is_empty() {
            return self.integer();
        }
        let slot = slots[self.rng.usize(..slots.len())];
        if same_object {
            self.slots.push(Slot::Object);
            text::same_object(&mut self.out, slot);
        } else {
            text::same_place(&mut self.out, slot);
        }
    }

    fn array(&mut self) {
        self.slots.push(Slot::Array);
        let count = self.count();
        let head = self.out.len();
        let is_list = self.rng.bool();
        let mut keys = HashSet::new();
        for index in 0..count {
            let before = self.out.len();
            if is_list {
                text::int(&mut self.out, index as i64);
            } else {
                self.array_key();
            }
            self.forget_doubled(before, &mut keys);
            self.value();
        }
        let zeros = if self.odd && self.rng.u8(..8) == 0 { "0" } else { "" };
        self.enclose(head, format!("a:{zeros}{}:{{", count).as_bytes());
    }

    fn array_key(&mut self) {
        if self.rng.bool() {
            let key = match self.rng.bool() {
                true => INTEGERS[self.rng.usize(..INTEGERS.len())],
                false => i64::from(self.rng.i16(..)),
            };
            return text::int(&mut self.out, key);
        }
        let bytes = self.bytes();
        let text = std::str::from_utf8(&bytes).ok();
        // PHP writes such a key as an integer.
        let is_integer = text
            .is_some_and(|text| text.parse::<i64>().is_ok_and(|number| number.to_string() == text));
        if is_integer && !self.odd {
            text::string(&mut self.out, b"no number");
        } else {
            self.string(&bytes);
        }
    }

    fn object(&mut self) {
        self.slots.push(Slot::Object);
        let class = CLASSES[self.rng.usize(..CLASSES.len())];
        if self.odd && self.rng.u8(..12) == 0 {
            let head = format!("C:{}:\"", class.len());
            self.out.extend_from_slice(&[head.as_bytes(), class, b"\":3:{abc}"].concat());
            return;
        }
        let count = self.count();
        let head = self.out.len();
        let mut keys = HashSet::new();
        for _ in 0..count {
            let before = self.out.len();
            if self.odd && self.rng.u8(..40) == 0 {
                self.name();
                continue;
            }
            self.property();
            self.forget_doubled(before, &mut keys);
            self.value();
        }
        let class = match class {
            b"stdClass" if self.odd && self.rng.bool() => b"STDCLASS",
            class => class,
        };
        let head_text = format!("O:{}:\"", class.len());
        let count = format!("\":{count}:{{");
        self.enclose(head, &[head_text.as_bytes(), class, count.as_bytes()].concat());
    }

    /// The property that gives another name to an object. PHP takes any name, even one that it could
    /// not read again; we do not.
    fn name(&mut self) {
        self.slots.push(Slot::Hidden);
        self.string(NAME_PROPERTY);
        self.string(b"Renamed");
    }

    fn property(&mut self) {
        if self.odd && self.rng.u8(..10) == 0 {
            return text::int(&mut self.out, i64::from(self.rng.i8(..)));
        }
        if self.rng.bool() {
            let name = PROPERTIES[self.rng.usize(..PROPERTIES.len())];
            return self.string(name);
        }
        let bytes = self.bytes();
        self.string(&bytes);
    }

    /// A key that was there before is taken away from what PHP must write as it is.
    fn forget_doubled(&mut self, key: usize, keys: &mut HashSet<Vec<u8>>) {
        self.canonical &= keys.insert(self.out[key..].to_vec());
    }

    fn count(&mut self) -> usize {
        let most = self.nodes.min(if self.rng.u8(..20) == 0 { 200 } else { 6 });
        self.rng.usize(..=most)
    }

    fn enclose(&mut self, head: usize, text: &[u8]) {
        self.out.splice(head..head, text.iter().copied());
        self.out.push(b'}');
    }

    /// About as many arrays and objects inside each other as PHP takes.
    fn deep(&mut self) {
        self.canonical = false;
        let levels = self.rng.usize(4085..4110);
        let object = self.rng.bool();
        let head: &[u8] = if object { b"O:1:\"A\":1:{s:1:\"a\";" } else { b"a:1:{i:0;" };
        let inner: &[u8] = match self.rng.u8(..3) {
            0 => b"a:0:{}",
            1 => b"O:1:\"A\":0:{}",
            _ => b"i:1;",
        };
        self.out = [head.repeat(levels), inner.to_vec(), vec![b'}'; levels]].concat();
    }
}
