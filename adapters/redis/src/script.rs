//! Scripts that the server keeps: sent by their hash, and in full where they are not known.

use crate::command::Request;
use crate::error::from_driver;
use crate::handle::{Inner, Redis};
use redis::{Cmd, FromRedisValue, ToRedisArgs, Value};
use workyard_adapter_kit::{Call, Error};

/// A Lua script.
///
/// ```no_run
/// # async fn example(redis: workyard_redis::Redis) -> workyard_redis::Result<()> {
/// use workyard_redis::Script;
/// let add_once = Script::new("return redis.call('SADD', KEYS[1], ARGV[1])");
/// let added: u32 = redis.run(&add_once, &["seen"], &["ann"]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Script {
    code: String,
    hash: String,
    reads: bool,
}

impl Script {
    /// A script that may write: it is sent again only if it certainly was not run.
    #[must_use]
    pub fn new(code: &str) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code: code.to_owned(), hash, reads: false }
    }

    /// A script that only reads, which the server sees to: it may be sent again whenever it failed. Needs
    /// Redis 7.
    #[must_use]
    pub fn reading(code: &str) -> Self {
        Self { reads: true, ..Self::new(code) }
    }

    /// The SHA-1 that the server knows it by.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    fn command(&self, name: &str, body: &str, keys: &[&str], arguments: impl ToRedisArgs) -> Cmd {
        let mut command = Cmd::new();
        let suffix = if self.reads { "_RO" } else { "" };
        command.arg(format!("{name}{suffix}")).arg(body).arg(keys.len()).arg(keys).arg(arguments);
        command
    }
}

impl Redis {
    /// Runs a script. The first time that the server hears of it, it is sent in full.
    ///
    /// # Errors
    /// What went wrong; also when the answer is no `T`.
    pub async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: impl ToRedisArgs,
    ) -> Result<T, Error> {
        let short = script.command("EVALSHA", &script.hash, keys, &arguments);
        match self.query(&short).await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                self.query(&script.command("EVAL", &script.code, keys, &arguments)).await
            }
            result => result,
        }
    }

    /// The same, however large: for what the server has given us, and is to have back.
    pub(crate) async fn run_unbounded<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: impl ToRedisArgs,
    ) -> Result<T, Error> {
        let short = script.command("EVALSHA", &script.hash, keys, &arguments);
        let answer = match self.send_unbounded(&short).await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                self.send_unbounded(&script.command("EVAL", &script.code, keys, &arguments)).await
            }
            answer => answer,
        };
        redis::from_redis_value(answer?)
            .map_err(|error| self.0.guard.placed(from_driver(error.into()).not_carried_out()))
    }

    async fn send_unbounded(&self, command: &Cmd) -> Result<Value, Error> {
        let Inner { guard, backend, .. } = &*self.0;
        let request = Request::of(command).map_err(|error| guard.placed(error))?;
        let call = Call::new(request.name).repeat(request.repeat);
        guard.call(call, || backend.send(command, &request)).await
    }
}
