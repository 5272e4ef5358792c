//! What concerns whole servers: whether they are there, what they say of themselves, and emptying them.

use crate::connection::Read;
use crate::decoder::Answer;
use crate::memcached::Memcached;
use crate::request::Request;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::Arc;
use workyard_adapter_kit::{Call, Error, Repeat};

/// Something by server: `host:port`, in the order of the URL.
type ByServer<T> = Vec<(Arc<str>, T)>;

impl Memcached {
    /// Checks that every server answers, each within `connect_timeout`.
    ///
    /// # Errors
    /// Why one of them does not: [`ErrorKind::Unreachable`](crate::ErrorKind::Unreachable), or
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) when the credentials or the certificate are wrong.
    pub async fn ready(&self) -> Result<(), Error> {
        let limit = self.options().calls.connect_timeout;
        let call = Call::new("READY").repeat(Repeat::Never).within(limit);
        self.each(call, "version\r\n", version).await.map(drop)
    }

    /// The versions of the servers.
    ///
    /// # Errors
    /// As every call, when one of the servers fails.
    pub async fn version(&self) -> Result<ByServer<String>, Error> {
        self.each(Call::new("VERSION").repeat(Repeat::Freely), "version\r\n", version).await
    }

    /// Forgets everything that all the servers have, at once.
    ///
    /// # Errors
    /// As every call, when one of the servers fails; the others are empty then.
    pub async fn flush(&self) -> Result<(), Error> {
        let done: Read<()> = |answer| match answer {
            Answer::Done => Ok(()),
            other => Err(other),
        };
        self.each(Call::new("FLUSH"), "flush_all\r\n", done).await.map(drop)
    }

    /// What the servers say of themselves: `curr_items`, `get_hits` and so on. `section` is one of
    /// theirs: `items`, `slabs`, `settings`, `conns`, …
    ///
    /// # Errors
    /// As every call, when one of the servers fails; [`ErrorKind::Server`](crate::ErrorKind::Server) when
    /// it has no such section.
    pub async fn server_stats(
        &self,
        section: Option<&str>,
    ) -> Result<ByServer<BTreeMap<String, String>>, Error> {
        let call = Call::new("STATS").repeat(Repeat::Freely);
        let request = match section {
            None => Request::plain("stats\r\n"),
            // A section is a word, as a key is.
            Some(name) => Request::keyed("stats", self.key("STATS", name.as_bytes())?),
        };
        let asked = self.servers().iter().map(async |server| {
            let list = server.list(call, &request).await?;
            Ok((Arc::clone(server.guard.target()), list))
        });
        join_all(asked).await.into_iter().collect()
    }

    async fn each<T>(
        &self,
        call: Call,
        line: &'static str,
        read: Read<T>,
    ) -> Result<ByServer<T>, Error> {
        let request = Request::plain(line);
        let asked = self.servers().iter().map(async |server| {
            let answer = server.single(call, &request, read).await?;
            Ok((Arc::clone(server.guard.target()), answer))
        });
        join_all(asked).await.into_iter().collect()
    }
}

fn version(answer: Answer) -> Result<String, Answer> {
    match answer {
        Answer::Version(version) => Ok(version),
        other => Err(other),
    }
}
