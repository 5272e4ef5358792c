//! Commands that wait: on connections of their own, and with nothing lost when who asked goes away.

use crate::backend::Backend;
use crate::command::{Request, first_stream, words};
use crate::dedicated::{Dedicated, Lease};
use crate::endpoint::Endpoint;
use crate::limits::GIVE_BACK_ATTEMPTS_MAX;
use crate::link::closed;
use crate::pop;
use futures_util::FutureExt;
use redis::{Cmd, Pipeline, Value};
use serde::Serialize;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};
use workyard_adapter_kit::{Error, ErrorKind};

/// What became of elements that were popped for callers who had gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PopStats {
    /// Answers whose elements were put back.
    pub given_back: u64,
    /// Answers whose elements could not be put back, or may have been lost with their connection.
    pub lost: u64,
}

/// Sends commands that wait.
pub(crate) struct Blocking {
    pool: Arc<Dedicated>,
    counts: Arc<Counts>,
    closing: watch::Sender<bool>,
}

#[derive(Default)]
struct Counts {
    given_back: AtomicU64,
    lost: AtomicU64,
    /// Commands that are sent, answered or put back at the moment.
    under_way: watch::Sender<usize>,
}

/// One command, for as long as something may be left to do for it.
struct UnderWay(Arc<Counts>);

impl UnderWay {
    fn new(counts: &Arc<Counts>) -> Arc<Self> {
        counts.under_way.send_modify(|count| *count += 1);
        Arc::new(Self(Arc::clone(counts)))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count -= 1);
    }
}

impl Blocking {
    pub(crate) fn new(pool: Arc<Dedicated>) -> Self {
        Self { pool, counts: Arc::default(), closing: watch::Sender::new(false) }
    }

    pub(crate) fn stats(&self) -> PopStats {
        let Counts { given_back, lost, .. } = &*self.counts;
        PopStats { given_back: given_back.load(Relaxed), lost: lost.load(Relaxed) }
    }

    /// Sends a command and waits as long as it does.
    pub(crate) async fn send(&self, command: &Cmd, request: &Request) -> Result<Value, Error> {
        let key = key_of(request.name, command);
        let lease = self.pool.take(key.as_deref()).await?;
        let pop = Pop {
            backend: self.pool.backend().clone(),
            under_way: UnderWay::new(&self.counts),
            name: request.name,
            command: Arc::new(command.clone()),
        };
        let (answer, answered) = oneshot::channel();
        tokio::spawn(work(lease, pop.clone(), answer, self.closing.subscribe()));
        Answered { answered: Some(answered), pop }.await
    }

    /// Sends a pipeline that ends in waiting for replicas.
    pub(crate) async fn send_pipeline(
        &self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        let key = pipeline.cmd_iter().next().and_then(|command| key_of("pipeline", command));
        let lease = self.pool.take(key.as_deref()).await?;
        let answers = lease.send_pipeline(pipeline, offset, count).await;
        lease.settle(answers.as_ref().err());
        answers
    }

    /// Has the server answer whoever waits.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Ends when nothing is left to be answered or put back.
    pub(crate) async fn ended(&self) {
        // An error says that nobody counts any more, which cannot be: it is ours.
        let _ = self.counts.under_way.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// The first key: which node of a cluster is to be asked.
fn key_of(name: &str, command: &Cmd) -> Option<Vec<u8>> {
    let key = match name {
        "BLMPOP" | "BZMPOP" => words(command).nth(3),
        "XREAD" | "XREADGROUP" => first_stream(command),
        _ => words(command).nth(1),
    };
    key.map(<[u8]>::to_vec)
}

/// Has the command answered, whether or not somebody still waits for it.
async fn work(
    lease: Lease,
    pop: Pop,
    mut answer: oneshot::Sender<Result<Value, Error>>,
    closing: watch::Receiver<bool>,
) {
    // Nothing was sent so far: what nobody wants is not begun.
    if answer.is_closed() {
        return lease.give_back();
    }
    let result = if *closing.borrow() {
        Err(closed())
    } else {
        match pop.answered(&lease, &mut answer, closing).await {
            Outcome::Answered(result) => {
                lease.settle(result.as_ref().err());
                result
            }
            Outcome::Pending(error) => {
                drop(lease);
                Err(error)
            }
            Outcome::Unwanted => return,
        }
    };
    if let Err(unheard) = answer.send(result) {
        pop.was_for_nobody(unheard).await;
    }
}

/// What became of a command.
enum Outcome {
    Answered(Result<Value, Error>),
    /// The server may still be at it, and so may answer at any time: nobody else may use the connection.
    Pending(Error),
    /// Nobody waits for it, and nothing can be lost.
    Unwanted,
}

/// What was asked, for putting back what came of it.
#[derive(Clone)]
struct Pop {
    backend: Backend,
    under_way: Arc<UnderWay>,
    name: &'static str,
    command: Arc<Cmd>,
}

impl Pop {
    /// Sends it, and waits for the answer for as long as somebody wants it.
    async fn answered(
        &self,
        lease: &Lease,
        answer: &mut oneshot::Sender<Result<Value, Error>>,
        mut closing: watch::Receiver<bool>,
    ) -> Outcome {
        let mut sent = pin!(lease.send(&self.command));
        let is_closing = tokio::select! {
            biased;
            result = &mut sent => return Outcome::Answered(result),
            () = answer.closed() => false,
            _ = closing.wait_for(|closing| *closing) => true,
        };
        if !is_closing && !pop::takes_away(self.name) {
            return Outcome::Unwanted;
        }
        let ended = async {
            let unblocked = self.unblock(lease.endpoint(), lease.id()).await;
            match unblocked {
                Ok(()) => Outcome::Answered(sent.as_mut().await),
                // It may have been answered meanwhile.
                Err(error) => match sent.as_mut().now_or_never() {
                    Some(result) => Outcome::Answered(result),
                    None => Outcome::Pending(not_let_go(&error)),
                },
            }
        };
        let patience = self.backend.guard().options().request_timeout;
        match timeout(patience, ended).await {
            Ok(Outcome::Answered(Ok(Value::Nil))) if is_closing => Outcome::Answered(Err(closed())),
            Ok(outcome) => outcome,
            Err(_) => Outcome::Pending(not_let_go(&"no answer in time")),
        }
    }

    /// Has the server answer at once.
    async fn unblock(&self, endpoint: &Endpoint, id: Option<i64>) -> Result<(), Error> {
        let Some(id) = id else {
            let message = "the server does not say which connection this is";
            return Err(Error::new(ErrorKind::Disconnected, message));
        };
        let mut order = redis::cmd("CLIENT");
        order.arg("UNBLOCK").arg(id);
        self.backend.connector().connect_to(endpoint).await?.send(&order).await.map(drop)
    }

    async fn was_for_nobody(&self, result: Result<Value, Error>) {
        match result {
            Ok(value) => {
                if let Some(undo) = pop::undo(self.name, &self.command, &value) {
                    self.give_back(&undo).await;
                }
            }
            Err(error) if error.outcome_unknown() && pop::takes_away(self.name) => {
                self.lost(&error);
            }
            Err(_) => {}
        }
    }

    async fn give_back(&self, undo: &Cmd) {
        let guard = self.backend.guard();
        let mut waits = guard.options().retry.backoff.waits();
        for attempt in 1..=GIVE_BACK_ATTEMPTS_MAX {
            match self.push(undo).await {
                Ok(_) => {
                    self.counts().given_back.fetch_add(1, Relaxed);
                    return;
                }
                Err(error)
                    if attempt < GIVE_BACK_ATTEMPTS_MAX
                        && error.is_transient()
                        && !error.outcome_unknown() =>
                {
                    sleep(waits.next_wait()).await;
                }
                Err(error) => return self.lost(&error),
            }
        }
    }

    async fn push(&self, undo: &Cmd) -> Result<Value, Error> {
        let request = Request::of(undo)?;
        let patience = self.backend.guard().options().request_timeout;
        let sent = timeout(patience, self.backend.send(undo, &request)).await;
        sent.unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, "no answer in time")))
    }

    fn counts(&self) -> &Counts {
        &self.under_way.0
    }

    fn lost(&self, error: &Error) {
        self.counts().lost.fetch_add(1, Relaxed);
        let name = self.name;
        tracing::error!(
            target: "workyard_adapter",
            service = "redis",
            %error,
            "what {name} may have popped for a caller who has gone could not be put back"
        );
    }
}

/// Whether anything was popped is not known.
fn not_let_go(why: &dyn fmt::Display) -> Error {
    let message = format!("the server did not let go (CLIENT UNBLOCK): {why}");
    Error::new(ErrorKind::Disconnected, message).outcome_open()
}

/// The answer, which is not dropped unread: dropped too early, it is put back.
struct Answered {
    answered: Option<oneshot::Receiver<Result<Value, Error>>>,
    pop: Pop,
}

impl Future for Answered {
    type Output = Result<Value, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answered = self.answered.as_mut().expect("it is not polled after its end");
        let result = ready!(Pin::new(answered).poll(context));
        self.answered = None;
        let gone = |_| Err(Error::new(ErrorKind::Disconnected, "the runtime is shutting down"));
        Poll::Ready(result.unwrap_or_else(gone))
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        let Some(mut answered) = self.answered.take() else { return };
        answered.close();
        if let (Ok(result), Ok(runtime)) = (answered.try_recv(), Handle::try_current()) {
            let pop = self.pop.clone();
            runtime.spawn(async move { pop.was_for_nobody(result).await });
        }
    }
}
