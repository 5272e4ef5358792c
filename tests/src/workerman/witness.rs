//! A client whose subscription, job and variable must survive whatever others send, and whose answers
//! show that the server has done what came before.

use super::{Connection, Failure, TRUE, Wire, channel, frame, integer, key, pushed, reserve};
use crate::Endpoint;

/// Neither the recordings nor the tests use this name.
const NAME: &[u8] = b"witness";
const VALUE: &[u8] = b"a:1:{s:5:\"alive\";b:1;}";
/// A connection that the server has yet to accept, then to read, is done with after so many turns.
const TURNS: i64 = 3;

/// The client.
#[derive(Debug)]
pub struct Witness {
    wire: Wire,
    connection: Connection,
    turns: i64,
}

impl Witness {
    /// Connects and leaves behind what must survive.
    ///
    /// # Errors
    /// When the server does not answer as it should.
    pub fn open(wire: Wire, endpoint: &Endpoint) -> Result<Self, Failure> {
        let connection = Connection::open(endpoint)?;
        let mut witness = Self { wire, connection, turns: 0 };
        match wire {
            Wire::Channel => {
                witness.connection.send(&channel("subscribe", NAME, None));
                witness.connection.send(&channel("watch", NAME, None));
                witness.connection.send(&channel("enqueue", NAME, Some(VALUE)));
            }
            Wire::GlobalData => {
                witness.connection.send(&key("set", NAME, Some(("value", VALUE))));
                witness.connection.expect(TRUE)?;
            }
        }
        witness.check()?;
        Ok(witness)
    }

    /// Waits until the server has done all that it was sent before.
    ///
    /// # Errors
    /// When it does not answer as it should.
    pub fn settle(&mut self) -> Result<(), Failure> {
        (0..TURNS).try_for_each(|_| self.turn()).map_err(|failure| failure.at("the witness"))
    }

    /// Fails unless everything is still there.
    ///
    /// # Errors
    /// When something is not.
    pub fn check(&mut self) -> Result<(), Failure> {
        self.settle()?;
        if self.wire == Wire::Channel {
            self.connection.send(&reserve());
            let job = self.connection.expect(&pushed("queue", NAME, VALUE));
            job.map_err(|failure| failure.at("the witness's job"))?;
            self.connection.send(&channel("enqueue", NAME, Some(VALUE)));
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<(), Failure> {
        self.turns += 1;
        match self.wire {
            Wire::Channel => {
                let data = integer(self.turns);
                self.connection.send(&channel("publish", NAME, Some(&data)));
                self.connection.expect(&pushed("event", NAME, &data))
            }
            Wire::GlobalData => {
                self.connection.send(&key("get", NAME, None));
                self.connection.expect(&frame(VALUE))
            }
        }
    }
}
