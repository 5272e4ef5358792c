//! Several steps that happen together or not at all.

use crate::batch_changes::Change;
use crate::client::{GlobalDataClient, unexpected};
use crate::error::{Conflict, Error};
use crate::expiry::Expiry;
use crate::write::at;
use bytes::Bytes;
use serde::Serialize;
use workyard_link::limits::{LENGTH_BYTES, check_header};
use workyard_protocol::globaldata::{self, BatchReply, Expect, Reply, Request, StepResult};
use workyard_protocol::{Key, LockName, NameError, Number, Value};

/// Steps to be carried out in order, each seeing what the ones before did, or none of them. All keys
/// must lie on one server.
///
/// ```no_run
/// # use workyard_globaldata::{BatchOutcome, GlobalDataClient};
/// # async fn example(client: GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
/// let outcome = client
///     .batch()
///     .require_absent("order:7")
///     .set("order:7", &("tea", 2))
///     .increment("orders", 1)
///     .commit()
///     .await?;
/// if let BatchOutcome::Conflict { step, .. } = outcome {
///     println!("requirement {step} did not hold");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing happens before it is committed"]
pub struct Batch<'c> {
    client: &'c GlobalDataClient,
    /// What steps say of the lifetime from here on, if anything was said.
    expiry: Option<Expiry>,
    steps: Vec<Step>,
    /// The first thing that was wrong.
    failed: Option<Error>,
}

/// How a batch ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use = "a batch may not have been applied"]
pub enum BatchOutcome {
    /// All of it happened.
    Applied {
        /// The revision of everything that it wrote; the server's latest if it wrote nothing.
        revision: u64,
        /// What each step did, in order.
        results: Vec<StepResult>,
    },
    /// A requirement did not hold; nothing happened.
    Conflict {
        /// Which step, counted from 0.
        step: usize,
        /// How the variable is instead.
        conflict: Conflict,
    },
}

/// The most that a step counts in a header beside its key: variant and length, an expiry, then what a
/// bounded addition has: a variant, a number and three optional ones, and a flag. Numbers and expiries
/// are a variant and eight bytes each.
const STEP_BYTES_MAX: usize = 4 + LENGTH_BYTES + 12 + 4 + 12 + 3 * (1 + 12) + 1;

#[derive(Debug)]
struct Step {
    /// Or the name of the lock that is required.
    key: Bytes,
    what: What,
}

#[derive(Debug)]
enum What {
    RequireRevision(u64),
    RequireValue(Value),
    RequireLock(u64),
    Set(Value, globaldata::Expiry),
    Increment { by: Number, initial: Option<Number>, expiry: globaldata::Expiry },
    Delete,
    Modify(Change, globaldata::Expiry),
}

impl GlobalDataClient {
    /// Steps to be carried out together or not at all; see [`Batch`].
    pub fn batch(&self) -> Batch<'_> {
        Batch { client: self, expiry: self.expiry, steps: Vec::new(), failed: None }
    }
}

impl Batch<'_> {
    /// Goes on only if the variable is at this revision; 0 stands for one that does not exist.
    pub fn require_revision(self, key: impl AsRef<[u8]>, revision: u64) -> Self {
        self.step(key.as_ref(), Ok(What::RequireRevision(revision)))
    }

    /// Goes on only if there is no such variable.
    pub fn require_absent(self, key: impl AsRef<[u8]>) -> Self {
        self.require_revision(key, 0)
    }

    /// Goes on only if the variable has exactly this value: same kind, same bytes.
    pub fn require_value(self, key: impl AsRef<[u8]>, value: &Value) -> Self {
        self.step(key.as_ref(), Ok(What::RequireValue(value.clone())))
    }

    /// Goes on only if the lock is held with this token, by whomever; else the batch is refused with
    /// `Fenced`. The lock must lie on the server of the keys.
    pub fn require_lock(self, lock: impl AsRef<[u8]>, token: u64) -> Self {
        self.step(lock.as_ref(), Ok(What::RequireLock(token)))
    }

    /// What the steps from here on say of their variables' lifetimes; else a `set` means
    /// [`Expiry::Never`] and an increment [`Expiry::Keep`].
    pub fn with_expiry(mut self, expiry: Expiry) -> Self {
        self.expiry = Some(expiry);
        self
    }

    /// Stores a value.
    pub fn set<T: Serialize + ?Sized>(self, key: impl AsRef<[u8]>, value: &T) -> Self {
        let value = self.client.encode(value);
        let what = value.and_then(|value| Ok(What::Set(value, self.said(Expiry::Never)?)));
        self.step(key.as_ref(), what)
    }

    /// Stores exactly this value.
    pub fn set_value(self, key: impl AsRef<[u8]>, value: &Value) -> Self {
        let what = self.said(Expiry::Never).map(|expiry| What::Set(value.clone(), expiry));
        self.step(key.as_ref(), what)
    }

    /// Adds to a variable; one that does not exist counts as 0.
    pub fn increment(self, key: impl AsRef<[u8]>, by: impl Into<Number>) -> Self {
        self.add_to(key.as_ref(), by.into(), Some(Number::Int(0)))
    }

    /// Adds to a variable that exists.
    pub fn increment_existing(self, key: impl AsRef<[u8]>, by: impl Into<Number>) -> Self {
        self.add_to(key.as_ref(), by.into(), None)
    }

    /// Removes a variable, if there is one.
    pub fn delete(self, key: impl AsRef<[u8]>) -> Self {
        self.step(key.as_ref(), Ok(What::Delete))
    }

    /// Carries it out.
    ///
    /// # Errors
    /// What was wrong with the first bad step; `CrossShard` when the keys lie on several servers;
    /// `Refused` when the server could not carry out a step; `InvalidArgument` for more than 16 384
    /// steps or 1 MiB of their keys; else as [`ErrorKind`](crate::ErrorKind) lists them. Nothing was changed then, but for
    /// `TimedOut` and `Disconnected`, where it is not known.
    pub async fn commit(self) -> Result<BatchOutcome, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let bytes = self.steps.iter().map(Step::header_bytes).sum();
        check_header("steps", self.steps.len(), bytes).map_err(Error::InvalidArgument)?;
        let shard = one_shard(self.client, &self.steps)?;
        let steps = self.steps.iter().map(Step::wire).collect::<Result<_, _>>()?;
        let request = Request::Batch(globaldata::Batch { steps });
        let received = self.client.link(shard).request(&request).await?;
        match received.decode()? {
            Reply::Batch(BatchReply::Applied { revision, results }) => {
                Ok(BatchOutcome::Applied { revision, results })
            }
            Reply::Batch(BatchReply::Conflict { step, current }) => {
                let conflict = Conflict::new(current);
                Ok(BatchOutcome::Conflict { step: step as usize, conflict })
            }
            Reply::Batch(BatchReply::Refused { step, refusal }) => {
                Err(Error::StepRefused { step: step as usize, refusal })
            }
            other => Err(unexpected(&other)),
        }
    }

    fn add_to(self, key: &[u8], by: Number, initial: Option<Number>) -> Self {
        let what = self.said(Expiry::Keep).map(|expiry| What::Increment { by, initial, expiry });
        self.step(key, what)
    }

    pub(crate) fn change(self, key: &[u8], change: Result<Change, Error>) -> Self {
        let what = change.and_then(|change| Ok(What::Modify(change, self.said(Expiry::Keep)?)));
        self.step(key, what)
    }

    /// As the handle that it was made of encodes values.
    pub(crate) fn encode<T: Serialize + ?Sized>(&self, value: &T) -> Result<Value, Error> {
        self.client.encode(value)
    }

    fn said(&self, unsaid: Expiry) -> Result<globaldata::Expiry, Error> {
        self.expiry.unwrap_or(unsaid).wire()
    }

    fn step(mut self, key: &[u8], what: Result<What, Error>) -> Self {
        match what.and_then(|what| Ok((Key::new(key)?, what))) {
            Ok((key, what)) => {
                self.steps.push(Step { key: Bytes::copy_from_slice(key.as_bytes()), what });
            }
            Err(error) => drop(self.failed.get_or_insert(error)),
        }
        self
    }
}

impl Step {
    fn header_bytes(&self) -> usize {
        let field = match &self.what {
            What::Modify(change, _) => change.field_bytes(),
            _ => 0,
        };
        STEP_BYTES_MAX + self.key.len() + field
    }

    fn wire(&self) -> Result<globaldata::Step<'_>, NameError> {
        let key = Key::new(&self.key)?;
        Ok(match &self.what {
            What::RequireRevision(revision) => {
                globaldata::Step::Require { key, expect: at(*revision) }
            }
            What::RequireValue(value) => {
                globaldata::Step::Require { key, expect: Expect::Value(value.as_ref()) }
            }
            &What::RequireLock(token) => {
                globaldata::Step::RequireLock { name: LockName::new(&self.key)?, token }
            }
            What::Set(value, expiry) => {
                globaldata::Step::Set { key, expiry: *expiry, value: value.as_ref() }
            }
            &What::Increment { by, initial, expiry } => {
                globaldata::Step::Increment { key, by, initial, expiry }
            }
            What::Delete => globaldata::Step::Delete { key },
            What::Modify(change, expiry) => {
                let modification = change.wire()?;
                globaldata::Step::Modify { key, expiry: *expiry, modification }
            }
        })
    }
}

/// The server of all keys. A batch without any goes to the first.
fn one_shard(client: &GlobalDataClient, steps: &[Step]) -> Result<usize, Error> {
    let Some(first) = steps.first() else { return Ok(0) };
    let shard = client.shard_of(&first.key);
    match steps.iter().find(|step| client.shard_of(&step.key) != shard) {
        None => Ok(shard),
        Some(other) => Err(Error::CrossShard {
            one: String::from_utf8_lossy(&first.key).into_owned(),
            other: String::from_utf8_lossy(&other.key).into_owned(),
        }),
    }
}
