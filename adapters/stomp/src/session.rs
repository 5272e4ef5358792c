//! One connection while it lasts: its bytes, its heart-beats, and whom its frames are for.

use crate::codec::{CodecError, Command, Flaw, Frame, Version};
use crate::connect::{Connection, Reading, Writing};
use crate::held::{Held, Progress};
use crate::limits::{LAST_WORDS_MAX, UNWRITTEN_BYTES_MAX};
use crate::notice::Notice;
use crate::pulse::{Due, Pulse};
use crate::receipts::Receipts;
use crate::request::Tell;
use crate::subscription::Delivery;
use crate::{Error, ErrorKind, Result, error};
use bytes::BytesMut;
use futures_util::StreamExt;
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

pub(crate) struct Session {
    pub(crate) number: u64,
    pub(crate) version: Version,
    pub(crate) receipts: Receipts,
    /// The subscriptions that this connection knows, and how far their messages are settled.
    pub(crate) subscribed: HashMap<Arc<str>, Progress>,
    /// The transactions that were begun on it and are not over.
    pub(crate) begun: HashSet<Arc<str>>,
    /// What was noticed while subscriptions were being restored.
    pub(crate) held_back: Vec<Notice>,
    reader: Reading,
    writer: Writing,
    unwritten: BytesMut,
    is_flushed: bool,
    pulse: Pulse,
    beats: Interval,
    has_written: bool,
    pieces: u64,
    /// A message whose subscription has no room; nothing is read until it has.
    parked: Option<(Sender<Delivery>, Delivery)>,
    /// The server has complained; answers to others are read until then.
    last_words: Option<(Error, Instant)>,
}

/// What happened on the connection.
pub(crate) enum Event {
    Written(io::Result<()>),
    Read(Option<Result<Frame, CodecError>>),
    Room,
    Beat,
    LastWordsAreOver,
}

impl Session {
    pub(crate) fn new(connection: Connection, number: u64) -> Self {
        let Connection { reader, writer, agreed } = connection;
        let pulse = Pulse::new(agreed.heart_beat_out, agreed.heart_beat_in);
        let mut beats = interval_at(Instant::now() + pulse.period(), pulse.period());
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            number,
            version: agreed.version,
            receipts: Receipts::default(),
            subscribed: HashMap::new(),
            begun: HashSet::new(),
            held_back: Vec::new(),
            reader,
            writer,
            unwritten: BytesMut::new(),
            is_flushed: true,
            pulse,
            beats,
            has_written: true,
            pieces: 0,
            parked: None,
            last_words: None,
        }
    }

    /// Whether more may be asked of the connection now.
    pub(crate) fn has_room(&self) -> bool {
        self.unwritten.len() < UNWRITTEN_BYTES_MAX && self.last_words.is_none()
    }

    /// Whether nothing is read, as a message waits for room.
    pub(crate) fn is_parked(&self) -> bool {
        self.parked.is_some()
    }

    /// The next thing that happens. Dropped before, nothing is lost.
    pub(crate) async fn event(&mut self) -> Event {
        let Self { reader, writer, unwritten, is_flushed, beats, parked, last_words, .. } = self;
        let until = last_words.as_ref().map(|(_, until)| *until);
        tokio::select! {
            written = write(writer, unwritten, is_flushed), if !*is_flushed && until.is_none() => {
                Event::Written(written)
            }
            frame = reader.next(), if parked.is_none() => Event::Read(frame),
            () = room(parked), if parked.is_some() => Event::Room,
            _ = beats.tick() => Event::Beat,
            () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                Event::LastWordsAreOver
            }
        }
    }

    /// Writes a frame and answers when its receipt has come, or at once if it cannot be written.
    /// Whether it can.
    pub(crate) fn confirmed(&mut self, frame: &Frame, tell: Tell) -> bool {
        match self.encode(frame, Some(self.receipts.next())) {
            Ok(()) => {
                self.receipts.wait(tell);
                true
            }
            Err(error) => {
                let _ = tell.send(Err(error));
                false
            }
        }
    }

    /// Writes a frame that no receipt is wanted of.
    pub(crate) fn unconfirmed(&mut self, frame: &Frame) -> Result<()> {
        self.encode(frame, None)?;
        self.receipts.unasked();
        Ok(())
    }

    /// Acknowledges a message, or gives it back, unless that was done or another connection brought it.
    pub(crate) fn settle(&mut self, held: &Held, command: Command, transaction: Option<&str>) {
        let can = command == Command::Ack || held.can_nack();
        if held.number == self.number && can && held.settle() {
            // What was read can be written.
            let _ = self.unconfirmed(&held.frame(command, transaction));
        }
    }

    /// Hands a message to its subscription, or keeps it until there is room.
    pub(crate) fn deliver(&mut self, to: &Sender<Delivery>, delivery: Delivery) {
        match to.try_send(delivery) {
            Ok(()) => {}
            // It was dropped, and the notice is on its way.
            Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(delivery)) => self.parked = Some((to.clone(), delivery)),
        }
    }

    /// The server has complained. Answers to others may be on their way; the error once there is no
    /// need to wait for them.
    pub(crate) fn complained(&mut self, frame: &Frame) -> Result<()> {
        let complaint = error::of_server(frame);
        self.receipts.blame(frame.header("receipt-id"), &complaint);
        if self.receipts.is_empty() {
            return Err(complaint);
        }
        self.last_words.get_or_insert((complaint, Instant::now() + LAST_WORDS_MAX));
        Ok(())
    }

    /// A receipt has come. The error if it was the last one that was waited for after a complaint.
    pub(crate) fn confirmed_by(&mut self, frame: &Frame) -> Result<()> {
        self.receipts.came(frame.header("receipt-id").unwrap_or_default(), self.number);
        if let Some((complaint, _)) = &self.last_words {
            self.receipts.blame(None, complaint);
            if self.receipts.is_empty() {
                return Err(complaint.clone());
            }
        }
        Ok(())
    }

    /// What ends the connection instead of `otherwise`: what the server has complained of.
    pub(crate) fn cause(&mut self, otherwise: Error) -> Error {
        self.last_words.take().map_or(otherwise, |(complaint, _)| complaint)
    }

    /// Gives a sign of life when it is due.
    ///
    /// # Errors
    /// When the server has given none for too long.
    pub(crate) fn beat(&mut self) -> Result<()> {
        let pieces = self.reader.decoder().pieces();
        // Nobody looks while a message is parked.
        let has_read = pieces != self.pieces || self.parked.is_some();
        self.pieces = pieces;
        match self.pulse.beat(std::mem::take(&mut self.has_written), has_read) {
            Due::Nothing => Ok(()),
            Due::Sign => {
                // What waits to be written is sign enough.
                if self.is_flushed {
                    self.unwritten.extend_from_slice(b"\n");
                    self.is_flushed = false;
                }
                Ok(())
            }
            Due::Death => {
                Err(Error::new(ErrorKind::Disconnected, "the server has given no sign of life"))
            }
        }
    }

    pub(crate) fn written(&mut self) {
        self.has_written = true;
    }

    fn encode(&mut self, frame: &Frame, receipt: Option<u64>) -> Result<()> {
        let encoded =
            self.reader.decoder().encode_with_receipt(frame, receipt, &mut self.unwritten);
        encoded.map_err(|error| match error.flaw() {
            Flaw::TooLarge => error::of_codec(error).not_carried_out(),
            _ => error::of_codec(error),
        })?;
        self.is_flushed = false;
        Ok(())
    }
}

/// Writes all there is. Dropped before, what is left is left.
async fn write(
    writer: &mut Writing,
    unwritten: &mut BytesMut,
    is_flushed: &mut bool,
) -> io::Result<()> {
    while !unwritten.is_empty() {
        if writer.write_buf(unwritten).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    writer.flush().await?;
    *is_flushed = true;
    Ok(())
}

/// Hands the parked message over once there is room, or nobody who wants it.
async fn room(parked: &mut Option<(Sender<Delivery>, Delivery)>) {
    let Some((to, _)) = parked else { return };
    let permit = to.clone().reserve_owned().await;
    if let (Ok(permit), Some((_, delivery))) = (permit, parked.take()) {
        permit.send(delivery);
    }
}
