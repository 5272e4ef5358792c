//! How calls to a service are made: how long, how many at once, how often again.

use crate::backoff::Backoff;
use crate::breaker::BreakerOptions;
use crate::error::Error;
use crate::service_url::ServiceUrl;
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// How calls to a service are made. All of it has defaults, and most of it can stand in a URL:
/// `redis://127.0.0.1?request_timeout=500ms&calls_max=64`.
///
/// Where a file or a URL says `request_timeout` and not `call_timeout`, and it is longer than the
/// `call_timeout` that is usual, that becomes as long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallOptions {
    /// How long one attempt to connect may take, TLS and the login included: 5 s.
    #[serde(with = "crate::duration")]
    pub connect_timeout: Duration,
    /// How long one attempt waits for its answer: 5 s.
    #[serde(with = "crate::duration")]
    pub request_timeout: Duration,
    /// How long a call may take in all, with its wait for a place and every attempt: 15 s.
    #[serde(with = "crate::duration")]
    pub call_timeout: Duration,
    /// How long a connection that nobody uses is kept, where there is a pool: 60 s.
    #[serde(with = "crate::duration")]
    pub idle_timeout: Duration,
    /// Most calls under way at the same time. What is usual differs by adapter.
    pub calls_max: usize,
    /// Most calls that wait until they may be under way: 1024. One more fails at once.
    pub waiting_max: usize,
    /// How often a call is made again, where that is safe.
    pub retry: RetryOptions,
    /// When the service counts as down.
    pub breaker: BreakerOptions,
}

/// How often a call that failed is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryOptions {
    /// Most attempts, the first one included: 3. With 1 nothing is made again.
    pub attempts_max: u32,
    /// The waits in between.
    pub backoff: Backoff,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self { attempts_max: 3, backoff: Backoff::default() }
    }
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(60),
            calls_max: 1024,
            waiting_max: 1024,
            retry: RetryOptions::default(),
            breaker: BreakerOptions::default(),
        }
    }
}

impl CallOptions {
    /// The defaults, with another bound on the calls under way.
    #[must_use]
    pub fn with_calls_max(calls_max: usize) -> Self {
        Self { calls_max, ..Self::default() }
    }

    /// Reads options from a file, for an adapter whose defaults differ: what is not said stays as it is
    /// here.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize_over<'de, D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let said = Said::deserialize(deserializer)?;
        let (retry, backoff) = (said.retry.unwrap_or_default(), self.retry.backoff);
        let own = retry.backoff.unwrap_or_default();
        let backoff = Backoff {
            first: own.first.map_or(backoff.first, |it| it.0),
            max: own.max.map_or(backoff.max, |it| it.0),
        };
        let breaker = said.breaker.unwrap_or_default();
        let usual = self.call_timeout;
        let request_timeout = said.request_timeout.map_or(self.request_timeout, |it| it.0);
        Ok(Self {
            connect_timeout: said.connect_timeout.map_or(self.connect_timeout, |it| it.0),
            request_timeout,
            call_timeout: said.call_timeout.map_or(usual.max(request_timeout), |it| it.0),
            idle_timeout: said.idle_timeout.map_or(self.idle_timeout, |it| it.0),
            calls_max: said.calls_max.unwrap_or(self.calls_max),
            waiting_max: said.waiting_max.unwrap_or(self.waiting_max),
            retry: RetryOptions {
                attempts_max: retry.attempts_max.unwrap_or(self.retry.attempts_max),
                backoff,
            },
            breaker: BreakerOptions {
                failures_max: breaker.failures_max.unwrap_or(self.breaker.failures_max),
                open_for: breaker.open_for.map_or(self.breaker.open_for, |it| it.0),
            },
        })
    }

    /// Takes over what a URL says: `connect_timeout`, `request_timeout`, `call_timeout`, `idle_timeout`,
    /// `calls_max`, `waiting_max` and `attempts_max`.
    ///
    /// # Errors
    /// When one of them cannot be understood.
    pub fn take_from(&mut self, url: &mut ServiceUrl) -> Result<(), Error> {
        let request_timeout = url.take_duration("request_timeout")?;
        let at_least = request_timeout.unwrap_or_default();
        self.request_timeout = request_timeout.unwrap_or(self.request_timeout);
        let call_timeout = url.take_duration("call_timeout")?;
        self.call_timeout = call_timeout.unwrap_or(self.call_timeout.max(at_least));
        url.take_duration_into("connect_timeout", &mut self.connect_timeout)?;
        url.take_duration_into("idle_timeout", &mut self.idle_timeout)?;
        url.take_into("calls_max", "a number", &mut self.calls_max)?;
        url.take_into("waiting_max", "a number", &mut self.waiting_max)?;
        url.take_into("attempts_max", "a number of attempts", &mut self.retry.attempts_max)
    }

    /// Refuses what cannot work.
    ///
    /// # Errors
    /// When a bound is nothing.
    pub fn check(&self) -> Result<(), Error> {
        let nothing = [
            ("calls_max", self.calls_max == 0),
            ("attempts_max", self.retry.attempts_max == 0),
            ("connect_timeout", self.connect_timeout.is_zero()),
            ("request_timeout", self.request_timeout.is_zero()),
            ("call_timeout", self.call_timeout.is_zero()),
        ];
        match nothing.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((name, _)) => Err(Error::new(
                crate::ErrorKind::InvalidOptions,
                format!("{name} is zero: no call could ever be made; leave it out for the default"),
            )),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for CallOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::default().deserialize_over(deserializer)
    }
}

/// What a file says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    connect_timeout: Option<Span>,
    request_timeout: Option<Span>,
    call_timeout: Option<Span>,
    idle_timeout: Option<Span>,
    calls_max: Option<usize>,
    waiting_max: Option<usize>,
    retry: Option<SaidOfRetry>,
    breaker: Option<SaidOfBreaker>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidOfRetry {
    attempts_max: Option<u32>,
    backoff: Option<SaidOfBackoff>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidOfBackoff {
    first: Option<Span>,
    max: Option<Span>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidOfBreaker {
    failures_max: Option<u32>,
    open_for: Option<Span>,
}

/// A duration as people write it.
#[derive(Deserialize)]
struct Span(#[serde(with = "crate::duration")] Duration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_differs_from_the_defaults() {
        let text = "request_timeout = '250ms'\ncalls_max = 7\n[retry]\nattempts_max = 5\n\
                    [retry.backoff]\nmax = '1s'\n[breaker]\nfailures_max = 0\n";
        let options: CallOptions = toml::from_str(text).unwrap();
        assert_eq!(options.request_timeout, Duration::from_millis(250));
        assert_eq!((options.calls_max, options.retry.attempts_max), (7, 5));
        assert_eq!(options.retry.backoff.max, Duration::from_secs(1));
        assert_eq!(options.breaker.failures_max, 0);
        assert_eq!(options.connect_timeout, CallOptions::default().connect_timeout);
    }

    #[test]
    fn a_word_that_is_none_is_refused_with_those_that_are() {
        let error = toml::from_str::<CallOptions>("request_timeot = '1s'").unwrap_err().to_string();
        assert!(error.contains("unknown field `request_timeot`, expected one of"), "{error}");
        let error = toml::from_str::<CallOptions>("request_timeout = '1 day-ish'").unwrap_err();
        assert!(error.to_string().contains("write it as 250ms, 5s or 1m"), "{error}");
    }

    #[test]
    fn what_a_file_does_not_say_stays_as_the_adapter_has_it() {
        let usual = CallOptions {
            idle_timeout: Duration::from_secs(15),
            ..CallOptions::with_calls_max(128)
        };
        let over =
            |text: &str| usual.clone().deserialize_over(toml::Deserializer::parse(text).unwrap());
        assert_eq!(over("").unwrap(), usual);
        let options = over("request_timeout = '1s'\n[retry]\nattempts_max = 1").unwrap();
        assert_eq!((options.calls_max, options.idle_timeout), (128, usual.idle_timeout));
        assert_eq!(options.request_timeout, Duration::from_secs(1));
        assert_eq!(options.retry.attempts_max, 1);
        let error = over("calls_maxx = 1").unwrap_err().to_string();
        assert!(error.contains("unknown field `calls_maxx`, expected one of"), "{error}");
    }

    #[test]
    fn what_a_part_of_a_file_does_not_say_stays_too() {
        let retry = RetryOptions { attempts_max: 1, ..RetryOptions::default() };
        let breaker = BreakerOptions { open_for: Duration::from_secs(30), failures_max: 9 };
        let usual = CallOptions { retry, breaker, ..CallOptions::default() };
        let text = "[retry.backoff]\nmax = '1s'\n[breaker]\nfailures_max = 3";
        let said = usual.deserialize_over(toml::Deserializer::parse(text).unwrap()).unwrap();
        assert_eq!((said.retry.attempts_max, said.breaker.failures_max), (1, 3));
        assert_eq!(said.breaker.open_for, Duration::from_secs(30));
        assert_eq!(said.retry.backoff.max, Duration::from_secs(1));
        assert_eq!(said.retry.backoff.first, Backoff::default().first);
    }

    #[test]
    fn who_wants_long_attempts_gets_calls_as_long() {
        let minute = Duration::from_secs(60);
        let said: CallOptions = toml::from_str("request_timeout = '1m'").unwrap();
        assert_eq!((said.request_timeout, said.call_timeout), (minute, minute));
        let said: CallOptions =
            toml::from_str("request_timeout = '1m'\ncall_timeout = '9s'").unwrap();
        assert_eq!(said.call_timeout, Duration::from_secs(9));
        let mut url = ServiceUrl::parse("redis://h?request_timeout=1m", &["redis"]).unwrap();
        let mut options = CallOptions::default();
        options.take_from(&mut url).unwrap();
        assert_eq!(options.call_timeout, minute);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let options = CallOptions { calls_max: 3, ..CallOptions::default() };
        let text = serde_json::to_string(&options).unwrap();
        assert!(text.contains(r#""connect_timeout":"5s""#), "{text}");
        assert_eq!(serde_json::from_str::<CallOptions>(&text).unwrap(), options);
    }

    #[test]
    fn a_url_says_it_too() {
        let mut url = ServiceUrl::parse(
            "redis://h?request_timeout=2s&connect_timeout=1s&call_timeout=9s&idle_timeout=0s&\
             calls_max=5&waiting_max=0&attempts_max=1",
            &["redis"],
        )
        .unwrap();
        let mut options = CallOptions::default();
        options.take_from(&mut url).unwrap();
        url.finish().unwrap();
        let seconds = |seconds| Duration::from_secs(seconds);
        assert_eq!(options.request_timeout, seconds(2));
        assert_eq!(options.connect_timeout, seconds(1));
        assert_eq!(options.call_timeout, seconds(9));
        assert_eq!(options.idle_timeout, seconds(0));
        assert_eq!((options.calls_max, options.waiting_max), (5, 0));
        assert_eq!(options.retry.attempts_max, 1);
        options.check().unwrap();
    }

    #[test]
    fn nothing_at_all_is_refused() {
        let error = CallOptions::with_calls_max(0).check().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::InvalidOptions);
        assert!(error.to_string().starts_with("calls_max is zero"), "{error}");
    }
}
