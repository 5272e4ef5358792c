//! What all handles of one adapter share: the driver's pool, the guard, the bounds.

use crate::error;
use crate::idle::Idle;
use crate::lease::{Lease, abandon};
use crate::options::{Options, Parsed};
use crate::read::Bounds;
use crate::statement::{IntoStatement, check_size};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Params, Pool};
use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;
use tokio::task::{unconstrained, yield_now};
use workyard_adapter_kit::{Guard, Result};

const SERVICE: &str = "mysql";

pub(crate) struct Shared {
    pub(crate) pool: Pool,
    pub(crate) guard: Guard,
    pub(crate) options: Options,
    pub(crate) bounds: Bounds,
    pub(crate) idle: Idle,
}

impl Shared {
    pub(crate) fn new(parsed: Parsed) -> Result<Self> {
        let Parsed { target, driver, options } = parsed;
        let (calls, observer) = (options.calls.clone(), options.observer.clone());
        let guard = Guard::new(SERVICE, target, calls, observer)?;
        let connected = guard.clone();
        let driver = OptsBuilder::from_opts(driver).after_connect(move |_| {
            connected.connected();
            Box::pin(async { Ok(()) })
        });
        Ok(Self {
            pool: Pool::new(driver),
            idle: Idle::new(options.calls.calls_max),
            bounds: Bounds::of(&options),
            guard,
            options,
        })
    }

    /// What is to be sent, if it can be.
    pub(crate) fn bound<'a>(
        &self,
        statement: impl IntoStatement<'a>,
        params: Params,
    ) -> Result<(Cow<'a, str>, Params)> {
        let bound = statement.into_statement().and_then(|statement| statement.bind(params));
        let bound = bound.and_then(|(sql, params)| {
            check_size(&sql, &params, self.options.packet_bytes_max)?;
            Ok((sql, params))
        });
        bound.map_err(|error| self.guard.placed(error))
    }

    /// A connection that can be trusted: new, lately used, or asked. Nothing was sent when there is none.
    pub(crate) async fn lease(self: &Arc<Self>) -> Result<Lease> {
        // What the driver does while it looks at an idle connection must not be interrupted: the pool would
        // count the connection for ever.
        let mut taken = pin!(unconstrained(self.trusted()));
        let mut conn = polled(taken.as_mut()).await;
        if conn.is_none() {
            // One that was given back is in the pool as soon as the driver had its turn.
            yield_now().await;
            conn = polled(taken.as_mut()).await;
        }
        let conn = match conn {
            Some(conn) => conn,
            None => taken.await,
        };
        let conn = conn.inspect_err(|error| self.guard.lost(error))?;
        Ok(Lease::new(conn, Arc::clone(self)))
    }

    async fn trusted(&self) -> Result<Conn> {
        loop {
            let mut conn = self.pool.get_conn().await.map_err(error::connecting)?;
            match self.idle.taken(conn.id(), Instant::now()) {
                Some(_) if self.options.reset => {
                    if conn.reset().await.is_ok() {
                        return Ok(conn);
                    }
                }
                Some(idle) if idle >= self.options.check_after => {
                    if conn.ping().await.is_ok() {
                        return Ok(conn);
                    }
                }
                _ => return Ok(conn),
            }
            abandon(conn);
        }
    }
}

/// What is there already: a timer costs more than to look.
async fn polled<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mysql").field("guard", &self.guard).finish_non_exhaustive()
    }
}
