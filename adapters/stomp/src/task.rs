//! The task of a connection: connects, restores, serves, and begins again when it was lost.

use crate::codec::{Command, Frame};
use crate::connect::{Connection, connect};
use crate::error;
use crate::held::{Held, Progress};
use crate::limits::{BATCH_MAX, GOODBYE_MAX};
use crate::notice::Notice;
use crate::request::{Request, What};
use crate::session::{Event, Session};
use crate::shared::Shared;
use crate::subscribe::Ack;
use crate::subscription::{Delivery, Registered};
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::ops::ControlFlow::{self, Break, Continue};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

pub(crate) struct Task {
    shared: Arc<Shared>,
    requests: Receiver<Request>,
    notices: UnboundedReceiver<Notice>,
    subscriptions: HashMap<Arc<str>, Registered>,
    /// How many connections there were.
    connections: u64,
}

/// Why a connection is over.
enum End {
    Lost(Error),
    /// Nobody wants it any more; who waits for that, if anybody.
    Unwanted(Option<oneshot::Sender<()>>),
}

type Step = ControlFlow<End>;

impl Task {
    pub(crate) fn new(
        shared: Arc<Shared>,
        requests: Receiver<Request>,
        notices: UnboundedReceiver<Notice>,
    ) -> Self {
        Self { shared, requests, notices, subscriptions: HashMap::new(), connections: 0 }
    }

    pub(crate) async fn run(mut self) {
        let backoff = self.shared.guard.options().retry.backoff;
        let mut waits = backoff.waits();
        let mut wait = Duration::ZERO;
        let waiting = loop {
            let started = Instant::now();
            let lost = match self.live().await {
                End::Unwanted(waiting) => break waiting,
                End::Lost(error) => error,
            };
            // One that did not even last as long as was waited for it is no success.
            if started.elapsed() > wait {
                waits.reset();
            }
            // Who was refused does not storm the gates.
            wait = match lost.kind() {
                ErrorKind::Refused => backoff.max,
                _ => waits.next_wait(),
            };
            if let Err(End::Unwanted(waiting)) = self.aside(sleep(wait)).await {
                break waiting;
            }
        };
        self.shared.closed();
        self.requests.close();
        while let Ok(request) = self.requests.try_recv() {
            let _ = request.tell.send(Err(error::closed()));
        }
        // The streams of subscriptions end before those who close go on.
        self.subscriptions.clear();
        if let Some(waiting) = waiting {
            let _ = waiting.send(());
        }
        self.notices.close();
        while let Ok(notice) = self.notices.try_recv() {
            if let Notice::Close(waiting) = notice {
                let _ = waiting.send(());
            }
        }
    }

    /// One connection, from the attempt to its end.
    async fn live(&mut self) -> End {
        let connection = match self.connection().await {
            Ok(connection) => connection,
            Err(End::Lost(error)) => {
                self.shared.lost(error.clone());
                return End::Lost(error);
            }
            Err(end) => return end,
        };
        self.connections += 1;
        self.shared.restoring(self.connections);
        let agreed = connection.agreed.clone();
        let mut session = Session::new(connection, self.connections);
        let end = match self.restore(&mut session).await {
            Break(end) => end,
            Continue(()) => {
                self.shared.connected(session.number, &agreed);
                self.exchange(&mut session).await
            }
        };
        match end {
            End::Lost(error) => {
                let error = session.cause(error);
                // Told first, so that whoever tries again waits for the next connection.
                self.shared.lost(error.clone());
                session.receipts.fail(&error);
                End::Lost(error)
            }
            End::Unwanted(waiting) => {
                self.say_goodbye(&mut session).await;
                End::Unwanted(waiting)
            }
        }
    }

    async fn connection(&mut self) -> Result<Connection, End> {
        let shared = Arc::clone(&self.shared);
        let patience = shared.guard.options().connect_timeout;
        let connecting = timeout(patience, connect(&shared.settled, shared.tls.as_ref()));
        match self.aside(connecting).await? {
            Ok(connected) => connected.map_err(End::Lost),
            Err(_) => {
                let message = format!("not connected within {patience:?}");
                let error = Error::new(ErrorKind::TimedOut, message);
                Err(End::Lost(error.not_carried_out()))
            }
        }
    }

    /// Does something while there is no connection.
    async fn aside<T>(&mut self, work: impl Future<Output = T>) -> Result<T, End> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                request = self.requests.recv() => if let Some(request) = request {
                    let _ = request.tell.send(Err(error::not_sent()));
                },
                notice = self.notices.recv() => match notice {
                    None => return Err(End::Unwanted(None)),
                    Some(Notice::Close(waiting)) => return Err(End::Unwanted(Some(waiting))),
                    Some(Notice::Unsubscribe(id, _)) => drop(self.subscriptions.remove(&id)),
                    // Both ended with the connection that they belonged to.
                    Some(Notice::Taken(_) | Notice::Abort(_)) => {}
                },
            }
        }
    }

    /// Subscribes again, one after the other, so that it is known which one the server does not want.
    async fn restore(&mut self, session: &mut Session) -> Step {
        let mut patience = self.shared.guard.options().request_timeout;
        for id in self.in_order() {
            let Some(registered) = self.subscriptions.get(&id) else { continue };
            match registered.wish.frame(&id, session.version) {
                Ok(frame) => self.restore_one(session, &id, &frame, &mut patience).await?,
                Err(error) => self.end_subscription(&id, error),
            }
        }
        for notice in std::mem::take(&mut session.held_back) {
            self.noticed(session, Some(notice))?;
        }
        Continue(())
    }

    /// Those last that may have no room, as nothing is read while a message waits for some.
    fn in_order(&self) -> Vec<Arc<str>> {
        let is_late = |registered: &Registered| {
            (registered.wish.ack == Ack::Auto, registered.deliveries.capacity() == 0)
        };
        let mut all: Vec<_> = self.subscriptions.iter().collect();
        all.sort_by_key(|(_, registered)| is_late(registered));
        all.into_iter().map(|(id, _)| Arc::clone(id)).collect()
    }

    async fn restore_one(
        &mut self,
        session: &mut Session,
        id: &Arc<str>,
        frame: &Frame,
        patience: &mut Duration,
    ) -> Step {
        let (tell, mut told) = oneshot::channel();
        if !session.confirmed(frame, tell) {
            if let Ok(Err(error)) = told.try_recv() {
                self.end_subscription(id, error);
            }
            return Continue(());
        }
        session.subscribed.insert(Arc::clone(id), Progress::default());
        match timeout(*patience, self.restored(session, id, told)).await {
            Ok(step) => step,
            // Whoever holds everything up has been waited for.
            Err(_) if session.is_parked() || patience.is_zero() => {
                *patience = Duration::ZERO;
                Continue(())
            }
            Err(_) => {
                let message = "no receipt of a subscription";
                Break(End::Lost(Error::new(ErrorKind::TimedOut, message)))
            }
        }
    }

    /// Waits for the receipt of a subscription. That an error of the server is about it is known only
    /// as long as nothing else is said, so what is noticed is held back.
    async fn restored(
        &mut self,
        session: &mut Session,
        id: &str,
        mut told: oneshot::Receiver<Result<u64>>,
    ) -> Step {
        loop {
            let step = tokio::select! {
                event = session.event() => self.happened(session, event),
                notice = self.notices.recv() => self.noticed_early(session, notice),
            };
            match told.try_recv() {
                Ok(Ok(_)) => return step,
                Ok(Err(error)) => {
                    if error::is_refusal(&error) {
                        self.end_subscription(id, error.clone());
                    }
                    step?;
                    return Break(End::Lost(error));
                }
                Err(_) => step?,
            }
        }
    }

    fn noticed_early(&mut self, session: &mut Session, notice: Option<Notice>) -> Step {
        match notice {
            None | Some(Notice::Close(_)) => return self.noticed(session, notice),
            Some(notice) => {
                if let Notice::Unsubscribe(id, _) = &notice {
                    self.subscriptions.remove(id);
                }
                session.held_back.push(notice);
            }
        }
        Continue(())
    }

    /// Serves the connection until it is over.
    async fn exchange(&mut self, session: &mut Session) -> End {
        loop {
            let takes_requests = session.has_room();
            let step = tokio::select! {
                event = session.event() => self.happened(session, event),
                notice = self.notices.recv() => self.noticed(session, notice),
                Some(request) = self.requests.recv(), if takes_requests => {
                    self.asked(session, request)
                }
            };
            if let Break(end) = step {
                return end;
            }
        }
    }

    fn happened(&mut self, session: &mut Session, event: Event) -> Step {
        let lost = |error| Break(End::Lost(error));
        match event {
            Event::Written(Ok(())) => {
                session.written();
                Continue(())
            }
            Event::Written(Err(error)) => lost(error::of_codec(error.into())),
            Event::Read(Some(Ok(frame))) => {
                self.received(session, frame).map_or_else(lost, Continue)
            }
            Event::Read(Some(Err(error))) => {
                if let Some(id) = error.subscription() {
                    // It would come again with every connection.
                    self.end_subscription(id, error::of_message(&error));
                }
                lost(error::of_codec(error))
            }
            Event::Read(None) => {
                lost(Error::new(ErrorKind::Disconnected, "the server ended the connection"))
            }
            Event::Room => Continue(()),
            Event::Beat => session.beat().map_or_else(lost, Continue),
            // What the server complained of is the cause.
            Event::LastWordsAreOver => lost(Error::new(ErrorKind::Server, "the server complained")),
        }
    }

    fn received(&mut self, session: &mut Session, frame: Frame) -> Result<()> {
        match frame.command {
            Command::Message => {
                let id = frame.header("subscription").unwrap_or_default();
                let known = self.subscriptions.get(id).zip(session.subscribed.get_mut(id));
                if let Some((registered, progress)) = known {
                    let (version, number) = (session.version, session.number);
                    let held = Held::of(&frame, registered.wish.ack, version, number, progress);
                    let held = held.map(Arc::new);
                    session.deliver(&registered.deliveries, Delivery { frame, number, held });
                }
                Ok(())
            }
            Command::Receipt => session.confirmed_by(&frame),
            Command::Error => session.complained(&frame),
            other => {
                let message = format!("a server does not send {other}");
                Err(Error::new(ErrorKind::Protocol, message))
            }
        }
    }

    fn noticed(&mut self, session: &mut Session, notice: Option<Notice>) -> Step {
        match notice {
            None => return Break(End::Unwanted(None)),
            Some(Notice::Close(waiting)) => return Break(End::Unwanted(Some(waiting))),
            Some(Notice::Taken(held)) => session.settle(&held, Command::Ack, None),
            Some(Notice::Unsubscribe(id, held)) => {
                self.subscriptions.remove(&id);
                if session.subscribed.remove(&id).is_some() {
                    unsubscribe(session, &id, &held);
                }
            }
            Some(Notice::Abort(id)) => {
                if session.begun.remove(&id) {
                    let frame = Frame::new(Command::Abort).with("transaction", &id);
                    let _ = session.unconfirmed(&frame);
                }
            }
        }
        Continue(())
    }

    /// Takes this request, and others that are there already. What was noticed before comes before.
    fn asked(&mut self, session: &mut Session, request: Request) -> Step {
        while let Ok(notice) = self.notices.try_recv() {
            self.noticed(session, Some(notice))?;
        }
        self.ask(session, request);
        for _ in 1..BATCH_MAX {
            if !session.has_room() {
                break;
            }
            let Ok(request) = self.requests.try_recv() else { break };
            self.ask(session, request);
        }
        Continue(())
    }

    fn ask(&mut self, session: &mut Session, request: Request) {
        let Request { what, bound_to, tell } = request;
        if tell.is_closed() {
            return;
        }
        if let Some(bound) = bound_to.filter(|bound| bound.number != session.number) {
            let _ = tell.send(Err(error::outlived(bound.otherwise)));
            return;
        }
        let number = session.number;
        match what {
            What::Begin(frame, id) => {
                if session.confirmed(&frame, tell) {
                    session.begun.insert(id);
                }
            }
            What::End(frame, id) => {
                session.begun.remove(&id);
                session.confirmed(&frame, tell);
            }
            What::Confirmed(frame) => drop(session.confirmed(&frame, tell)),
            What::Unconfirmed(frame) => {
                let _ = tell.send(session.unconfirmed(&frame).map(|()| number));
            }
            What::Settling(frame, held) => {
                let _ = tell.send(settle(session, &frame, &held).map(|()| number));
            }
            What::Subscribe(id, registered) => match registered.wish.frame(&id, session.version) {
                Err(error) => drop(tell.send(Err(error))),
                Ok(frame) => {
                    if session.confirmed(&frame, tell) {
                        session.subscribed.insert(Arc::clone(&id), Progress::default());
                        self.subscriptions.insert(id, registered);
                    }
                }
            },
        }
    }

    fn end_subscription(&mut self, id: &str, error: Error) {
        if let Some(registered) = self.subscriptions.remove(id) {
            // It ends once.
            let _ = registered.end.set(self.shared.guard.placed(error));
        }
    }

    /// Lets the server deal with what it was sent, and waits for it to say so.
    async fn say_goodbye(&mut self, session: &mut Session) {
        self.shared.closed();
        let (tell, told) = oneshot::channel();
        session.confirmed(&Frame::new(Command::Disconnect), tell);
        // What is noticed from now on is too late to be said; others who close wait until it is over.
        let goodbye = async {
            tokio::select! {
                () = self.hear_out(session) => {}
                _ = told => {}
            }
        };
        // Gone is gone.
        let _ = timeout(GOODBYE_MAX, goodbye).await;
        session.receipts.fail(&error::closed());
    }

    async fn hear_out(&mut self, session: &mut Session) {
        loop {
            let event = session.event().await;
            if self.happened(session, event).is_break() {
                return;
            }
        }
    }
}

fn settle(session: &mut Session, frame: &Frame, held: &Held) -> Result<()> {
    if !held.settle() {
        let message =
            "the message was acknowledged or given back before, or its subscription has ended";
        return Err(Error::new(ErrorKind::InvalidRequest, message));
    }
    session.unconfirmed(frame).inspect_err(|_| held.unsettle())
}

/// Ends a subscription and gives back what is not done. The server must not deliver that again to this
/// very subscription, and would not know it by then: so a transaction gives it back afterwards.
fn unsubscribe(session: &mut Session, id: &str, held: &[Arc<Held>]) {
    let transaction = format!("unsubscribe-{id}");
    let frame = |command| Frame::new(command).with("transaction", &transaction);
    let gives_back = held.iter().any(|held| held.number == session.number && held.can_nack());
    let mut write = |frame: &Frame| {
        // What was said before can be said again.
        let _ = session.unconfirmed(frame);
    };
    if !gives_back {
        write(&Frame::new(Command::Unsubscribe).with("id", id));
        return;
    }
    write(&frame(Command::Begin));
    for held in held {
        session.settle(held, Command::Nack, Some(&transaction));
    }
    let mut write = |frame: &Frame| drop(session.unconfirmed(frame));
    write(&Frame::new(Command::Unsubscribe).with("id", id));
    write(&frame(Command::Commit));
}
