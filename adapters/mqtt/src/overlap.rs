//! Copies of one message that a broker of MQTT 3.1.1 sends because several filters match it.

use crate::message::Message;
use bytes::Bytes;
use std::collections::VecDeque;

/// So many messages are remembered whose copies are to come. They come at once, or not at all.
const REMEMBERED_MAX: usize = 64;

/// Tells copies from messages: with 3.1.1 nothing in a packet says which filter it is for, and a broker
/// sends as many packets as there are filters.
#[derive(Debug, Default)]
pub(crate) struct Overlap {
    copies: bool,
    remembered: VecDeque<Remembered>,
}

#[derive(Debug)]
struct Remembered {
    topic: String,
    payload: Bytes,
    left: usize,
}

impl Overlap {
    /// `copies` is whether the broker sends any.
    pub(crate) fn new(copies: bool) -> Self {
        Self { copies, remembered: VecDeque::new() }
    }

    /// Whether a message that `filters` filters match is a copy of one that came before.
    pub(crate) fn is_copy(&mut self, message: &Message, filters: usize) -> bool {
        // What a broker had kept it sends for one filter only.
        if !self.copies || filters < 2 || message.retain {
            return false;
        }
        let same = |it: &Remembered| it.topic == message.topic && it.payload == message.payload;
        if let Some(place) = self.remembered.iter().position(same) {
            self.remembered[place].left -= 1;
            if self.remembered[place].left == 0 {
                self.remembered.remove(place);
            }
            return true;
        }
        if self.remembered.len() == REMEMBERED_MAX {
            self.remembered.pop_front();
        }
        let (topic, payload) = (message.topic.clone(), message.payload.clone());
        self.remembered.push_back(Remembered { topic, payload, left: filters - 1 });
        false
    }

    /// Nothing is to come any more.
    pub(crate) fn clear(&mut self) {
        self.remembered.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Properties;
    use crate::qos::Qos;

    fn is_copy(overlap: &mut Overlap, text: &str, filters: usize) -> bool {
        let message = Message {
            topic: "t".into(),
            payload: text.to_owned().into(),
            qos: Qos::AtMostOnce,
            retain: false,
            duplicate: false,
            properties: Properties::default(),
            token: None,
        };
        overlap.is_copy(&message, filters)
    }

    #[test]
    fn of_as_many_as_there_are_filters_one_is_the_message() {
        let mut overlap = Overlap::new(true);
        let seen =
            ["a", "a", "a", "b", "a", "b", "a", "b", "a"].map(|it| is_copy(&mut overlap, it, 3));
        assert_eq!(seen, [false, true, true, false, false, true, true, true, true]);
    }

    #[test]
    fn without_overlap_or_copies_all_are_messages() {
        let mut overlap = Overlap::new(true);
        assert_eq!(["a", "a"].map(|it| is_copy(&mut overlap, it, 1)), [false, false]);
        let mut overlap = Overlap::new(false);
        assert_eq!(["a", "a"].map(|it| is_copy(&mut overlap, it, 2)), [false, false]);
    }
}
