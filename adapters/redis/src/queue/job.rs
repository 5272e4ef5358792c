//! A job: the JSON of the original, and the rules by which one that failed is tried again. Pure.

use super::QueueOptions;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

/// A job that is to be done.
#[derive(Clone, Debug)]
pub struct Job(Package);

impl Job {
    pub(super) fn new(package: Package) -> Self {
        Self(package)
    }

    /// Its id, as its sender made it.
    #[must_use]
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// The queue that it was sent to.
    #[must_use]
    pub fn queue(&self) -> &str {
        self.0.0.get("queue").and_then(Value::as_str).unwrap_or_default()
    }

    /// When it was sent, by its sender's clock, in seconds since 1970.
    #[must_use]
    pub fn sent_at(&self) -> u64 {
        self.0.number("time")
    }

    /// How often it has failed so far.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.0.number("attempts")
    }

    /// What it is about.
    #[must_use]
    pub fn data(&self) -> &Value {
        self.0.0.get("data").unwrap_or(&Value::Null)
    }

    /// What it is about, as a type of one's own.
    ///
    /// # Errors
    /// When it is not that.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(self.data())
    }

    /// All of it, as it is stored.
    #[must_use]
    pub fn package(&self) -> &Map<String, Value> {
        &self.0.0
    }
}

/// Why a job was not done. Any error becomes one by `?`, and the job is tried again.
#[derive(Debug)]
pub struct Failure {
    message: String,
    is_final: bool,
}

impl Failure {
    /// The job is to be tried again, as often as the queue's options allow.
    #[must_use]
    pub fn retry(reason: impl fmt::Display) -> Self {
        Self { message: reason.to_string(), is_final: false }
    }

    /// The job has failed for good: trying again is of no use.
    #[must_use]
    pub fn give_up(reason: impl fmt::Display) -> Self {
        Self { message: reason.to_string(), is_final: true }
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::retry(error.into())
    }
}

/// An attempt that failed, before it is decided what becomes of the job: all of it may be changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// The job as it was tried.
    pub job: Job,
    /// What went wrong, as it will be stored.
    pub error: String,
    /// What the job is about, for the next attempt.
    pub data: Value,
    /// How often it had failed before.
    pub attempts: u64,
    /// How often it may.
    pub max_attempts: u64,
}

/// What becomes of a job that failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It is tried again after so many seconds.
    Again { package: Package, seconds: u64 },
    /// It has failed for good.
    Failed(Package),
}

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Package(Map<String, Value>);

impl Package {
    /// A new one.
    pub(super) fn new(queue: &str, data: Value, delay_seconds: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let fields = [
            ("id", json!(new_id(now.as_secs(), now.subsec_micros()))),
            ("time", json!(now.as_secs())),
            ("delay", json!(delay_seconds)),
            ("attempts", json!(0)),
            ("queue", json!(queue)),
            ("data", data),
        ];
        Self(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Reads one; nothing when it is none.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        match serde_json::from_slice(text) {
            Ok(Value::Object(package)) if !package.is_empty() => Some(Self(package)),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    pub(super) fn id(&self) -> String {
        match self.0.get("id") {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Null) | None => String::new(),
            Some(id) => id.to_string(),
        }
    }

    pub(super) fn queue(&self) -> Option<String> {
        match self.0.get("queue") {
            Some(Value::String(queue)) => Some(queue.clone()),
            Some(Value::Number(queue)) => Some(queue.to_string()),
            _ => None,
        }
    }

    pub(super) fn error(&self) -> Option<&str> {
        self.0.get("error").and_then(Value::as_str)
    }

    /// As it was before any attempt.
    pub(super) fn fresh(mut self) -> Self {
        self.0.remove("error");
        self.0.remove("max_attempts");
        self.0.insert("attempts".to_owned(), json!(0));
        self
    }

    /// What becomes of it after `failure`, when `adjust` has seen it.
    pub(super) fn judge(
        mut self,
        failure: Failure,
        options: &QueueOptions,
        adjust: impl FnOnce(&mut FailedAttempt),
    ) -> Verdict {
        let mut attempt = FailedAttempt {
            job: Job(self.clone()),
            error: failure.message,
            data: self.0.get("data").cloned().unwrap_or(Value::Null),
            attempts: self.number("attempts"),
            max_attempts: options.max_attempts.into(),
        };
        if !failure.is_final {
            adjust(&mut attempt);
            attempt.attempts = attempt.attempts.saturating_add(1);
        }
        let again = !failure.is_final && attempt.attempts <= attempt.max_attempts;
        let seconds = u64::from(options.retry_seconds).saturating_mul(attempt.attempts);
        self.0.insert("data".to_owned(), attempt.data);
        self.0.insert("attempts".to_owned(), json!(attempt.attempts));
        self.0.insert("max_attempts".to_owned(), json!(attempt.max_attempts));
        self.0.insert("error".to_owned(), json!(attempt.error));
        if again { Verdict::Again { package: self, seconds } } else { Verdict::Failed(self) }
    }

    fn number(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or_default()
    }
}

/// As the original makes it, with something by which processes differ: equal jobs would be one when delayed.
fn new_id(seconds: u64, micros: u32) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Relaxed);
    format!("{seconds}.{micros:06}.{count}.{:08x}", fastrand::u32(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PHP's `send('mail', ['to' => 'ä/b'])` stores.
    const FROM_PHP: &[u8] = br#"{"id":"1763830804.1234.1","time":1763830804,"delay":0,"attempts":0,"queue":"mail","data":{"to":"\u00e4\/b"}}"#;

    fn judged(package: Package, failure: Failure) -> Verdict {
        package.judge(failure, &QueueOptions::default(), |_| {})
    }

    #[test]
    fn a_job_of_php_is_read() {
        let job = Job::new(Package::read(FROM_PHP).unwrap());
        assert_eq!((job.id().as_str(), job.queue()), ("1763830804.1234.1", "mail"));
        assert_eq!((job.sent_at(), job.attempts()), (1_763_830_804, 0));
        assert_eq!(job.data(), &json!({"to": "ä/b"}));
        for wrong in [&b"null"[..], b"[]", b"{}", b"0", b"[1]", b"{", b"\xff", b"\"text\""] {
            assert_eq!(Package::read(wrong), None);
        }
    }

    #[test]
    fn a_job_is_written_as_php_reads_it() {
        let package = Package::new("mail", json!([666, 777]), 7);
        let again = Package::read(package.text().as_bytes()).unwrap();
        assert_eq!(again, package);
        let mut names: Vec<_> = again.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["attempts", "data", "delay", "id", "queue", "time"]);
        assert_eq!((again.number("delay"), again.number("attempts")), (7, 0));
        assert_ne!(package.id(), Package::new("mail", json!([666, 777]), 7).id());
    }

    #[test]
    fn a_job_is_tried_again_five_times_and_later_each_time() {
        let mut package = Package::read(FROM_PHP).unwrap();
        for attempt in 1..=5 {
            match judged(package, Failure::retry("no")) {
                Verdict::Again { package: again, seconds } => {
                    assert_eq!((seconds, again.number("attempts")), (5 * attempt, attempt));
                    assert_eq!((again.error(), again.number("max_attempts")), (Some("no"), 5));
                    package = again;
                }
                Verdict::Failed(_) => panic!("attempt {attempt}"),
            }
        }
        let Verdict::Failed(failed) = judged(package, Failure::retry("still no")) else {
            panic!("it was tried often enough")
        };
        assert_eq!((failed.number("attempts"), failed.error()), (6, Some("still no")));
        let fresh = failed.fresh();
        assert_eq!((fresh.number("attempts"), fresh.error()), (0, None));
        assert_eq!(fresh, Package::read(FROM_PHP).unwrap());
    }

    #[test]
    fn who_gives_up_is_not_asked_again() {
        let package = Package::read(FROM_PHP).unwrap();
        let Verdict::Failed(failed) = judged(package, Failure::give_up("never")) else {
            panic!("it is final")
        };
        assert_eq!((failed.number("attempts"), failed.error()), (0, Some("never")));
    }

    #[test]
    fn an_attempt_that_failed_may_be_changed() {
        let package = Package::read(FROM_PHP).unwrap();
        let adjust = |attempt: &mut FailedAttempt| {
            attempt.max_attempts = 1;
            attempt.attempts = 1;
            attempt.data = json!("other");
            attempt.error.push('!');
        };
        let verdict = package.judge(Failure::retry("no"), &QueueOptions::default(), adjust);
        let Verdict::Failed(failed) = verdict else { panic!("2 attempts are more than 1") };
        assert_eq!((failed.error(), Job(failed.clone()).data()), (Some("no!"), &json!("other")));
    }

    #[test]
    fn every_error_is_a_failure() {
        fn work() -> Result<(), Failure> {
            let _: u32 = "x".parse()?;
            Ok(())
        }
        let failure = work().unwrap_err();
        assert_eq!(
            (failure.message.as_str(), failure.is_final),
            ("invalid digit found in string", false)
        );
    }
}
