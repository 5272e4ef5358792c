//! Reading: one variable, several at one instant, or only whether there is one.

use crate::client::{GlobalDataClient, unexpected};
use crate::entry::Entry;
use crate::error::Error;
use futures_util::future::try_join_all;
use serde::de::DeserializeOwned;
use workyard_link::Received;
use workyard_link::limits::{LENGTH_BYTES, check_header};
use workyard_protocol::Key;
use workyard_protocol::globaldata::{self, Get, GetMany, Reply, Request};

impl GlobalDataClient {
    /// The value of a variable; nothing when it does not exist.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Decode` when it is not of that type.
    pub async fn get<T: DeserializeOwned>(
        &self,
        key: impl AsRef<[u8]>,
    ) -> Result<Option<T>, Error> {
        self.entry(key).await?.map(|entry| entry.decode()).transpose()
    }

    /// The value of a variable as it is stored, and its revision.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn entry(&self, key: impl AsRef<[u8]>) -> Result<Option<Entry>, Error> {
        let key = Key::new(key.as_ref())?;
        let received = self.ask(key, Request::Get(Get { key })).await?;
        match received.decode()? {
            Reply::Got(entry) => Ok(entry.map(|entry| kept(&received, entry))),
            other => Err(unexpected(&other)),
        }
    }

    /// The values of several variables, in the order asked for. Those on one server are read at one
    /// instant.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Decode` when one is not of that type.
    pub async fn get_many<T, K>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<Option<T>>, Error>
    where
        T: DeserializeOwned,
        K: AsRef<[u8]>,
    {
        let entries = self.entries(keys).await?;
        let decode = |entry: Option<Entry>| entry.map(|entry| entry.decode()).transpose();
        entries.into_iter().map(decode).collect()
    }

    /// [`GlobalDataClient::get_many`] of values as they are stored, with their revisions.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for more than 16 384 keys or
    /// 1 MiB of them on one server.
    pub async fn entries<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<Option<Entry>>, Error> {
        let keys: Vec<K> = keys.into_iter().collect();
        let mut by_shard = vec![Vec::new(); self.links().len()];
        for (place, key) in keys.iter().enumerate() {
            let key = Key::new(key.as_ref())?;
            by_shard[self.shard_of(key.as_bytes())].push((place, key));
        }
        let asking = by_shard.iter().enumerate().filter(|(_, asked)| !asked.is_empty());
        let read = try_join_all(asking.map(|(shard, asked)| self.read_shard(shard, asked))).await?;
        let mut entries = vec![None; keys.len()];
        for (place, entry) in read.into_iter().flatten() {
            entries[place] = entry;
        }
        Ok(entries)
    }

    /// Whether a variable exists.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn exists(&self, key: impl AsRef<[u8]>) -> Result<bool, Error> {
        Ok(self.revision(key).await?.is_some())
    }

    /// The revision of a variable; nothing when it does not exist. Its value does not travel.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn revision(&self, key: impl AsRef<[u8]>) -> Result<Option<u64>, Error> {
        Ok(self.existence(key.as_ref()).await?.map(|existence| existence.revision))
    }

    async fn read_shard(
        &self,
        shard: usize,
        asked: &[(usize, Key<'_>)],
    ) -> Result<Vec<(usize, Option<Entry>)>, Error> {
        let bytes = asked.iter().map(|(_, key)| LENGTH_BYTES + key.as_bytes().len()).sum();
        check_header("keys of one server", asked.len(), bytes).map_err(Error::InvalidArgument)?;
        let keys = asked.iter().map(|(_, key)| *key).collect();
        let received = self.link(shard).request(&Request::GetMany(GetMany { keys })).await?;
        match received.decode()? {
            Reply::GotMany(entries) if entries.len() == asked.len() => {
                let places = asked.iter().map(|(place, _)| *place);
                let entries =
                    entries.into_iter().map(|entry| entry.map(|entry| kept(&received, entry)));
                Ok(places.zip(entries).collect())
            }
            other => Err(unexpected(&other)),
        }
    }
}

fn kept(received: &Received, entry: globaldata::Entry<'_>) -> Entry {
    Entry::new(entry.revision, entry.ttl_ms, received.keep_value(entry.value))
}
