//! Commands for one key.

use crate::connection::Read;
use crate::decoder::{Answer, Found};
use crate::expiry::expiry;
use crate::item::{Cas, CasOutcome, Item};
use crate::memcached::Memcached;
use crate::request::{Lookup, Request};
use std::time::Duration;
use workyard_adapter_kit::{Call, Error, ErrorKind, Repeat};

/// Reading is made again when an answer is lost; everything else only if it certainly was not carried out.
/// A `ttl` of zero keeps for ever, see [`Memcached::set`].
impl Memcached {
    /// What is kept under a key; none when there is nothing.
    ///
    /// # Errors
    /// As every call: [`ErrorKind`].
    pub async fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Item>, Error> {
        let found = self.read("GET", "get", key.as_ref()).await?;
        Ok(found.map(|found| Item { data: found.data, flags: found.flags }))
    }

    /// The same, and which version that is, for [`Memcached::cas`].
    ///
    /// # Errors
    /// As every call: [`ErrorKind`].
    pub async fn gets(&self, key: impl AsRef<[u8]>) -> Result<Option<(Item, Cas)>, Error> {
        let key = key.as_ref();
        let Some(Found { data, flags, cas, .. }) = self.read("GETS", "gets", key).await? else {
            return Ok(None);
        };
        let cas = cas.ok_or_else(|| {
            let error = Error::new(ErrorKind::Protocol, "the value came without its version");
            self.refused("GETS", error)
        })?;
        Ok(Some((Item { data, flags }, Cas(cas))))
    }

    /// Keeps something under a key, whatever was there.
    ///
    /// It is kept for `ttl`: zero is for ever; parts of a second count as a whole one; more than 30 days
    /// are said as a date, by the clock of this machine, up to 2038-01-19. A server that needs room
    /// forgets earlier.
    ///
    /// # Errors
    /// As every call; [`ErrorKind::TooLarge`] when this adapter or the server does not take so many bytes,
    /// [`ErrorKind::InvalidRequest`] when the key or the ttl cannot be.
    pub async fn set(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<Item>,
        ttl: Duration,
    ) -> Result<(), Error> {
        let store = Store { operation: "SET", verb: "set", key: key.as_ref(), ttl, cas: None };
        self.store(store, item.into(), |answer| match answer {
            Answer::Stored => Ok(()),
            other => Err(other),
        })
        .await
    }

    /// Keeps something under a key if nothing is there; whether it was kept.
    ///
    /// # Errors
    /// As for [`Memcached::set`].
    pub async fn add(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<Item>,
        ttl: Duration,
    ) -> Result<bool, Error> {
        let store = Store { operation: "ADD", verb: "add", key: key.as_ref(), ttl, cas: None };
        self.store_if(store, item.into()).await
    }

    /// Keeps something under a key if something is there; whether it was kept.
    ///
    /// # Errors
    /// As for [`Memcached::set`].
    pub async fn replace(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<Item>,
        ttl: Duration,
    ) -> Result<bool, Error> {
        let key = key.as_ref();
        let store = Store { operation: "REPLACE", verb: "replace", key, ttl, cas: None };
        self.store_if(store, item.into()).await
    }

    /// Puts bytes behind those that are there; whether there were any. Flags and ttl stay.
    ///
    /// # Errors
    /// As for [`Memcached::set`].
    pub async fn append(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<Item>,
    ) -> Result<bool, Error> {
        let (key, ttl) = (key.as_ref(), Duration::ZERO);
        let store = Store { operation: "APPEND", verb: "append", key, ttl, cas: None };
        self.store_if(store, item.into()).await
    }

    /// Puts bytes before those that are there; whether there were any. Flags and ttl stay.
    ///
    /// # Errors
    /// As for [`Memcached::set`].
    pub async fn prepend(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<Item>,
    ) -> Result<bool, Error> {
        let (key, ttl) = (key.as_ref(), Duration::ZERO);
        let store = Store { operation: "PREPEND", verb: "prepend", key, ttl, cas: None };
        self.store_if(store, item.into()).await
    }

    /// Keeps something under a key if nobody has changed it since [`Memcached::gets`] read it.
    ///
    /// # Errors
    /// As for [`Memcached::set`]. When the outcome is unknown, `gets` tells.
    pub async fn cas(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<Item>,
        ttl: Duration,
        cas: Cas,
    ) -> Result<CasOutcome, Error> {
        let key = key.as_ref();
        let store = Store { operation: "CAS", verb: "cas", key, ttl, cas: Some(cas) };
        self.store(store, item.into(), |answer| match answer {
            Answer::Stored => Ok(CasOutcome::Stored),
            Answer::Exists => Ok(CasOutcome::Exists),
            Answer::NotFound => Ok(CasOutcome::NotFound),
            other => Err(other),
        })
        .await
    }

    /// Adds to a number and returns the new one; none when there is none. Beyond 2^64-1 it goes on at 0.
    ///
    /// # Errors
    /// As every call; [`ErrorKind::Server`] when what is there is no number.
    pub async fn incr(&self, key: impl AsRef<[u8]>, by: u64) -> Result<Option<u64>, Error> {
        self.count("INCR", "incr", key.as_ref(), by).await
    }

    /// Takes from a number and returns the new one; none when there is none. Below 0 it stays at 0.
    ///
    /// # Errors
    /// As every call; [`ErrorKind::Server`] when what is there is no number.
    pub async fn decr(&self, key: impl AsRef<[u8]>, by: u64) -> Result<Option<u64>, Error> {
        self.count("DECR", "decr", key.as_ref(), by).await
    }

    /// Forgets a key; whether there was something.
    ///
    /// # Errors
    /// As every call: [`ErrorKind`].
    pub async fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool, Error> {
        let key = self.key("DELETE", key.as_ref())?;
        let request = Request::keyed("delete", key);
        let read: Read<bool> = |answer| match answer {
            Answer::Deleted => Ok(true),
            Answer::NotFound => Ok(false),
            other => Err(other),
        };
        self.single(Call::new("DELETE"), key, &request, read).await
    }

    /// Keeps what is there for this long from now on; whether there was something.
    ///
    /// # Errors
    /// As every call; [`ErrorKind::InvalidRequest`] when the ttl cannot be.
    pub async fn touch(&self, key: impl AsRef<[u8]>, ttl: Duration) -> Result<bool, Error> {
        let key = self.key("TOUCH", key.as_ref())?;
        let expiry = expiry(ttl).map_err(|error| self.refused("TOUCH", error))?;
        let request = Request::with_number("touch", key, expiry);
        let read: Read<bool> = |answer| match answer {
            Answer::Touched => Ok(true),
            Answer::NotFound => Ok(false),
            other => Err(other),
        };
        self.single(Call::new("TOUCH"), key, &request, read).await
    }

    async fn count(
        &self,
        operation: &'static str,
        verb: &str,
        key: &[u8],
        by: u64,
    ) -> Result<Option<u64>, Error> {
        let key = self.key(operation, key)?;
        let request = Request::with_number(verb, key, by);
        let read: Read<Option<u64>> = |answer| match answer {
            Answer::Number(number) => Ok(Some(number)),
            Answer::NotFound => Ok(None),
            other => Err(other),
        };
        self.single(Call::new(operation), key, &request, read).await
    }

    async fn store_if(&self, store: Store<'_>, item: Item) -> Result<bool, Error> {
        self.store(store, item, |answer| match answer {
            Answer::Stored => Ok(true),
            Answer::NotStored => Ok(false),
            other => Err(other),
        })
        .await
    }

    async fn store<T>(&self, store: Store<'_>, item: Item, read: Read<T>) -> Result<T, Error> {
        let Store { operation, verb, key, ttl, cas } = store;
        let key = self.key(operation, key)?;
        let item = self.item(operation, item)?;
        let request = Request::storing(verb, key, item, ttl, cas);
        let request = request.map_err(|error| self.refused(operation, error))?;
        self.single(Call::new(operation), key, &request, read).await
    }

    async fn read(
        &self,
        operation: &'static str,
        verb: &str,
        key: &[u8],
    ) -> Result<Option<Found>, Error> {
        let key = self.key(operation, key)?;
        let call = Call::new(operation).repeat(Repeat::Freely);
        let found = self.lookup(call, &Lookup::new(verb, &[key])).await?;
        Ok(found.into_iter().next())
    }
}

/// What is stored, and how.
struct Store<'a> {
    operation: &'static str,
    verb: &'static str,
    key: &'a [u8],
    ttl: Duration,
    cas: Option<Cas>,
}
