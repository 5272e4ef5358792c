//! A variable that is a list.

use crate::client::{GlobalDataClient, unexpected_found};
use crate::containers::{check_items, decoded, looked, values};
use crate::error::Error;
use crate::expiry::Expiry;
use crate::modify::{modified, unexpected_outcome};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use workyard_protocol::container::Items;
use workyard_protocol::globaldata::{End, Found, Modification, Outcome, PushItems, Question};
use workyard_protocol::limits::LIST_ITEMS_MAX;
use workyard_protocol::{Encoding, Value, ValueRef};

/// A list, by the key of its variable; made by [`GlobalDataClient::list`].
///
/// A variable that does not exist is an empty list, and a list that becomes empty does not exist any
/// more. Each change is one step on the server, which takes time in proportion to the whole list: it is
/// for hundreds of items, or some thousands. What holds another kind of value is refused with
/// `WrongKind`, a list that would become longer than the server allows with `LimitReached`. All of it at
/// once is also what [`GlobalDataClient::get`] reads, as a `Vec` or what else is made of a sequence.
///
/// What is popped is off the list, also when the answer is lost or whoever popped it dies. Work that must
/// not be lost belongs into a queue of channel-server.
#[derive(Clone, Debug)]
pub struct List {
    client: GlobalDataClient,
    key: Bytes,
    keep: Option<u32>,
}

impl GlobalDataClient {
    /// The list in a variable.
    ///
    /// ```no_run
    /// # use workyard_globaldata::GlobalDataClient;
    /// # async fn example(client: GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let recent = client.list("recent").keep(10);
    /// recent.push_front("alice").await?;
    /// let names: Vec<String> = recent.range(0, 10).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self, key: impl AsRef<[u8]>) -> List {
        List { client: self.clone(), key: Bytes::copy_from_slice(key.as_ref()), keep: None }
    }
}

impl List {
    /// The same list, of which every push through this handle keeps so many items at most: those at the
    /// other end go.
    #[must_use]
    pub fn keep(&self, items: u32) -> Self {
        Self { keep: Some(items), ..self.clone() }
    }

    /// Puts an item behind the last. Returns how many there are now.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn push_back<T: Serialize + ?Sized>(&self, item: &T) -> Result<u64, Error> {
        self.push(End::Back, &[self.client.encode(item)?]).await
    }

    /// Puts an item before the first. Returns how many there are now.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn push_front<T: Serialize + ?Sized>(&self, item: &T) -> Result<u64, Error> {
        self.push(End::Front, &[self.client.encode(item)?]).await
    }

    /// Puts exactly these values behind the last, all in one step. Returns how many there are now.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for more than 16 384.
    pub async fn push_back_values(&self, items: &[Value]) -> Result<u64, Error> {
        self.push(End::Back, items).await
    }

    /// Puts exactly these values before the first, one before the other, all in one step. Returns how
    /// many there are now.
    ///
    /// # Errors
    /// As [`List::push_back_values`].
    pub async fn push_front_values(&self, items: &[Value]) -> Result<u64, Error> {
        self.push(End::Front, items).await
    }

    /// Takes the last item off.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Decode` when it was not of that type: it is off
    /// all the same.
    pub async fn pop_back<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        Ok(decoded(self.pop_back_values(1).await?)?.pop())
    }

    /// Takes the first item off.
    ///
    /// # Errors
    /// As [`List::pop_back`].
    pub async fn pop_front<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        Ok(decoded(self.pop_front_values(1).await?)?.pop())
    }

    /// Takes up to so many items off the end, the last one first, as they are stored.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Refused` with `InvalidArgument` for a count of 0
    /// or above 16 384.
    pub async fn pop_back_values(&self, count: u32) -> Result<Vec<Value>, Error> {
        self.pop(End::Back, count).await
    }

    /// Takes up to so many items off the front, the first one first, as they are stored.
    ///
    /// # Errors
    /// As [`List::pop_back_values`].
    pub async fn pop_front_values(&self, count: u32) -> Result<Vec<Value>, Error> {
        self.pop(End::Front, count).await
    }

    /// How many items there are.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn len(&self) -> Result<u64, Error> {
        self.client.count_items(&self.key).await
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len().await? == 0)
    }

    /// Up to so many items from one on: counted from 0, or, below 0, from the end, of which -1 is the
    /// last.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Decode` when one is not of that type;
    /// `InvalidArgument` for more than 16 384.
    pub async fn range<T: DeserializeOwned>(
        &self,
        start: i64,
        count: usize,
    ) -> Result<Vec<T>, Error> {
        decoded(self.range_values(start, count).await?)
    }

    /// [`List::range`] of items as they are stored.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for more than 16 384.
    pub async fn range_values(&self, start: i64, count: usize) -> Result<Vec<Value>, Error> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let too_many = || {
            Error::InvalidArgument(format!("{count} items are above the limit of {LIST_ITEMS_MAX}"))
        };
        let count = u32::try_from(count).map_err(|_| too_many())?;
        if count as usize > LIST_ITEMS_MAX {
            return Err(too_many());
        }
        let received = self.client.look(&self.key, Question::Range { start, count }).await?;
        match looked(&received)?.found {
            Found::Values(found) => {
                Ok(found.into_iter().flatten().map(|value| received.keep_value(value)).collect())
            }
            other => Err(unexpected_found(&other)),
        }
    }

    /// All items.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Decode` when one is not of that type, or the
    /// variable is no list.
    pub async fn items<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        let bytes = self.client.container(&self.key, Encoding::List).await?;
        decoded(values(Items::new(Encoding::List, &bytes))?)
    }

    async fn push(&self, end: End, items: &[Value]) -> Result<u64, Error> {
        check_items(items.iter().map(|_| 0))?;
        let items: Vec<ValueRef<'_>> = items.iter().map(Value::as_ref).collect();
        let push = Modification::Push(PushItems { end, items, keep: self.keep });
        self.client.length(&self.key, push).await
    }

    async fn pop(&self, end: End, count: u32) -> Result<Vec<Value>, Error> {
        let pop = Modification::Pop { end, count };
        let received = self.client.modify(&self.key, Expiry::Keep, pop).await?;
        match modified(&received)?.outcome {
            Outcome::Values(values) => {
                Ok(values.into_iter().map(|value| received.keep_value(value)).collect())
            }
            other => Err(unexpected_outcome(&other)),
        }
    }
}
