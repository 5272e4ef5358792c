//! Plays one recorded dialogue: sends what was sent, and reads what must come.

use super::{BAD_REQUEST, Case, Connection, Failure, Outcome, Side, Step, Turn, Wire, Witness};
use crate::{Endpoint, PATIENCE};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing has come when nothing came for so long.
const SILENCE: Duration = Duration::from_millis(150);
/// What is sent at once beyond this may take the server more turns than the witness waits.
const LARGE_BYTES: usize = 32 * 1024;
const LARGE_PAUSE: Duration = Duration::from_millis(20);

/// How what is sent at once reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As the recording has it.
    Whole,
    /// In so many pieces, which it reads one by one.
    Pieces(usize),
}

/// Plays a dialogue with a server, which the witness is connected to.
///
/// # Errors
/// When the server does not do what it has to.
pub fn play(
    wire: Wire,
    pace: Pace,
    case: &Case,
    endpoint: &Endpoint,
    witness: &mut Witness,
) -> Result<Outcome, Failure> {
    let quiet_since = Instant::now();
    let parties = Vec::new();
    let mut player = Player { wire, pace, case, endpoint, witness, parties, quiet_since };
    for (index, step) in case.steps.iter().enumerate() {
        match player.play(step) {
            Ok(()) => {}
            Err(_) if case.may_refuse && player.is_refused(step) => return Ok(Outcome::Refused),
            Err(failure) => return Err(failure.at(&place(index, step))),
        }
    }
    player.end().map_err(|failure| failure.at("after the last step"))?;
    if case.php.is_some() {
        player.witness.check()?;
    }
    Ok(Outcome::AsRecorded)
}

struct Player<'a> {
    wire: Wire,
    pace: Pace,
    case: &'a Case,
    endpoint: &'a Endpoint,
    witness: &'a mut Witness,
    parties: Vec<Party>,
    quiet_since: Instant,
}

struct Party {
    name: String,
    connection: Connection,
    /// Whether its end is known, or does not matter any more.
    done: bool,
}

impl Player<'_> {
    fn play(&mut self, step: &Step) -> Result<(), Failure> {
        let index = self.party(&step.connection)?;
        match step.turn {
            Turn::Send => self.send(index, &step.hex.0)?,
            Turn::Recv => {
                let mut alternatives = vec![step.hex.0.as_slice()];
                alternatives.extend(step.or.iter().map(|hex| hex.0.as_slice()));
                // What may be refused by saying nothing is not waited for any longer.
                let patience = if self.case.may_refuse { SILENCE } else { PATIENCE };
                self.parties[index].connection.expect_within(patience, &alternatives)?;
            }
            Turn::None => self.expect_silence(index)?,
            Turn::Close => self.close(index, step)?,
            Turn::Refused => self.expect_refusal(index, step)?,
        }
        Ok(())
    }

    fn party(&mut self, name: &str) -> Result<usize, Failure> {
        let there = self.parties.iter().position(|party| party.name == name);
        if let Some(index) = there {
            return Ok(index);
        }
        let connection = Connection::open(self.endpoint)?;
        self.parties.push(Party { name: name.to_owned(), connection, done: false });
        Ok(self.parties.len() - 1)
    }

    fn send(&mut self, index: usize, bytes: &[u8]) -> Result<(), Failure> {
        if let Pace::Pieces(count) = self.pace
            && bytes.len() > 1
        {
            let length = bytes.len().div_ceil(count);
            for piece in bytes.chunks(length) {
                self.parties[index].connection.send(piece);
                self.witness.settle()?;
            }
            return self.acted();
        }
        self.parties[index].connection.send(bytes);
        if bytes.len() > LARGE_BYTES {
            thread::sleep(LARGE_PAUSE);
        }
        self.acted()
    }

    fn acted(&mut self) -> Result<(), Failure> {
        self.witness.settle()?;
        self.quiet_since = Instant::now();
        Ok(())
    }

    fn expect_silence(&mut self, index: usize) -> Result<(), Failure> {
        let left = SILENCE.saturating_sub(self.quiet_since.elapsed());
        self.parties[index].expect_silence(left)
    }

    fn close(&mut self, index: usize, step: &Step) -> Result<(), Failure> {
        match step.by {
            Some(Side::Server) if self.case.other_protocol.is_some() => {
                let connection = &mut self.parties[index].connection;
                connection.wait(SILENCE, |_| false);
                connection.forget();
            }
            Some(Side::Server) => self.parties[index].connection.expect_end()?,
            Some(Side::Client) => {
                self.parties.remove(index);
                return self.acted();
            }
            Some(Side::ClientHalf) => {
                self.parties[index].connection.finish_sending();
                return self.acted();
            }
            None => return Err(Failure::new("the recording does not say who closes")),
        }
        self.parties[index].done = true;
        Ok(())
    }

    fn expect_refusal(&mut self, index: usize, step: &Step) -> Result<(), Failure> {
        let party = &mut self.parties[index];
        party.done = true;
        let connection = &mut party.connection;
        let patience = if step.must_close { PATIENCE } else { SILENCE };
        connection.wait(patience, |received| {
            received == BAD_REQUEST || step.or.iter().any(|hex| hex.0 == received)
        });
        if step.or.iter().any(|hex| hex.0 == connection.received()) {
            return Ok(());
        }
        if connection.received().is_empty() && !connection.ended() && !step.must_close {
            return Ok(());
        }
        if connection.received() == BAD_REQUEST {
            connection.forget();
        }
        connection.expect_end()
    }

    /// Whether the server did what it may do with a request that no honest client sends.
    fn is_refused(&mut self, step: &Step) -> bool {
        let Some(index) = self.parties.iter().position(|party| party.name == step.connection)
        else {
            return false;
        };
        let connection = &mut self.parties[index].connection;
        match self.wire {
            Wire::Channel => connection.received().is_empty() && !connection.ended(),
            Wire::GlobalData => {
                connection.expect(BAD_REQUEST).and_then(|()| connection.expect_end()).is_ok()
            }
        }
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.witness.settle()?;
        for party in self.parties.iter_mut().filter(|party| !party.done) {
            let silence = party.expect_silence(Duration::from_millis(1));
            silence.map_err(|failure| failure.at(&party.name))?;
        }
        Ok(())
    }
}

impl Party {
    fn expect_silence(&mut self, patience: Duration) -> Result<(), Failure> {
        let connection = &mut self.connection;
        connection.wait(patience, |received| !received.is_empty());
        if connection.received().is_empty() && !connection.ended() {
            return Ok(());
        }
        Err(Failure::differing("silence", &connection.found(&[])))
    }
}

fn place(index: usize, step: &Step) -> String {
    let note = step.note.as_deref().unwrap_or_default();
    let note: String = note.chars().take(100).collect();
    format!("step {} ({} {:?}: {note})", index + 1, step.connection, step.turn)
}
