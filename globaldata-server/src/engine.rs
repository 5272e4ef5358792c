//! The store as every dialect reaches it.

use workyard_daemon::Untold;
use workyard_engine::{Caller, Engine, Loss, Outbox, SessionId, Time};
use workyard_globaldata_core::{Change, Store};
use workyard_protocol::globaldata::{
    self, Entry, Expiry, Get, GlobalDataWire, Push, Reply, Written,
};
use workyard_protocol::{Key, Number, Refusal};
use workyard_workerman::globaldata::{Request as Workerman, matches, sum};
use workyard_workerman::value::is_null;
use workyard_workerman::{Name, Payload};

/// The store, and what Workerman's clients need beyond it.
pub struct GlobalDataEngine {
    store: Store,
    untold: Untold,
}

/// What clients of every dialect ask.
#[derive(Debug)]
pub enum Request<'a> {
    /// In the words of the native wire.
    Native(globaldata::Request<'a>),
    /// In those of workerman/globaldata.
    Workerman(Workerman<'a>),
}

impl<'a> From<globaldata::Request<'a>> for Request<'a> {
    fn from(request: globaldata::Request<'a>) -> Self {
        Self::Native(request)
    }
}

impl GlobalDataEngine {
    /// An engine over a store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, untold: Untold::default() }
    }

    /// Answers, or says why the answer has to be false.
    fn answer(
        &mut self,
        now: Time,
        caller: Caller,
        request: &Workerman<'_>,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) -> Result<(), Refusal> {
        let store = &mut self.store;
        let reply = match request {
            Workerman::Get(name) => {
                let request = globaldata::Request::Get(Get { key: key(name)? });
                store.handle(now, caller, request, outbox);
                return Ok(());
            }
            Workerman::Set(name, value) => store_if(store, now, key(name)?, value, |_| true)?,
            Workerman::Add(name, value) => {
                store_if(store, now, key(name)?, value, |current| !exists(current))?
            }
            Workerman::Cas(name, md5, value) => {
                let holds = |current: Option<Entry<'_>>| matches(*md5, current.map(|it| it.value));
                store_if(store, now, key(name)?, value, holds)?
            }
            Workerman::Increment(name, step) => increment(store, now, key(name)?, *step)?,
            Workerman::Delete(name) => {
                let existed = store.update(now, key(name)?, |_| Ok(Change::Delete))?.changed;
                Reply::Deleted { existed }
            }
        };
        store.announce(now, outbox);
        outbox.reply(caller, reply);
        Ok(())
    }
}

impl Engine for GlobalDataEngine {
    type Wire = GlobalDataWire;
    type Request<'a> = Request<'a>;

    const FORESEES: bool = Store::FORESEES;

    fn handle(
        &mut self,
        now: Time,
        caller: Caller,
        request: Request<'_>,
        outbox: &mut impl Outbox<GlobalDataWire>,
    ) {
        match request {
            Request::Native(request) => self.store.handle(now, caller, request, outbox),
            Request::Workerman(request) => {
                if let Err(refusal) = self.answer(now, caller, &request, outbox) {
                    self.untold.count(now, caller.session, &refusal);
                    match request {
                        // There cannot be such a variable.
                        Workerman::Get(_) => outbox.reply(caller, Reply::Got(None)),
                        Workerman::Delete(_) => {
                            outbox.reply(caller, Reply::Deleted { existed: false });
                        }
                        _ => outbox.refuse(caller, refusal),
                    }
                }
            }
        }
    }

    fn foresee(&self, name: &[u8]) {
        self.store.foresee(name);
    }

    fn close(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<GlobalDataWire>) {
        self.store.close(now, session, outbox);
    }

    fn drained(&mut self, now: Time, session: SessionId, outbox: &mut impl Outbox<GlobalDataWire>) {
        self.store.drained(now, session, outbox);
    }

    fn next_deadline(&self) -> Option<Time> {
        self.store.next_deadline()
    }

    fn expire(&mut self, now: Time, outbox: &mut impl Outbox<GlobalDataWire>) {
        self.store.expire(now, outbox);
    }

    fn gap(loss: Loss<'_>) -> Option<Push<'_>> {
        Store::gap(loss)
    }
}

/// To PHP's clients a variable that is null does not exist.
fn exists(current: Option<Entry<'_>>) -> bool {
    current.is_some_and(|entry| !is_null(entry.value))
}

/// Stores a value, null as nothing, if the variable is as it should be. It then lives for ever: that is
/// all that these clients know.
fn store_if(
    store: &mut Store,
    now: Time,
    key: Key<'_>,
    value: &Payload<'_>,
    holds: impl FnOnce(Option<Entry<'_>>) -> bool,
) -> Result<Reply<'static>, Refusal> {
    let value = value.as_value();
    let mut held = false;
    let updated = store.update(now, key, |current| {
        held = holds(current);
        Ok(match held {
            false => Change::Keep,
            true if is_null(value) => Change::Delete,
            true => Change::Store(value, Expiry::Never),
        })
    })?;
    let revision = updated.revision;
    Ok(Reply::Written(match held {
        true => Written::Stored { revision },
        false => Written::Conflict { current: revision },
    }))
}

fn increment(
    store: &mut Store,
    now: Time,
    key: Key<'_>,
    step: Number,
) -> Result<Reply<'static>, Refusal> {
    let mut value = step;
    let updated = store.update(now, key, |current| {
        let Some(entry) = current.filter(|_| exists(current)) else {
            return Ok(Change::Keep);
        };
        value = sum(entry.value, step);
        Ok(Change::Store(value.into(), Expiry::Keep))
    })?;
    let revision = updated.revision;
    Ok(match updated.changed {
        true => Reply::Incremented { revision, value },
        false => Reply::Written(Written::Conflict { current: revision }),
    })
}

fn key<'n>(name: &'n Name<'_>) -> Result<Key<'n>, Refusal> {
    Ok(Key::new(name.as_bytes())?)
}
