//! From a request to its response: host by host where it is redirected, attempt by attempt.

use crate::body::Body;
use crate::error;
use crate::hosts::Hosts;
use crate::options::Options;
use crate::origin::target;
use crate::redirect::{self, Step};
use crate::request::Asked;
use crate::response::Answer;
use crate::retry_after::retry_after;
use bytes::Bytes;
use reqwest::{Client, Method};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout_at};
use url::Url;
use workyard_adapter_kit::{Call, Error, ErrorKind, Guard, Repeat, Result};

/// Whether bodies of responses are collected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Collect,
    Stream,
}

/// A request under way.
pub(crate) struct Exchange<'a> {
    pub(crate) options: &'a Options,
    pub(crate) hosts: &'a Hosts,
    pub(crate) client: Client,
    pub(crate) mode: Mode,
    pub(crate) asked: Box<Asked>,
}

impl Exchange<'_> {
    /// Makes the request, and those that redirects ask for. The URL is that of the last one.
    pub(crate) async fn run(mut self) -> Result<(Answer, Url)> {
        let result = self.follow().await;
        let Asked { method, url, .. } = *self.asked;
        match result {
            Ok(answer) => Ok((answer, url)),
            Err(error) => Err(error.at("http", &target(&url).into()).during(operation(&method))),
        }
    }

    async fn follow(&mut self) -> Result<Answer> {
        self.check()?;
        let deadline = Instant::now() + self.call_timeout();
        let redirects_max = self.asked.redirects_max.unwrap_or(self.options.redirects_max);
        let mut answer = self.ask().await?;
        let mut followed = 0;
        // Whoever redirects something else than a question may have done what was asked for.
        let (mut is_open, mut changes) = (false, !self.asked.method.is_safe());
        while redirects_max > 0
            && self.redirect(&answer, followed < redirects_max).map_err(opened(is_open))?
        {
            followed += 1;
            is_open |= changes;
            changes = !self.asked.method.is_safe();
            // The connection of the redirect is free for the next request.
            drop(answer);
            let asked = timeout_at(deadline, self.ask()).await;
            let asked = asked.unwrap_or_else(|_| Err(self.too_slow(followed)));
            answer = asked.map_err(opened(is_open))?;
        }
        Ok(if is_open { answer.outcome_open() } else { answer })
    }

    fn check(&self) -> Result<()> {
        let (bytes, limit) = (self.asked.body.bytes(), self.options.request_bytes_max);
        if bytes <= limit {
            return Ok(());
        }
        let message = format!(
            "the body has {bytes} bytes, more than the {limit} of request_bytes_max; stream it, or raise that"
        );
        Err(Error::new(ErrorKind::TooLarge, message))
    }

    /// What the first guard allows, so that redirects have no more.
    fn call_timeout(&self) -> Duration {
        let calls = &self.options.calls;
        let own = self.asked.timeout.unwrap_or(calls.request_timeout);
        let more = own.saturating_sub(calls.request_timeout);
        calls.call_timeout.saturating_add(more).min(Duration::from_secs(60 * 60 * 24 * 365))
    }

    /// Makes the request of that redirect, if it is one.
    fn redirect(&mut self, answer: &Answer, may_follow: bool) -> Result<bool> {
        let asked = &mut self.asked;
        let next = match redirect::step(&asked.url, answer.status, &answer.headers) {
            Step::Stay => return Ok(false),
            Step::Wrong(why) => return Err(answer.refuse(why)),
            Step::Go(next) => next,
        };
        if !may_follow {
            return Err(
                answer.refuse("there are too many redirects, more than redirects_max allows")
            );
        }
        if asked.url.scheme() == "https" && next.scheme() == "http" && !self.options.https_to_http {
            let why =
                "the redirect leads from https to http, which https_to_http would have to allow";
            return Err(answer.refuse(why));
        }
        if redirect::becomes_get(answer.status, &asked.method) {
            asked.method = Method::GET;
            asked.body = Body::Whole(Bytes::new());
            redirect::forget_body(&mut asked.headers);
        } else if !asked.body.is_whole() {
            return Err(answer.refuse("the redirect wants the body again, and that was a stream"));
        }
        redirect::keep_secrets(&mut asked.headers, &asked.url, &next);
        asked.url = next;
        Ok(true)
    }

    fn too_slow(&self, followed: u32) -> Error {
        let message = format!("no answer in time after {followed} redirects");
        Error::new(ErrorKind::TimedOut, message)
    }

    /// Asks one host, as often as need be.
    async fn ask(&self) -> Result<Answer> {
        let guard = self.hosts.guard(&self.asked.url)?;
        let operation = operation(&self.asked.method);
        let mut call = Call::new(operation).repeat(self.repeat());
        if let Some(timeout) = self.asked.timeout {
            call = call.within(timeout);
        }
        // An answer that says "later" is kept in case that there is no better one.
        let later = Mutex::new(None);
        let keep = |answer| *later.lock().unwrap_or_else(PoisonError::into_inner) = answer;
        let attempt = || {
            keep(None);
            self.attempt(&guard, operation, &keep)
        };
        if self.mode == Mode::Collect {
            let made = guard.call(call, attempt).await;
            return made.or_else(|error| better(error, &later));
        }
        match guard.begin(call, attempt).await {
            Ok((answer, kept)) => Ok(answer.keeping(kept)),
            Err(error) => better(error, &later),
        }
    }

    async fn attempt(
        &self,
        guard: &Guard,
        operation: &'static str,
        keep: &(impl Fn(Option<Answer>) + Sync),
    ) -> Result<Answer> {
        let response = self.client.execute(self.request()).await.map_err(error::from_driver)?;
        let status = response.status();
        let later = error::passes(status);
        let limit = self.asked.response_bytes_max;
        let progress = self.asked.progress.clone();
        let collect = self.mode == Mode::Collect || later;
        let mut answer = Answer::new(response, guard.target(), operation, limit, progress);
        if collect {
            answer = answer.collected(limit.unwrap_or(self.options.response_bytes_max)).await?;
        }
        if !later {
            return Ok(answer);
        }
        let wait = retry_after(&answer.headers, SystemTime::now());
        keep(Some(answer));
        // Whether a gateway has passed the request on is not known.
        Err(error::from_status(status).outcome_open().transient(true).with_retry_after(wait))
    }

    fn request(&self) -> reqwest::Request {
        let asked = &self.asked;
        let mut request = reqwest::Request::new(asked.method.clone(), asked.url.clone());
        *request.headers_mut() = asked.headers.clone();
        *request.body_mut() = asked.body.take();
        if let Some(version) = asked.version {
            *request.version_mut() = version;
        }
        request
    }

    fn repeat(&self) -> Repeat {
        let asked = &self.asked;
        let idempotent = asked.idempotent
            || asked.method.is_idempotent()
            || asked.headers.contains_key("idempotency-key");
        match (asked.body.is_whole(), idempotent) {
            (false, _) => Repeat::Never,
            (true, true) => Repeat::Freely,
            (true, false) => Repeat::IfUnsent,
        }
    }
}

/// The answer that was kept, when the error says no more than that.
fn better(error: Error, later: &Mutex<Option<Answer>>) -> Result<Answer> {
    let answer = later.lock().unwrap_or_else(PoisonError::into_inner).take();
    match answer {
        Some(answer) if error.kind() == ErrorKind::Server => Ok(answer),
        _ => Err(error),
    }
}

/// What becomes of an error, depending on whether an earlier hop may have carried the request out.
fn opened(is_open: bool) -> impl Fn(Error) -> Error {
    move |error| if is_open { error.outcome_open() } else { error }
}

/// The method as metrics and errors say it.
fn operation(method: &Method) -> &'static str {
    const NAMES: [&str; 9] =
        ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "CONNECT"];
    NAMES.into_iter().find(|name| method == *name).unwrap_or("REQUEST")
}
