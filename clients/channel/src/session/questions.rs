//! Which questions wait for an answer, which channels are served here, and who gets a question.

use super::{Done, HeldQuestion, LocalId, Outcome, Waiter, finish, refused};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use workyard_link::{Mailbox, Offered};
use workyard_planted::planted;
use workyard_protocol::Refusal;

#[derive(Debug, Default)]
pub(super) struct Questions {
    /// Who waits for what becomes of a question, by its number.
    waiting: BTreeMap<u64, Waiter>,
    services: BTreeMap<Bytes, Vec<Local>>,
    by_id: HashMap<LocalId, Bytes>,
    turn: usize,
}

/// A responder of this process.
#[derive(Debug)]
struct Local {
    id: LocalId,
    mailbox: Arc<Mailbox<HeldQuestion>>,
    /// The request that asks the server for it, and who waits for the answer.
    asked: u64,
    done: Option<Done>,
    /// It was closed, and the server has not answered yet: questions may still be on their way to it.
    is_ending: bool,
    /// Who waits for its end.
    ended: Vec<Done>,
}

/// Whatever ends a responder ends its stream.
impl Drop for Local {
    fn drop(&mut self) {
        self.mailbox.close();
        self.ended.drain(..).for_each(|done| finish(Some(done)));
    }
}

impl Questions {
    /// The server has given a question its number.
    pub(super) fn asked(&mut self, question: u64, waiter: Waiter) {
        self.waiting.insert(question, waiter);
    }

    /// What became of a question. Whoever asked may have given up.
    pub(super) fn settled(&mut self, question: u64, outcome: Outcome) {
        let wrong = planted!("answer-goes-to-another-asker").then(|| self.waiting.keys().next());
        let question = wrong.flatten().copied().unwrap_or(question);
        if let Some(waiter) = self.waiting.remove(&question) {
            let _ = waiter.send(Ok(outcome));
        }
    }

    /// Adds a responder of a channel, which the server is asked for by this request.
    pub(super) fn add(
        &mut self,
        id: LocalId,
        channel: Bytes,
        mailbox: Arc<Mailbox<HeldQuestion>>,
        asked: u64,
        done: Done,
    ) {
        self.by_id.insert(id, channel.clone());
        let (done, is_ending, ended) = (Some(done), false, Vec::new());
        let local = Local { id, mailbox, asked, done, is_ending, ended };
        self.services.entry(channel).or_default().push(local);
    }

    /// Every channel that a new server has to be asked for.
    pub(super) fn served(&self) -> Vec<Bytes> {
        self.services.keys().cloned().collect()
    }

    /// The server is being asked for a channel again, by this request.
    pub(super) fn asked_again(&mut self, token: u64, channel: &Bytes) {
        let locals = self.services.get_mut(channel).into_iter().flatten();
        locals.for_each(|local| local.asked = token);
    }

    pub(super) fn confirmed(&mut self, token: u64, channel: &Bytes) {
        let locals = self.services.get_mut(channel).into_iter().flatten();
        locals.filter(|local| local.asked == token).for_each(|local| finish(local.done.take()));
    }

    /// The server will not. Returns whether that ends responders which were there before.
    pub(super) fn refused(&mut self, token: u64, channel: &Bytes, refusal: &Refusal) -> bool {
        let mut established = false;
        for mut local in self.take(channel, |local| local.asked == token) {
            established |= refused(local.done.take(), refusal);
        }
        established
    }

    /// Ends a responder whose stream goes on to be read. Takes `done`, unless there is no such responder,
    /// and tells it when nothing more can come. Returns the channel that the server is to hear of: nobody
    /// serves it any more, and this responder ends when the server has answered.
    pub(super) fn close(&mut self, id: LocalId, done: &mut Option<Done>) -> Option<Bytes> {
        let channel = self.by_id.get(&id)?;
        let locals = self.services.get_mut(channel)?;
        let is_last = locals.iter().all(|local| local.id == id || local.is_ending);
        let local = locals.iter_mut().find(|local| local.id == id)?;
        local.ended.extend(done.take());
        if local.is_ending {
            return None;
        }
        if is_last {
            local.is_ending = true;
            return Some(channel.clone());
        }
        // What is on its way goes to the others.
        self.remove(id);
        None
    }

    /// Removes a responder at once. Returns its channel if the server is to hear that nobody is left.
    pub(super) fn remove(&mut self, id: LocalId) -> Option<Bytes> {
        let channel = self.by_id.remove(&id)?;
        let taken = self.take(&channel, |local| local.id == id);
        let was_ending = taken.iter().any(|local| local.is_ending);
        (!was_ending && !self.services.contains_key(&channel)).then_some(channel)
    }

    /// To one of those who serve its channel here, each in its turn. Returns why to none.
    pub(super) fn deliver(&mut self, question: &HeldQuestion) -> Result<(), &'static str> {
        let locals = self.services.get(&question.channel).map_or(&[][..], Vec::as_slice);
        self.turn = self.turn.wrapping_add(1);
        let first = self.turn % locals.len().max(1);
        let (bytes, mut is_full) = (question.byte_len(), false);
        for local in locals[first..].iter().chain(&locals[..first]) {
            match local.mailbox.offer(bytes, question.clone()) {
                Offered::Taken => return Ok(()),
                Offered::Full => is_full = true,
                Offered::Closed => {}
            }
        }
        Err(if is_full { "the responder has too much to do" } else { "the responder has ended" })
    }

    /// The connection was lost, and with it every question either way. Who was about to end has ended.
    pub(super) fn interrupted(&mut self) {
        for waiter in std::mem::take(&mut self.waiting).into_values() {
            let _ = waiter.send(Ok(Outcome::Lost));
        }
        for channel in self.served() {
            self.take(&channel, |local| local.is_ending);
        }
        self.services.values().flatten().for_each(|local| drop(local.mailbox.drain()));
    }

    fn take(&mut self, channel: &Bytes, which: impl Fn(&Local) -> bool) -> Vec<Local> {
        let Some(locals) = self.services.get_mut(channel) else { return Vec::new() };
        let taken: Vec<_> = locals.extract_if(.., |local| which(local)).collect();
        if locals.is_empty() {
            self.services.remove(channel);
        }
        taken.iter().for_each(|local| drop(self.by_id.remove(&local.id)));
        taken
    }
}
