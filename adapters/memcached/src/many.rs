//! Many keys at once, each server asked for its own.

use crate::decoder::Found;
use crate::item::Item;
use crate::key::Key;
use crate::limits::KEYS_MAX;
use crate::memcached::Memcached;
use crate::request::Lookup;
use futures_util::future::join_all;
use std::collections::{BTreeMap, HashMap};
use workyard_adapter_kit::{Call, Error, ErrorKind, Repeat};

const GET_MANY: &str = "GET_MANY";

/// Keys by the server that has them.
type Groups<'a> = BTreeMap<usize, Vec<Key<'a>>>;

impl Memcached {
    /// What is kept under many keys, in their order; none where there is nothing. All servers are asked at
    /// the same time.
    ///
    /// # Errors
    /// As every call, when one of the servers fails; [`ErrorKind::TooLarge`] when the values of a server
    /// have more than `answer_bytes_max` bytes, [`ErrorKind::InvalidRequest`] for more than 10 000 keys.
    pub async fn get_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Vec<Option<Item>>, Error> {
        if keys.len() > KEYS_MAX {
            let message = format!("{} keys at once; there may be {KEYS_MAX}", keys.len());
            return Err(self.refused(GET_MANY, Error::new(ErrorKind::InvalidRequest, message)));
        }
        let keys = keys.iter().map(|key| self.key(GET_MANY, key.as_ref()));
        let keys = keys.collect::<Result<Vec<_>, Error>>()?;
        let values = self.values(&keys).await?;
        let items: HashMap<_, _> = values
            .into_iter()
            .map(|Found { key, data, flags, .. }| (key, Item { data, flags }))
            .collect();
        Ok(keys.iter().map(|key| items.get(key.bytes()).cloned()).collect())
    }

    async fn values(&self, keys: &[Key<'_>]) -> Result<Vec<Found>, Error> {
        let (mut values, mut down) = (Vec::new(), Vec::new());
        let mut groups = self.groups(keys, &down).unwrap_or_default();
        while !groups.is_empty() {
            let asked = groups.iter().map(async |(server, keys)| self.group(*server, keys).await);
            let results = join_all(asked).await;
            let (mut moved, mut last) = (Vec::new(), None);
            for ((server, keys), result) in groups.into_iter().zip(results) {
                match result {
                    Ok(found) => values.extend(found),
                    Err(error) if self.is_moved_by(&error) => {
                        down.push(server);
                        moved.extend(keys);
                        last = Some(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            groups = match (self.groups(&moved, &down), last) {
                (Some(groups), _) => groups,
                (None, Some(error)) => return Err(error),
                (None, None) => Groups::new(),
            };
        }
        Ok(values)
    }

    async fn group(&self, server: usize, keys: &[Key<'_>]) -> Result<Vec<Found>, Error> {
        let call = Call::new(GET_MANY).repeat(Repeat::Freely);
        let lookups = Lookup::lines("get", keys);
        self.servers()[server].values(call, &lookups, self.options().answer_bytes_max).await
    }

    /// The keys by server; none when there is no server left.
    fn groups<'a>(&self, keys: &[Key<'a>], down: &[usize]) -> Option<Groups<'a>> {
        let mut groups = Groups::new();
        for key in keys {
            let server = self.ring().server(key.bytes(), down)?;
            groups.entry(server).or_default().push(*key);
        }
        Some(groups)
    }
}
