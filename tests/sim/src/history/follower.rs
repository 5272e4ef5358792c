//! A program that follows channels with history: it sees every message once, or learns what is gone.

use super::ledger::Ledger;
use crate::channel::{Filter, value_id};
use crate::findings::expect;
use crate::world::{World, lock};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use workyard_channel::{Message, Subscription};

pub(super) struct Follower {
    pub(super) world: Arc<World>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) number: usize,
    pub(super) wish: Wish,
    /// How long it takes over a message.
    pub(super) pause: Duration,
    pub(super) had: Had,
}

/// What was asked for, and when.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) filter: Filter,
    /// With how many earlier messages of each channel it begins at most.
    pub(super) last: u64,
    /// What was published before it was asked for.
    pub(super) asked: usize,
    /// The server process of then.
    pub(super) process: u64,
    /// What was published before it was granted: everything behind is for it.
    pub(super) granted: usize,
}

/// What it has had so far.
#[derive(Debug, Default)]
pub(super) struct Had {
    /// The server process that it knows of, if that is certain.
    process: Option<u64>,
    /// The place of the last message of each channel, and how many were older than the wish.
    last: BTreeMap<Vec<u8>, usize>,
    early: BTreeMap<Vec<u8>, u64>,
    last_kept: Option<usize>,
    last_unkept: Option<usize>,
    /// Messages that did not come: those that were to be kept, all, and how many it was told of.
    lacks_kept: u64,
    lacks: u64,
    told: u64,
    is_interrupted: bool,
    /// Channels of which it has heard the last message of the run.
    ended: BTreeSet<Vec<u8>>,
}

/// A message, and what it leaves out of its channel.
struct Came<'a> {
    message: &'a Message,
    place: usize,
    is_first: bool,
    /// What was for the follower and did not come.
    skipped: Vec<usize>,
    /// What may have been.
    doubtful: u64,
}

impl Follower {
    pub(super) async fn run(mut self, mut subscription: Subscription) {
        while let Some(message) = subscription.next().await {
            self.read(&message);
            tokio::time::sleep(self.pause).await;
        }
    }

    fn read(&mut self, message: &Message) {
        let value = value_id(message.value().as_ref());
        let number = self.number;
        self.world.network.say(|| {
            let (channel, missed) = (message.channel_str(), message.missed_before());
            let numbers = message.missed_numbers_before();
            let interrupted = if message.interrupted_before() { ", interrupted" } else { "" };
            format!("follower {number}: value {value} on {channel}, missed {missed} {numbers:?}{interrupted}")
        });
        let ledger = Arc::clone(&self.ledger);
        let mut ledger = lock(&ledger);
        let Some(place) = ledger.place(value) else {
            return ledger.findings.report(format!("value {value} was never published"));
        };
        if let Err(text) = self.check(&ledger, message, place) {
            ledger.findings.report(format!("follower {number}, value {value}: {text}"));
        }
        self.had.add(&ledger, place);
        if value >= ledger.last_from {
            self.had.ended.insert(message.channel().to_vec());
            if super::CHANNELS.iter().all(|name| self.is_done_with(name.as_bytes())) {
                ledger.settle_follower(number);
                if let Err(text) = self.check_sums(&ledger) {
                    ledger.findings.report(format!("follower {number}: {text}"));
                }
            }
        }
    }

    fn check(&mut self, ledger: &Ledger, message: &Message, place: usize) -> Result<(), String> {
        let one = ledger.at(place);
        let is_pattern = matches!(self.wish.filter, Filter::Pattern(_));
        let numbers = (message.sequence(), message.position());
        expect(numbers == (one.sequence, one.position), || format!("{numbers:?} is {one:?}"))?;
        let last = self.had.last.get(&one.channel).copied();
        expect(last.is_none_or(|last| last < place), || "twice or too late".to_owned())?;
        if place < self.wish.asked {
            let early = self.had.early.entry(one.channel.clone()).or_default();
            *early += 1;
            // A pattern that had to go on before it had all of them gets what lies between, too.
            let most = if is_pattern && self.wish.last > 0 { u64::MAX } else { self.wish.last };
            expect(*early <= most, || format!("{early} are older than it is"))?;
        }
        self.check_process(one.process, message)?;
        if message.interrupted_before() && self.wish.last > 0 && self.had.last_kept.is_none() {
            // Before it had the first of the last messages, it had to ask for the last ones anew.
            self.wish.granted = ledger.now().0;
        }
        let skipped = |from| {
            let from = last.map_or(from, |last| last + 1);
            ledger.between(from, place, |name| *name == one.channel)
        };
        let came = Came {
            message,
            place,
            is_first: last.is_none(),
            skipped: skipped(self.wish.granted),
            doubtful: skipped(self.wish.asked).len() as u64,
        };
        self.check_kept(ledger, &came)?;
        match is_pattern {
            true => self.check_pattern(ledger, &came),
            false => self.check_channel(ledger, &came),
        }
    }

    /// A server that began anew is not taken for the one before.
    fn check_process(&mut self, process: u64, message: &Message) -> Result<(), String> {
        let is_new = self.had.process.is_some_and(|known| known != process);
        self.had.process = Some(process);
        expect(!is_new || message.interrupted_before(), || {
            "another server goes on as if it were the one before".to_owned()
        })
    }

    /// What is still kept is not left out.
    fn check_kept(&self, ledger: &Ledger, came: &Came<'_>) -> Result<(), String> {
        let left_out = came.skipped.iter().find(|place| ledger.is_still_kept(**place));
        expect(left_out.is_none(), || format!("place {left_out:?} is kept and did not come"))?;
        if !came.is_first {
            return Ok(());
        }
        let channel = &ledger.at(came.place).channel;
        let end = self.wish.granted.min(came.place);
        let older = ledger.between(0, end, |name| name == channel);
        let newer = ledger.between(end, ledger.now().0, |name| name == channel).len();
        let wanted = self.wish.last.saturating_sub(newer as u64);
        let wanted = older.iter().rev().take(usize::try_from(wanted).unwrap_or(usize::MAX));
        let left_out = wanted.filter(|place| ledger.is_still_kept(**place)).min();
        expect(left_out.is_none(), || format!("place {left_out:?} is one of the last and kept"))
    }

    /// Of a channel, it is told exactly which messages are gone, if it is the same server.
    fn check_channel(&self, ledger: &Ledger, came: &Came<'_>) -> Result<(), String> {
        let Came { message, place, skipped, .. } = came;
        let (missed, count) = (message.missed_before(), skipped.len() as u64);
        if message.interrupted_before() {
            let may_be = ledger.forgets_numbers || (came.is_first && self.wish.last > 0);
            let last = self.had.last.get(message.channel());
            let before = last.map_or(self.wish.process, |last| ledger.at(*last).process);
            let is_new = before != ledger.at(*place).process;
            return expect(may_be || is_new, || "nothing has interrupted it".to_owned());
        }
        if came.is_first {
            let most = came.doubtful + self.wish.last;
            return expect((count..=most).contains(&missed), || {
                format!("told of {missed}, and {count} to {most} are missing")
            });
        }
        expect(missed == count, || format!("told of {missed}, and {count} are missing"))?;
        let numbers = message.missed_numbers_before();
        let last = self.had.last.get(message.channel()).map_or(0, |last| ledger.at(*last).sequence);
        let expected = (count > 0).then(|| last + 1..=message.sequence() - 1);
        expect(ledger.forgets_numbers || numbers == expected, || {
            format!("told that {numbers:?} are missing, and {expected:?} are")
        })
    }

    /// Of a pattern, what is kept comes in one order, and so does what is not.
    fn check_pattern(&mut self, ledger: &Ledger, came: &Came<'_>) -> Result<(), String> {
        let Came { message, place, skipped, doubtful, .. } = came;
        let is_kept = |place: &usize| ledger.at(*place).is_kept;
        self.had.told += message.missed_before();
        self.had.is_interrupted |= message.interrupted_before();
        self.had.lacks += doubtful;
        self.had.lacks_kept += skipped.iter().filter(|place| is_kept(place)).count() as u64;
        let last = if is_kept(place) { self.had.last_kept } else { self.had.last_unkept };
        expect(last.is_none_or(|last| last < *place), || "too late for its pattern".to_owned())?;
        if is_kept(place) {
            return Ok(());
        }
        let from = last.map_or(self.wish.granted, |last| last + 1);
        let all = ledger.between(from, *place, |name| self.wish.filter.matches(name));
        let lost = all.iter().filter(|place| !is_kept(place)).count();
        expect(lost == 0 || message.interrupted_before(), || {
            format!("{lost} that are not kept are missing, and nobody told")
        })
    }

    /// At the end, what a pattern lacks is what it was told of.
    fn check_sums(&self, ledger: &Ledger) -> Result<(), String> {
        let Had { lacks_kept, lacks, told, is_interrupted, .. } = self.had;
        let is_known = matches!(self.wish.filter, Filter::Pattern(_)) && !is_interrupted;
        // Numbers that a server has left out count as missing: only it knows that there were none.
        let is_doubtful = self.wish.last > 0 || ledger.forgets_numbers;
        let most = if is_doubtful { u64::MAX } else { lacks };
        expect(!is_known || (lacks_kept..=most).contains(&told), || {
            format!("told of {told}, and {lacks_kept} to {most} are missing")
        })
    }

    fn is_done_with(&self, channel: &[u8]) -> bool {
        !self.wish.filter.matches(channel) || self.had.ended.contains(channel)
    }
}

impl Had {
    /// Nothing yet, of a server process that may be known.
    pub(super) fn new(process: Option<u64>) -> Self {
        Self { process, ..Self::default() }
    }

    fn add(&mut self, ledger: &Ledger, place: usize) {
        let one = ledger.at(place);
        self.last.insert(one.channel.clone(), place);
        match one.is_kept {
            true => self.last_kept = Some(place),
            false => self.last_unkept = Some(place),
        }
    }
}
