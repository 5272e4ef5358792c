//! What a subscription does with a message, and with those that wait, when there is no room for it.

use super::topics::Local;
use crate::message::Message;
use bytes::Bytes;
use std::collections::HashMap;
use workyard_link::{Items, Offered};
use workyard_planted::planted;
use workyard_protocol::channel::WhenSlow;

/// Below this many, no place that is over is looked for.
const PLACES_MIN: usize = 16;

/// A message that is lost for want of room: its channel and its number.
pub(super) type LostOne = (Bytes, u64);

/// Where the message of each channel waits, while only the latest of each is kept.
#[derive(Debug, Default)]
pub(super) struct Places(HashMap<Bytes, u64>);

impl Local {
    /// Hands a message over, with what is known to be missing before it, and notes what is lost for want of
    /// room. Returns whether the subscription ends, as it shall lose nothing.
    pub(super) fn offer(&mut self, message: &Message, lost: &mut Vec<LostOne>) -> bool {
        let mut message = message.clone();
        message.missed = self.missed.count();
        message.missed_numbers = self.missed.numbers(&message.channel);
        message.interrupted = self.interrupted;
        match self.when_slow {
            WhenSlow::DropOldest => {
                self.mailbox.change(|items| drop_oldest(items, message, lost));
            }
            WhenSlow::Latest => {
                let places = &mut self.places;
                self.mailbox.change(|items| keep_latest(items, places, message, lost));
            }
            WhenSlow::DropNewest | WhenSlow::Disconnect => {
                let (channel, number) = (message.channel.clone(), message.sequence);
                if self.mailbox.offer(message.byte_len(), message) == Offered::Full {
                    self.missed.add(Some(&channel), number, number, 1);
                    lost.push((channel, number));
                    let is_strict = self.when_slow == WhenSlow::Disconnect;
                    return is_strict && !planted!("slow-subscription-goes-on");
                }
            }
        }
        self.missed = super::missed::Missed::default();
        self.interrupted = false;
        false
    }
}

/// The message comes in, whatever goes for it.
fn drop_oldest(items: &mut Items<Message>, mut message: Message, lost: &mut Vec<LostOne>) {
    make_room(items, &mut message, lost);
    items.push(message.byte_len(), message);
}

/// From the first message that finds no room, until all that waits is taken, only the latest of each channel is
/// kept: it takes the place of the one before.
fn keep_latest(
    items: &mut Items<Message>,
    places: &mut Option<Places>,
    message: Message,
    lost: &mut Vec<LostOne>,
) {
    if items.is_empty() {
        *places = None;
    }
    let bytes = message.byte_len();
    if places.is_none() && items.fits(bytes) {
        items.push(bytes, message);
        return;
    }
    let places = places.get_or_insert_with(|| {
        let mut places = Places::default();
        for message in items.take_all() {
            places.put(items, message, lost);
        }
        places
    });
    if let Some(mut message) = places.replace(items, message, lost) {
        make_room(items, &mut message, lost);
        places.put(items, message, lost);
    }
    while items.is_over()
        && let Some(oldest) = items.pop()
    {
        tell_next(items, &oldest, None, lost);
    }
    places.forget_taken(items);
}

impl Places {
    /// Puts a message in the place of the one of its channel, or behind all others.
    fn put(&mut self, items: &mut Items<Message>, message: Message, lost: &mut Vec<LostOne>) {
        if let Some(message) = self.replace(items, message, lost) {
            let channel = message.channel.clone();
            let place = items.push(message.byte_len(), message);
            self.0.insert(channel, place);
        }
    }

    /// Puts a message in the place of the one of its channel. Gives it back if none waits.
    fn replace(
        &mut self,
        items: &mut Items<Message>,
        mut message: Message,
        lost: &mut Vec<LostOne>,
    ) -> Option<Message> {
        let place = self.0.get(&message.channel).copied();
        let Some((place, before)) = place.and_then(|place| Some((place, items.get(place)?))) else {
            return Some(message);
        };
        message.follow_lost(before);
        lost.push((before.channel.clone(), before.sequence));
        items.replace(place, message.byte_len(), message);
        None
    }

    /// Channels that come and go shall not fill it.
    fn forget_taken(&mut self, items: &Items<Message>) {
        if self.0.len() > 2 * items.len() + PLACES_MIN {
            self.0.retain(|_, place| items.get(*place).is_some());
        }
    }
}

/// The oldest go until there is room for one more.
fn make_room(items: &mut Items<Message>, message: &mut Message, lost: &mut Vec<LostOne>) {
    while !items.fits(message.byte_len())
        && let Some(oldest) = items.pop()
    {
        tell_next(items, &oldest, Some(message), lost);
    }
}

/// Whoever is next behind a lost message tells of it.
fn tell_next(
    items: &mut Items<Message>,
    oldest: &Message,
    newest: Option<&mut Message>,
    lost: &mut Vec<LostOne>,
) {
    lost.push((oldest.channel.clone(), oldest.sequence));
    if planted!("oldest-leaves-no-trace") {
        return;
    }
    match (items.first_mut(), newest) {
        (Some(next), _) | (None, Some(next)) => next.follow_lost(oldest),
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests;
