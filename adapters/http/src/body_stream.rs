//! The body of a response as a stream, which may not pause for ever.

use crate::error;
use crate::request::Progress;
use crate::response::{Asked, too_large};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};
use workyard_adapter_kit::{Error, ErrorKind, Kept, Result};

/// The body of a response as it comes. The place among the calls to that host is taken until its end, an
/// error, or until it is dropped.
pub struct BodyStream {
    source: Option<Source>,
    asked: Asked,
}

enum Source {
    Whole(Bytes),
    Coming(Box<Coming>),
}

struct Coming {
    pieces: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    _kept: Option<Kept>,
    /// Counts while somebody waits for the next piece, not while the last one is used.
    pause: Pin<Box<Sleep>>,
    is_waiting: bool,
    chunk_timeout: Duration,
    bytes: u64,
    total: Option<u64>,
    limit: Option<usize>,
    progress: Option<Progress>,
}

impl BodyStream {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// When the connection is lost, nothing comes for too long, or there is more than a limit. It is at
    /// its end then.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.next().await.transpose()
    }

    pub(crate) fn of(body: Bytes, asked: Asked) -> Self {
        Self { source: Some(Source::Whole(body)), asked }
    }

    pub(crate) fn new(
        response: reqwest::Response,
        kept: Option<Kept>,
        asked: Asked,
        chunk_timeout: Duration,
        limit: Option<usize>,
        progress: Option<Progress>,
    ) -> Self {
        let coming = Coming {
            total: response.content_length(),
            pieces: Box::pin(response.bytes_stream()),
            _kept: kept,
            pause: Box::pin(sleep(chunk_timeout)),
            is_waiting: false,
            chunk_timeout,
            bytes: 0,
            limit,
            progress,
        };
        Self { source: Some(Source::Coming(Box::new(coming))), asked }
    }
}

impl Stream for BodyStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = match &mut self.source {
            None => return Poll::Ready(None),
            Some(Source::Whole(body)) if body.is_empty() => None,
            Some(Source::Whole(body)) => Some(Ok(std::mem::take(body))),
            Some(Source::Coming(coming)) => ready!(coming.poll(context)),
        };
        if !matches!(next, Some(Ok(_))) {
            self.source = None;
        }
        Poll::Ready(next.map(|piece| piece.map_err(|error| self.asked.place(error))))
    }
}

impl Coming {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let Poll::Ready(piece) = self.pieces.as_mut().poll_next(context) else {
            return self.wait(context);
        };
        self.is_waiting = false;
        Poll::Ready(match piece {
            Some(Ok(piece)) => Some(self.count(piece)),
            Some(Err(error)) => Some(Err(error::from_driver(error))),
            None => None,
        })
    }

    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if !self.is_waiting {
            self.is_waiting = true;
            let until = Instant::now() + self.chunk_timeout;
            self.pause.as_mut().reset(until);
        }
        ready!(self.pause.as_mut().poll(context));
        let message = format!("nothing came for {:?}", self.chunk_timeout);
        Poll::Ready(Some(Err(Error::new(ErrorKind::TimedOut, message))))
    }

    fn count(&mut self, piece: Bytes) -> Result<Bytes> {
        self.bytes += piece.len() as u64;
        if let Some(limit) = self.limit
            && self.bytes > limit as u64
        {
            return Err(too_large(limit));
        }
        if let Some(progress) = &self.progress {
            progress(self.bytes, self.total);
        }
        Ok(piece)
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyStream").field("ended", &self.source.is_none()).finish_non_exhaustive()
    }
}
