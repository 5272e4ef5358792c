//! The task that keeps a subscription: connects, subscribes to everything again, and notices silence.

use super::waiting::Waiting;
use crate::connection::Connection;
use crate::connector::Connector;
use crate::error::from_driver;
use crate::limits::HEARTBEAT_EVERY;
use redis::{Msg, PushInfo, PushKind};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use workyard_adapter_kit::{Error, ErrorKind, Guard, State, Status};

/// What is to become of a subscription.
#[derive(Debug)]
pub(super) enum Order {
    Subscribe(Vec<String>),
    PatternSubscribe(Vec<String>),
    Unsubscribe(Vec<String>),
    PatternUnsubscribe(Vec<String>),
}

type Orders = mpsc::Receiver<(Order, oneshot::Sender<Result<(), Error>>)>;

/// Keeps one subscription.
pub(super) struct Keeper {
    connector: Arc<Connector>,
    guard: Guard,
    waiting: Arc<Waiting>,
    status: Arc<Status>,
    channels: BTreeSet<String>,
    patterns: BTreeSet<String>,
}

impl Keeper {
    pub(super) fn new(
        connector: Arc<Connector>,
        guard: Guard,
        waiting: Arc<Waiting>,
        status: Arc<Status>,
    ) -> Self {
        let (channels, patterns) = Default::default();
        Self { connector, guard, waiting, status, channels, patterns }
    }

    /// Works until the adapter is closed, or the subscription dropped.
    pub(super) async fn run(mut self, mut orders: Orders, mut closing: watch::Receiver<bool>) {
        let closed = closing.wait_for(|closing| *closing);
        tokio::select! {
            biased;
            _ = closed => {}
            () = self.keep(&mut orders) => {}
        }
        self.status.set(State::Closed);
        self.waiting.close();
    }

    async fn keep(&mut self, orders: &mut Orders) {
        let mut waits = self.guard.options().retry.backoff.waits();
        let mut lost = None;
        loop {
            let error = match self.connect().await {
                Ok(connection) => {
                    if let Some(lost) = lost.take() {
                        self.waiting.gap(Instant::now() - lost);
                    }
                    waits.reset();
                    self.guard.connected();
                    self.status.set(State::Ready);
                    match self.attend(&connection, orders).await {
                        Some(error) => error,
                        None => return,
                    }
                }
                Err(error) => error,
            };
            // What is lost before anything was subscribed to is no gap.
            if !self.channels.is_empty() || !self.patterns.is_empty() {
                lost.get_or_insert_with(Instant::now);
            }
            let error = self.guard.placed(error);
            self.guard.lost(&error);
            self.status.set(State::Down(error.clone()));
            self.refuse_until(waits.next_wait(), orders, &error).await;
        }
    }

    /// Connects, and subscribes to all that there is.
    async fn connect(&self) -> Result<Connection, Error> {
        let waiting = Arc::clone(&self.waiting);
        let pushes = move |push: PushInfo| -> Result<(), redis::aio::SendError> {
            if matches!(push.kind, PushKind::Message | PushKind::PMessage)
                && let Some(message) = Msg::from_push_info(push)
            {
                waiting.message(message);
            }
            Ok(())
        };
        let connection = self.connector.subscriber(Arc::new(pushes)).await?;
        for (pattern, names) in [(false, &self.channels), (true, &self.patterns)] {
            if !names.is_empty() {
                let names: Vec<&String> = names.iter().collect();
                self.in_time(subscribe(&connection, pattern, names)).await?;
            }
        }
        Ok(connection)
    }

    /// Does what is ordered, and looks after the connection until it is lost. Nothing when nobody orders
    /// any more.
    async fn attend(&mut self, connection: &Connection, orders: &mut Orders) -> Option<Error> {
        let mut heartbeat = interval(HEARTBEAT_EVERY);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        loop {
            tokio::select! {
                () = connection.ended() => {
                    return Some(Error::new(ErrorKind::Disconnected, "the connection was lost"));
                }
                _ = heartbeat.tick() => {
                    let ping = redis::cmd("PING");
                    if let Err(error) = self.in_time(connection.send(&ping)).await {
                        return Some(error);
                    }
                }
                order = orders.recv() => {
                    let (order, answer) = order?;
                    // Whoever has gone was told that nothing is subscribed to.
                    if order.parts().1 && answer.is_closed() {
                        continue;
                    }
                    let result = self.carry_out(connection, order).await;
                    let broken = result.clone().err().filter(Error::outcome_unknown);
                    // Whoever has ordered may have gone.
                    let _ = answer.send(result);
                    if broken.is_some() {
                        return broken;
                    }
                }
            }
        }
    }

    /// While there is no connection, orders wait; those that the server would refuse do not.
    async fn refuse_until(
        &mut self,
        wait: std::time::Duration,
        orders: &mut Orders,
        error: &Error,
    ) {
        let over = sleep(wait);
        if error.kind() != ErrorKind::Refused {
            return over.await;
        }
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return,
                Some((_, answer)) = orders.recv() => {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    async fn carry_out(&mut self, connection: &Connection, order: Order) -> Result<(), Error> {
        let (pattern, adds) = order.parts();
        let names = order.names();
        // What is not wanted is not subscribed to again, whatever the server says now.
        if !adds {
            let wanted = if pattern { &mut self.patterns } else { &mut self.channels };
            wanted.retain(|name| !names.contains(name));
        }
        if names.is_empty() {
            return Ok(());
        }
        let done = async {
            match adds {
                true => subscribe(connection, pattern, names.iter().collect()).await,
                false => unsubscribe(connection, pattern, &names).await,
            }
        };
        self.in_time(done).await?;
        if adds {
            let wanted = if pattern { &mut self.patterns } else { &mut self.channels };
            wanted.extend(names);
        }
        Ok(())
    }

    async fn in_time<T>(&self, done: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let patience = self.guard.options().request_timeout;
        timeout(patience, done).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::TimedOut, format!("no answer within {patience:?}")))
        })
    }
}

impl Order {
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Subscribe(_) => "SUBSCRIBE",
            Self::PatternSubscribe(_) => "PSUBSCRIBE",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
            Self::PatternUnsubscribe(_) => "PUNSUBSCRIBE",
        }
    }

    /// Whether it is about patterns, and whether it adds some.
    fn parts(&self) -> (bool, bool) {
        match self {
            Self::Subscribe(_) => (false, true),
            Self::PatternSubscribe(_) => (true, true),
            Self::Unsubscribe(_) => (false, false),
            Self::PatternUnsubscribe(_) => (true, false),
        }
    }

    fn names(self) -> Vec<String> {
        match self {
            Self::Subscribe(names)
            | Self::PatternSubscribe(names)
            | Self::Unsubscribe(names)
            | Self::PatternUnsubscribe(names) => names,
        }
    }
}

async fn subscribe(
    connection: &Connection,
    pattern: bool,
    names: Vec<&String>,
) -> Result<(), Error> {
    let mut driver = connection.driver();
    let done = match pattern {
        true => driver.psubscribe(names).await,
        false => driver.subscribe(names).await,
    };
    done.map_err(from_driver)
}

async fn unsubscribe(
    connection: &Connection,
    pattern: bool,
    names: &[String],
) -> Result<(), Error> {
    let mut driver = connection.driver();
    let done = match pattern {
        true => driver.punsubscribe(names).await,
        false => driver.unsubscribe(names).await,
    };
    done.map_err(from_driver)
}
