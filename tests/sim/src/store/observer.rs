//! A program that watches variables: it is told of every change once and in order, or to begin anew.

use super::record::{Record, bytes};
use super::truth::{Change, Truth};
use crate::findings::expect;
use crate::world::{World, lock};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use workyard_globaldata::{Position, WatchEvent, Watcher};

pub(crate) struct Observer {
    pub(crate) world: Arc<World>,
    pub(crate) record: Arc<Mutex<Record>>,
    pub(crate) number: usize,
    /// How long it takes over an event.
    pub(crate) pause: Duration,
}

/// What is watched: a variable, or all whose keys begin alike.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Topic {
    Key(&'static str),
    Prefix(&'static str),
}

impl Topic {
    fn matches(self, key: &[u8]) -> bool {
        match self {
            Self::Key(name) => key == name.as_bytes(),
            Self::Prefix(prefix) => key.starts_with(prefix.as_bytes()),
        }
    }
}

/// What an observer has been told.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    topic: Topic,
    /// Whether it wants to know the values.
    has_values: bool,
    /// Where another one can go on.
    position: Option<Position>,
    /// It goes on where another one was, and may be told once more that it has caught up.
    is_resumed: bool,
    /// The variables that there are, by what it was told, each with the revision of its value.
    state: BTreeMap<Vec<u8>, u64>,
    /// The place of the last change of each variable that it was told of.
    places: BTreeMap<Vec<u8>, usize>,
    /// How many changes there were of each variable when it heard that it had caught up.
    caught_up: Option<BTreeMap<Vec<u8>, usize>>,
    last_revision: u64,
}

impl Observer {
    pub(crate) async fn run(self, mut watcher: Watcher) {
        while let Some(event) = watcher.next().await {
            self.told(&event, watcher.position());
            tokio::time::sleep(self.pause).await;
        }
    }

    fn told(&self, event: &WatchEvent, position: Option<Position>) {
        let number = self.number;
        self.world.network.say(|| format!("observer {number}: {event:?}"));
        let mut record = lock(&self.record);
        let Record { findings, truth, observers, .. } = &mut *record;
        let Some(observed) = observers.get_mut(&number) else { return };
        let told = observed.told(truth, event).and_then(|()| observed.stands_at(position));
        if let Err(text) = told {
            findings.report(format!("observer {number}, {event:?}: {text}"));
        }
    }
}

impl Observed {
    pub(crate) fn new(topic: Topic, has_values: bool) -> Self {
        Self {
            topic,
            has_values,
            position: None,
            is_resumed: false,
            state: BTreeMap::new(),
            places: BTreeMap::new(),
            caught_up: None,
            last_revision: 0,
        }
    }

    /// What it is about, and where one begins that goes on behind it, knowing what it knew.
    pub(crate) fn resumed(self, has_values: bool) -> (Topic, Option<Position>, Self) {
        let (topic, position) = (self.topic, self.position.clone());
        (topic, position, Self { has_values, is_resumed: true, ..self })
    }

    /// Whether another one can go on where it was.
    pub(crate) fn has_position(&self) -> bool {
        self.position.is_some()
    }

    /// Whether it knows how things stand.
    pub(crate) fn is_right(&self, truth: &Truth) -> bool {
        self.caught_up.is_some() && self.state == truth.state(|key| self.topic.matches(key))
    }

    fn told(&mut self, truth: &Truth, event: &WatchEvent) -> Result<(), String> {
        match event {
            WatchEvent::Restarted { .. } => *self = Self::new(self.topic, self.has_values),
            WatchEvent::CaughtUp => {
                let is_first = self.caught_up.is_none() || std::mem::take(&mut self.is_resumed);
                self.caught_up = Some(truth.lengths(|key| self.topic.matches(key)));
                expect(is_first, || "it had caught up before".to_owned())?;
            }
            WatchEvent::Stored { key, revision, value, .. } => {
                let place = truth.stored(key, *revision);
                expect(value.is_some() == self.has_values, || "with or without value".to_owned())?;
                let change = match (value, place) {
                    (None, Some(place)) => truth.of(key)[place].clone(),
                    _ => {
                        let value = value.as_ref().map(|value| bytes(value.as_ref()));
                        Change::Stored { revision: *revision, value: value.unwrap_or_default() }
                    }
                };
                self.changed(truth, key, *revision, place, &change)?;
                self.state.insert(key.to_vec(), *revision);
            }
            WatchEvent::Deleted { key, revision } => {
                let place = truth.removed(key, *revision);
                self.changed(truth, key, *revision, place, &Change::Deleted)?;
                self.state.remove(&key[..]);
            }
            WatchEvent::Expired { key, revision } => {
                let place = truth.removed(key, *revision);
                self.changed(truth, key, *revision, place, &Change::Expired)?;
                self.state.remove(&key[..]);
            }
            _ => return Err("nobody knows what that is".to_owned()),
        }
        Ok(())
    }

    /// Another one can go on here only when all is told that was there.
    fn stands_at(&mut self, position: Option<Position>) -> Result<(), String> {
        let is_known = self.caught_up.is_some();
        let text = format!("{position:?} is given before all is told");
        expect(position.is_none() || is_known, || text)?;
        self.position = position;
        Ok(())
    }

    /// A change is the one behind that which was told before, and of the right kind.
    fn changed(
        &mut self,
        truth: &Truth,
        key: &[u8],
        revision: u64,
        place: Option<usize>,
        change: &Change,
    ) -> Result<(), String> {
        expect(self.topic.matches(key), || "that is not watched".to_owned())?;
        let all = truth.of(key);
        let Some(place) = place.filter(|place| all[*place] == *change) else {
            return Err(format!("that never was: {all:?}"));
        };
        match self.places.insert(key.to_vec(), place) {
            Some(last) => {
                expect(place == last + 1, || format!("change {place} follows {last}: {all:?}"))?;
            }
            None => self.check_first(all, key, place)?,
        }
        if self.caught_up.is_some() {
            let last = std::mem::replace(&mut self.last_revision, revision);
            expect(last < revision, || format!("revision {revision} follows {last}"))?;
        }
        Ok(())
    }

    /// A variable of which it was told that there is none, when it had caught up, is there again: nothing
    /// that came behind that is left out.
    fn check_first(&self, all: &[Change], key: &[u8], place: usize) -> Result<(), String> {
        let Some(caught_up) = &self.caught_up else { return Ok(()) };
        let known = caught_up.get(key).copied().unwrap_or(0);
        let before = place.checked_sub(1).map(|before| &all[before]);
        // What was over when it was read may be told to be so behind that.
        let is_stored = |change: &Change| matches!(change, Change::Stored { .. });
        let was_there = is_stored(&all[place]) && before.is_some_and(is_stored);
        let is_late = !is_stored(&all[place]) && place == known;
        expect(place <= known && !was_there && !is_late, || {
            format!("change {place} is the first after {known}, behind {before:?}")
        })
    }
}

/// How old the values of a cache may be: no older than what was read or written before.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    places: BTreeMap<&'static str, usize>,
}

impl Freshness {
    /// A variable was written, and that is confirmed.
    pub(crate) fn wrote(&mut self, truth: &Truth, key: &'static str, revision: u64) {
        if let Some(place) = truth.stored(key.as_bytes(), revision) {
            let known = self.places.entry(key).or_default();
            *known = place.max(*known);
        }
    }

    /// It was removed, or was found not to be there.
    pub(crate) fn removed(&mut self, truth: &Truth, key: &'static str) {
        let known = self.places.entry(key).or_default();
        let all = truth.of(key.as_bytes());
        let is_gone = |place: &usize| !matches!(all[*place], Change::Stored { .. });
        *known = (*known..all.len()).find(is_gone).unwrap_or(*known);
    }

    /// It was read: a revision and a value, or that there is none.
    pub(crate) fn read(
        &mut self,
        truth: &Truth,
        key: &'static str,
        found: Option<(u64, Vec<u8>)>,
    ) -> Result<(), String> {
        let Some((revision, value)) = found else {
            self.removed(truth, key);
            return Ok(());
        };
        let known = self.places.entry(key).or_default();
        let all = truth.of(key.as_bytes());
        let place = truth.stored(key.as_bytes(), revision);
        let Some(place) = place.filter(|place| all[*place] == Change::Stored { revision, value })
        else {
            return Err(format!("revision {revision} of {key} never was: {all:?}"));
        };
        let last = std::mem::replace(known, place);
        expect(last <= place, || format!("change {place} of {key} was read after {last}: {all:?}"))
    }
}
