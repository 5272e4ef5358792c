//! The handle: what names are looked up with.

use crate::answers::{self, Service};
use crate::cache::{Bounds, Cache};
use crate::error::{self, is_not_found};
use crate::flights::Flights;
use crate::limits::OTHER_VERSION_GRACE;
use crate::options::Options;
use crate::question::Question;
use crate::servers;
use futures_util::future::{Either, select};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, TokioResolver};
use std::fmt;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;
use workyard_adapter_kit::{Call, Error, ErrorKind, Guard, Repeat, Result, Stats};

/// Looks names up. Cheap to clone; clones share what is kept and what is under way.
#[derive(Clone)]
pub struct Dns(Arc<Shared>);

type Answer = Result<Arc<Lookup>>;

struct Shared {
    resolver: TokioResolver,
    hosts: Hosts,
    cache: Mutex<Cache<Answer>>,
    bounds: Bounds,
    flights: Flights<Answer>,
    guard: Guard,
}

/// What is kept, and how often that was of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Answers that are kept now.
    pub entries: usize,
    /// Questions that were answered by them.
    pub hits: u64,
    /// Questions that were not.
    pub misses: u64,
}

impl Dns {
    /// With the servers of `/etc/resolv.conf`.
    ///
    /// # Errors
    /// When that cannot be read or names none.
    pub fn system() -> Result<Self> {
        Self::with(Options::default())
    }

    /// With a server, and options as parameters: `dns://192.0.2.1:53?servers=192.0.2.2&ttl_max=1h`. Nothing
    /// is asked yet.
    ///
    /// # Errors
    /// When the URL cannot be read, or an option cannot work.
    pub fn open(url: &str) -> Result<Self> {
        Self::with(Options::new(url))
    }

    /// With these options. Nothing is asked yet.
    ///
    /// # Errors
    /// When an option cannot work.
    pub fn with(mut options: Options) -> Result<Self> {
        options.read_url()?;
        let (resolver, target) = servers::resolver(&options)?;
        Ok(Self(Arc::new(Shared {
            resolver,
            hosts: servers::hosts(&options)?,
            cache: Mutex::new(Cache::new(options.cache_entries_max)),
            bounds: options.bounds(),
            flights: Flights::new(),
            guard: Guard::new("dns", target, options.calls, options.observer)?,
        })))
    }

    /// An address of a host: one of version 4 at random, or one of version 6 where it has no other. An
    /// address is its own.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] with the code `3` when there is no such name, with `0` when it has no
    /// addresses; when nobody answers.
    pub async fn resolve(&self, host: &str) -> Result<IpAddr> {
        if let Ok(address) = host.parse() {
            return Ok(address);
        }
        let found = match self.resolve_all(host, RecordType::A).await {
            Err(error) if is_not_found(&error) => self.resolve_all(host, RecordType::AAAA).await,
            found => found,
        };
        let addresses = answers::addresses(&found?);
        fastrand::choice(addresses).ok_or_else(|| self.nothing(host, RecordType::A))
    }

    /// All addresses of a host, those of version 4 first. When there are some of one version, those of the
    /// other are waited for 50 ms more; what comes later is kept for the next time.
    ///
    /// # Errors
    /// As [`Dns::resolve`].
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let four = pin!(self.resolve_all(host, RecordType::A));
        let six = pin!(self.resolve_all(host, RecordType::AAAA));
        let (four, six) = match select(four, six).await {
            Either::Left((Ok(four), six)) => {
                (Ok(four), self.soon(host, RecordType::AAAA, six).await)
            }
            Either::Right((Ok(six), four)) => (self.soon(host, RecordType::A, four).await, Ok(six)),
            Either::Left((four, six)) => (four, six.await),
            Either::Right((six, four)) => (four.await, six),
        };
        let found = match (four, six) {
            (Ok(four), Ok(six)) => [four, six].concat(),
            (Ok(found), Err(_)) | (Err(_), Ok(found)) => found,
            (Err(four), Err(six)) => return Err(if is_not_found(&four) { six } else { four }),
        };
        Ok(answers::addresses(&found))
    }

    /// What comes soon, or nothing; then the question goes on for whoever asks it next.
    async fn soon(
        &self,
        host: &str,
        record_type: RecordType,
        records: impl Future<Output = Result<Vec<RData>>>,
    ) -> Result<Vec<RData>> {
        if let Ok(records) = timeout(OTHER_VERSION_GRACE, records).await {
            return records;
        }
        if let Ok(question) = Question::new(host, record_type) {
            self.0.flights.see_through(&question);
        }
        Ok(Vec::new())
    }

    /// All records of that type.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] with the code `3` when there is no such name, with `0` when it has no such
    /// records; when nobody answers.
    pub async fn resolve_all(&self, name: &str, record_type: RecordType) -> Result<Vec<RData>> {
        let answer = self.lookup(name, record_type).await?;
        let wanted = answer
            .answers()
            .iter()
            .filter(|record| record_type == RecordType::ANY || record.record_type() == record_type);
        let records: Vec<_> = wanted.map(|record| record.data.clone()).collect();
        if records.is_empty() {
            return Err(self.nothing(name, record_type));
        }
        Ok(records)
    }

    /// The names of an address.
    ///
    /// # Errors
    /// As [`Dns::resolve_all`].
    pub async fn reverse(&self, address: IpAddr) -> Result<Vec<String>> {
        let name = Name::from(address).to_ascii();
        Ok(answers::names(&self.resolve_all(&name, RecordType::PTR).await?))
    }

    /// The texts of a name (TXT).
    ///
    /// # Errors
    /// As [`Dns::resolve_all`].
    pub async fn texts(&self, name: &str) -> Result<Vec<String>> {
        Ok(answers::texts(&self.resolve_all(name, RecordType::TXT).await?))
    }

    /// The hosts that take mail for a domain (MX), the one to try first at the front.
    ///
    /// # Errors
    /// As [`Dns::resolve_all`].
    pub async fn mail_servers(&self, domain: &str) -> Result<Vec<String>> {
        Ok(answers::mail_servers(&self.resolve_all(domain, RecordType::MX).await?))
    }

    /// Where a service is (SRV), `_sip._tcp.example.org`: in the order in which to try them, which is at
    /// random by their weights.
    ///
    /// # Errors
    /// As [`Dns::resolve_all`].
    pub async fn services(&self, name: &str) -> Result<Vec<Service>> {
        let records = self.resolve_all(name, RecordType::SRV).await?;
        Ok(answers::services(&records, |below| fastrand::u32(..below)))
    }

    /// The whole answer, as the driver has it: with names in between, and how long it holds.
    ///
    /// # Errors
    /// As [`Dns::resolve_all`].
    pub async fn lookup(&self, name: &str, record_type: RecordType) -> Result<Arc<Lookup>> {
        let shared = &self.0;
        let question =
            Question::new(name, record_type).map_err(|error| shared.guard.placed(error))?;
        if shared.guard.is_closed() {
            return Err(shared.guard.error(ErrorKind::Closed, "the adapter is closed"));
        }
        if let Some(found) = shared.hosts.lookup_static_host(&question.query()) {
            return Ok(Arc::new(found));
        }
        if let Some(kept) = shared.cache().find(&question, Instant::now()) {
            return kept;
        }
        let asking = Arc::clone(shared);
        let asked = question.clone();
        shared.flights.join(&question, || async move { asking.ask(asked).await }).await
    }

    /// Whether a server answers, whatever it says: it is asked for the servers of the root, within
    /// `connect_timeout`.
    ///
    /// # Errors
    /// When none does.
    pub async fn ready(&self) -> Result<()> {
        let (shared, patience) = (&*self.0, self.0.guard.options().connect_timeout);
        let question = Question { name: Name::root(), record_type: RecordType::NS };
        match timeout(patience, shared.attempts(&question)).await {
            Ok(Err(error)) if error.kind() != ErrorKind::Server => Err(error),
            Ok(_) => Ok(()),
            Err(_) => {
                let message = format!("no answer within {patience:?}");
                Err(shared.guard.error(ErrorKind::TimedOut, message))
            }
        }
    }

    /// What was asked of servers so far, and is being asked. What is kept or in the hosts file is not.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.guard.stats()
    }

    /// What is kept.
    #[must_use]
    pub fn cache_stats(&self) -> CacheStats {
        let cache = self.0.cache();
        CacheStats { entries: cache.entries(), hits: cache.hits(), misses: cache.misses() }
    }

    /// Forgets all that is kept.
    pub fn clear_cache(&self) {
        self.0.cache().clear();
    }

    /// The driver, for what has no place here. What it is asked is neither bounded nor kept.
    #[must_use]
    pub fn resolver(&self) -> &TokioResolver {
        &self.0.resolver
    }

    /// Answers no question any more, and waits for those under way, `request_timeout` at most. Whether all
    /// of them ended.
    pub async fn close(&self) -> bool {
        let grace: Duration = self.0.guard.options().request_timeout;
        self.0.guard.close(grace).await
    }

    fn nothing(&self, name: &str, record_type: RecordType) -> Error {
        let guard = &self.0.guard;
        match Question::new(name, record_type) {
            Ok(question) => guard.placed(error::not_found(&question, ResponseCode::NoError)),
            Err(error) => guard.placed(error),
        }
    }
}

impl Shared {
    /// Asks a server, and keeps what it answers.
    async fn ask(&self, question: Question) -> Answer {
        // Somebody else may have got it since this was looked for.
        if let Some(kept) = self.cache().look(&question, Instant::now()) {
            return kept;
        }
        let answer = self.attempts(&question).await.map(Arc::new);
        if let Some(ttl) = self.ttl(&answer) {
            self.cache().keep(question, answer.clone(), ttl, Instant::now());
        }
        answer
    }

    async fn attempts(&self, question: &Question) -> Result<Lookup> {
        let call = Call::new(question.operation()).repeat(Repeat::Freely);
        self.guard.call(call, || self.attempt(question)).await
    }

    async fn attempt(&self, question: &Question) -> Result<Lookup> {
        let Question { name, record_type } = question.clone();
        let answer = self.resolver.lookup(name, record_type).await;
        answer.map_err(|error| error::from_driver(question, error))
    }

    /// How long an answer is kept. Failures are not: the next one may be better.
    fn ttl(&self, answer: &Answer) -> Option<Duration> {
        match answer {
            Ok(lookup) => {
                let seconds = lookup.answers().iter().map(|record| record.ttl).min()?;
                Some(self.bounds.positive(Duration::from_secs(seconds.into())))
            }
            Err(error) if is_not_found(error) => {
                Some(self.bounds.negative(error::negative_ttl(error)))
            }
            Err(_) => None,
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache<Answer>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dns")
            .field("target", self.0.guard.target())
            .field("under_way", &self.0.flights.count())
            .finish_non_exhaustive()
    }
}
