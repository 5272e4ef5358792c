//! Writes arrays entry by entry: counts that are known only at the end, and keys that meet again.
//!
//! PHP puts the number of entries in front of them, turns keys such as `"5"` into integers, and lets
//! a key that is written twice keep its first position with its last value. The writer appends as it
//! goes, leaves one digit for each count, and notes what one digit or one order cannot hold.
//! [`ArrayWriter::finish`] then sets that right in one pass, so the work is linear in the text.

use crate::key::integer_like;
use crate::text;
use hashbrown::{HashMap, HashSet};
use std::ops::Range;

/// Appends one value to a buffer; arrays are opened, filled and closed.
///
/// Scalars are written to [`Self::out`] by the functions of [`text`](crate::text). Without a call of
/// [`Self::finish`] the text is not valid: who gives up truncates the buffer to what it held before.
#[derive(Debug)]
pub struct ArrayWriter<'o> {
    out: &'o mut Vec<u8>,
    /// Counts of two digits and more, in the order in which their arrays were closed.
    late: Vec<LateCount>,
    /// The keys of all open arrays, the innermost array's last.
    keys: Vec<Range<usize>>,
    merged: Vec<Merged>,
    spans: Vec<Range<usize>>,
}

/// An array that was opened and must be closed.
#[derive(Debug)]
#[must_use = "an array that is not closed is not valid"]
pub struct OpenArray {
    digit_at: usize,
    entries: usize,
    keys_from: usize,
}

#[derive(Debug)]
struct LateCount {
    digit_at: usize,
    count: usize,
}

/// An array with duplicates, whose entries are the text of `spans`, in that order.
#[derive(Debug)]
struct Merged {
    digit_at: usize,
    body_end: usize,
    spans: Range<usize>,
}

impl<'o> ArrayWriter<'o> {
    /// A writer that appends to `out`.
    #[must_use]
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, late: Vec::new(), keys: Vec::new(), merged: Vec::new(), spans: Vec::new() }
    }

    /// The buffer, to append one scalar or a whole value in canonical text.
    #[must_use]
    pub fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Begins an array as the next value.
    pub fn open(&mut self) -> OpenArray {
        self.out.extend_from_slice(b"a:");
        let digit_at = self.out.len();
        self.out.extend_from_slice(b"0:{");
        OpenArray { digit_at, entries: 0, keys_from: self.keys.len() }
    }

    /// Begins the next entry of a list: its key is the number of entries before it.
    ///
    /// An array takes either list keys or keys of the other kinds, never both.
    pub fn list_key(&mut self, array: &mut OpenArray) {
        text::int(self.out, array.entries as i64);
        array.entries += 1;
    }

    /// Begins an entry with an integer for its key.
    pub fn int_key(&mut self, array: &mut OpenArray, key: i64) {
        self.key(array, |out| text::int(out, key));
    }

    /// Begins an entry with a text for its key, which becomes an integer if PHP makes it one.
    pub fn text_key(&mut self, array: &mut OpenArray, key: &[u8]) {
        match integer_like(key) {
            Some(int) => self.int_key(array, int),
            None => self.key(array, |out| text::string(out, key)),
        }
    }

    fn key(&mut self, array: &mut OpenArray, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.out.len();
        write(self.out);
        self.keys.push(start..self.out.len());
        array.entries += 1;
    }

    /// Ends an array; its last entry has its value by now.
    #[expect(clippy::needless_pass_by_value, reason = "an array is closed once")]
    pub fn close(&mut self, array: OpenArray) {
        let OpenArray { digit_at, entries: mut count, keys_from } = array;
        let body_end = self.out.len();
        text::close(self.out);
        let keys = &self.keys[keys_from..];
        let is_merged = has_duplicates(self.out, keys);
        if is_merged {
            let from = self.spans.len();
            count = merge(self.out, keys, body_end, &mut self.spans);
            self.merged.push(Merged { digit_at, body_end, spans: from..self.spans.len() });
        }
        self.keys.truncate(keys_from);
        match u8::try_from(count) {
            Ok(digit @ 0..=9) if !is_merged => self.out[digit_at] = b'0' + digit,
            _ => self.late.push(LateCount { digit_at, count }),
        }
    }

    /// Completes the text, once all arrays are closed.
    pub fn finish(mut self) {
        self.late.sort_unstable_by_key(|late| late.digit_at);
        if self.merged.is_empty() {
            widen(self.out, &self.late);
        } else {
            self.merged.sort_unstable_by_key(|merged| merged.digit_at);
            let text = std::mem::take(self.out);
            let order =
                Order { text: &text, late: &self.late, all: &self.merged, spans: &self.spans };
            order.copy(0..text.len(), self.out);
        }
    }
}

fn has_duplicates(text: &[u8], keys: &[Range<usize>]) -> bool {
    // Up to here comparing each with each is faster than a table.
    const PAIRS_MAX: usize = 16;
    let key = |range: &Range<usize>| &text[range.clone()];
    if keys.len() <= PAIRS_MAX {
        return (1..keys.len())
            .any(|late| keys[..late].iter().any(|early| key(early) == key(&keys[late])));
    }
    let mut seen = HashSet::new();
    !keys.iter().all(|range| seen.insert(key(range)))
}

/// Appends what the entries become to `spans`: for each key, its first text and its last value.
fn merge(
    text: &[u8],
    keys: &[Range<usize>],
    body_end: usize,
    spans: &mut Vec<Range<usize>>,
) -> usize {
    let mut last_of = HashMap::new();
    for (position, range) in keys.iter().enumerate() {
        last_of.insert(&text[range.clone()], position);
    }
    let count = last_of.len();
    for range in keys {
        if let Some(last) = last_of.remove(&text[range.clone()]) {
            let value_end = keys.get(last + 1).map_or(body_end, |next| next.start);
            spans.extend([range.clone(), keys[last].end..value_end]);
        }
    }
    count
}

/// Makes room for counts of more than one digit, from the last to the first.
fn widen(out: &mut Vec<u8>, late: &[LateCount]) {
    let mut digits = Vec::new();
    let wider: usize = late.iter().map(|late| late.count.ilog10() as usize).sum();
    let mut from = out.len();
    out.reserve_exact(wider);
    out.resize(from + wider, 0);
    let mut to = out.len();
    for LateCount { digit_at, count } in late.iter().rev() {
        let tail = digit_at + 1..from;
        from = *digit_at;
        to -= tail.len();
        out.copy_within(tail, to);
        digits.clear();
        text::count(&mut digits, *count);
        to -= digits.len();
        out[to..to + digits.len()].copy_from_slice(&digits);
    }
}

/// A text, and what has to change in it.
struct Order<'a> {
    text: &'a [u8],
    late: &'a [LateCount],
    all: &'a [Merged],
    spans: &'a [Range<usize>],
}

impl Order<'_> {
    /// Copies a part, with its counts and with the entries of merged arrays in their order.
    fn copy(&self, part: Range<usize>, out: &mut Vec<u8>) {
        let mut from = part.start;
        let mut next = self.late.partition_point(|late| late.digit_at < from);
        while let Some(late) = self.late.get(next).filter(|late| late.digit_at < part.end) {
            out.extend_from_slice(&self.text[from..late.digit_at]);
            text::count(out, late.count);
            from = late.digit_at + 1;
            next += 1;
            if let Ok(found) = self.all.binary_search_by_key(&late.digit_at, |one| one.digit_at) {
                let merged = &self.all[found];
                out.extend_from_slice(b":{");
                for span in &self.spans[merged.spans.clone()] {
                    self.copy(span.clone(), out);
                }
                from = merged.body_end;
                next = self.late.partition_point(|late| late.digit_at < from);
            }
        }
        out.extend_from_slice(&self.text[from..part.end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(fill: impl FnOnce(&mut ArrayWriter<'_>)) -> String {
        let mut out = b"before ".to_vec();
        let mut writer = ArrayWriter::new(&mut out);
        fill(&mut writer);
        writer.finish();
        String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().to_owned()
    }

    type Fill<'f> = &'f dyn Fn(&mut ArrayWriter<'_>);

    fn list(writer: &mut ArrayWriter<'_>, entries: usize, value: Fill<'_>) {
        let mut array = writer.open();
        for _ in 0..entries {
            writer.list_key(&mut array);
            value(writer);
        }
        writer.close(array);
    }

    fn map(writer: &mut ArrayWriter<'_>, entries: &[(&str, Fill<'_>)]) {
        let mut array = writer.open();
        for (key, value) in entries {
            writer.text_key(&mut array, key.as_bytes());
            value(writer);
        }
        writer.close(array);
    }

    #[test]
    fn counts_of_every_width_stand_in_front() {
        assert_eq!(written(|writer| list(writer, 0, &|_| ())), "a:0:{}");
        for (outer, inner) in [(9, 9), (10, 9), (9, 10), (11, 1000), (1, 0)] {
            let text = written(|writer| {
                list(writer, outer, &|writer| {
                    list(writer, inner, &|writer| text::null(writer.out()));
                });
            });
            let repeat = |count: usize, value: &str| {
                let entries: String = (0..count).map(|key| format!("i:{key};{value}")).collect();
                format!("a:{count}:{{{entries}}}")
            };
            assert_eq!(text, repeat(outer, &repeat(inner, "N;")));
        }
    }

    #[test]
    fn a_key_keeps_its_first_position_and_its_last_value() {
        let int = |value: i64| move |writer: &mut ArrayWriter<'_>| text::int(writer.out(), value);
        let text = written(|writer| {
            map(writer, &[("a", &int(1)), ("5", &int(2)), ("a", &int(3)), ("05", &int(4))]);
        });
        assert_eq!(text, r#"a:3:{s:1:"a";i:3;i:5;i:2;s:2:"05";i:4;}"#);
    }

    #[test]
    fn duplicates_within_duplicates_keep_their_counts() {
        let dropped = |writer: &mut ArrayWriter<'_>| {
            list(writer, 12, &|writer| text::null(writer.out()));
        };
        let kept = |writer: &mut ArrayWriter<'_>| {
            map(
                writer,
                &[("b", &dropped), ("c", &dropped), ("b", &|writer| list(writer, 1, &dropped))],
            );
        };
        let twelve: String = (0..12).map(|key| format!("i:{key};N;")).collect();
        let text = written(|writer| {
            map(writer, &[("a", &dropped), ("z", &dropped), ("a", &kept)]);
        });
        let twelve = format!("a:12:{{{twelve}}}");
        assert_eq!(
            text,
            format!(
                r#"a:2:{{s:1:"a";a:2:{{s:1:"b";a:1:{{i:0;{twelve}}}s:1:"c";{twelve}}}s:1:"z";{twelve}}}"#
            )
        );
    }

    #[test]
    fn many_keys_are_told_apart_by_a_table() {
        for again in [None, Some("7")] {
            let text = written(|writer| {
                let mut array = writer.open();
                for key in (0..100).map(|key| key.to_string()).chain(again.map(str::to_owned)) {
                    writer.text_key(&mut array, key.as_bytes());
                    text::boolean(writer.out(), array.entries > 100);
                }
                writer.close(array);
            });
            assert!(text.starts_with("a:100:{i:0;b:0;i:1;b:0;"), "{text}");
            assert_eq!(text.contains("i:7;b:1;i:8;"), again.is_some());
            assert!(text.ends_with("i:99;b:0;}"));
        }
    }
}
