//! What can go wrong with a call to a service, in the same words for every service.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What went wrong, as far as programs care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL or an option is wrong: nothing was tried.
    InvalidOptions,
    /// What was asked for cannot be asked for: nothing was sent.
    InvalidRequest,
    /// No connection could be made.
    Unreachable,
    /// The server was reached and does not want this client: wrong credentials, an unknown database, a
    /// certificate that is not trusted.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The connection was lost before the answer.
    Disconnected,
    /// The answer cannot be understood.
    Protocol,
    /// The server answered, and said no. [`Error::code`] has its reason.
    Server,
    /// What is sent or would be received is above a limit.
    TooLarge,
    /// Too many calls are under way: nothing was sent.
    Busy,
    /// The service failed often enough that it is left alone for a while: nothing was sent.
    CircuitOpen,
    /// The adapter was closed: nothing was sent.
    Closed,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::InvalidOptions,
        Self::InvalidRequest,
        Self::Unreachable,
        Self::Refused,
        Self::TimedOut,
        Self::Disconnected,
        Self::Protocol,
        Self::Server,
        Self::TooLarge,
        Self::Busy,
        Self::CircuitOpen,
        Self::Closed,
    ];

    /// The kind as metrics name it: `timed_out`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidOptions => "invalid_options",
            Self::InvalidRequest => "invalid_request",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Disconnected => "disconnected",
            Self::Protocol => "protocol",
            Self::Server => "server",
            Self::TooLarge => "too_large",
            Self::Busy => "busy",
            Self::CircuitOpen => "circuit_open",
            Self::Closed => "closed",
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// Whether it says that the service itself is ill. The others are about one request.
    pub(crate) const fn is_outage(self) -> bool {
        matches!(self, Self::Unreachable | Self::TimedOut | Self::Disconnected | Self::Protocol)
    }

    /// Whether a request that failed so may have been carried out, as long as nobody knows better.
    const fn leaves_open(self) -> bool {
        matches!(self, Self::TimedOut | Self::Disconnected | Self::Protocol)
    }

    /// Whether the same request may succeed soon.
    const fn passes(self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::TimedOut
                | Self::Disconnected
                | Self::Busy
                | Self::CircuitOpen
        )
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A call that failed: which service, where, which operation, why.
///
/// `Display` says all of it in one line: `redis 127.0.0.1:6379: GET: no answer within 5s`. The error of
/// the driver, where there is one, is the [`source`](StdError::source).
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Box<str>,
    code: Option<Box<str>>,
    service: &'static str,
    target: Option<Arc<str>>,
    operation: Option<&'static str>,
    outcome_unknown: bool,
    transient: bool,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// A failure of that kind. `message` says what was wrong, and what would be right where that is
    /// known.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.to_string().into(),
            code: None,
            service: "",
            target: None,
            operation: None,
            outcome_unknown: kind.leaves_open(),
            transient: kind.passes(),
            retry_after: None,
            source: None,
        }))
    }

    /// The part that programs read.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The server's own code: `1062` of MySQL, `WRONGTYPE` of Redis, `404` of HTTP.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What was wrong, without where.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Which operation failed, once it is known.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Whether the request may have been carried out all the same. When not, it certainly was not, or the
    /// server has said what became of it.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        self.0.outcome_unknown
    }

    /// Whether the same request may succeed when it is made again a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.transient
    }

    /// How long the server wants to be left alone before the next attempt, where it has said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// With the server's own code.
    #[must_use]
    pub fn with_code(mut self, code: impl fmt::Display) -> Self {
        self.0.code = Some(code.to_string().into());
        self
    }

    /// With the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// With the knowledge that the request was not carried out.
    #[must_use]
    pub fn not_carried_out(mut self) -> Self {
        self.0.outcome_unknown = false;
        self
    }

    /// With the knowledge that the request may have been carried out.
    #[must_use]
    pub fn outcome_open(mut self) -> Self {
        self.0.outcome_unknown = true;
        self
    }

    /// With the knowledge whether the same request may succeed a little later.
    #[must_use]
    pub fn transient(mut self, transient: bool) -> Self {
        self.0.transient = transient;
        self
    }

    /// With how long the server wants to be left alone: the next attempt comes no earlier.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// With where it happened; what is known already stays.
    #[must_use]
    pub fn at(mut self, service: &'static str, target: &Arc<str>) -> Self {
        if self.0.service.is_empty() {
            self.0.service = service;
            self.0.target = Some(Arc::clone(target));
        }
        self
    }

    /// With the operation that failed; what is known already stays.
    #[must_use]
    pub fn during(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { service, target, operation, message, code, .. } = &*self.0;
        if !service.is_empty() {
            f.write_str(service)?;
            if let Some(target) = target {
                write!(f, " {target}")?;
            }
            f.write_str(": ")?;
        }
        if let Some(operation) = operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(message)?;
        // Most servers put the code into their text.
        match code {
            Some(code) if !message.contains(&**code) => write!(f, " ({code})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?})", self.0.kind, self.to_string())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_and_what_in_one_line() {
        let target: Arc<str> = "127.0.0.1:6379".into();
        let error = Error::new(ErrorKind::TimedOut, "no answer within 5s");
        let error = error.during("GET").at("redis", &target);
        assert_eq!(error.to_string(), "redis 127.0.0.1:6379: GET: no answer within 5s");
        assert_eq!(
            format!("{error:?}"),
            "TimedOut(\"redis 127.0.0.1:6379: GET: no answer within 5s\")"
        );
    }

    #[test]
    fn what_is_known_first_stays() {
        let target: Arc<str> = "h:1".into();
        let error = Error::new(ErrorKind::Server, "no").at("a", &target).during("GET");
        let error = error.at("b", &"h:2".into()).during("SET");
        assert_eq!(error.to_string(), "a h:1: GET: no");
    }

    #[test]
    fn a_code_is_said_once() {
        let error = Error::new(ErrorKind::Server, "table is full").with_code(1114);
        assert_eq!(error.to_string(), "table is full (1114)");
        let error = Error::new(ErrorKind::Server, "WRONGTYPE not a list").with_code("WRONGTYPE");
        assert_eq!(error.to_string(), "WRONGTYPE not a list");
    }

    #[test]
    fn a_kind_tells_what_is_known_of_the_request() {
        use ErrorKind::*;
        let open = [TimedOut, Disconnected, Protocol];
        let passing = [Unreachable, TimedOut, Disconnected, Busy, CircuitOpen];
        for (place, kind) in ErrorKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), place);
            let error = Error::new(kind, "");
            assert_eq!(error.outcome_unknown(), open.contains(&kind), "{kind}");
            assert_eq!(error.is_transient(), passing.contains(&kind), "{kind}");
        }
        assert!(!Error::new(TimedOut, "").not_carried_out().outcome_unknown());
        assert!(Error::new(Server, "").transient(true).is_transient());
    }
}
