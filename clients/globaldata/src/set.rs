//! A variable that is a set.

use crate::client::{GlobalDataClient, unexpected_found};
use crate::containers::{check_items, decoded, looked, values};
use crate::error::Error;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use workyard_protocol::container::Items;
use workyard_protocol::globaldata::{Found, Modification, Question};
use workyard_protocol::{Encoding, Value, ValueRef};

/// A set of values, by the key of its variable; made by [`GlobalDataClient::set_of`].
///
/// Two items are the same if kind and bytes are: the number 5 is not the text "5". Otherwise as a
/// [`List`](crate::List): what does not exist is empty and the other way round, and each change takes
/// the server time in proportion to the whole set.
#[derive(Clone, Debug)]
pub struct Set {
    client: GlobalDataClient,
    key: Bytes,
}

impl GlobalDataClient {
    /// The set in a variable.
    ///
    /// ```no_run
    /// # use workyard_globaldata::GlobalDataClient;
    /// # async fn example(client: GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let online = client.set_of("online");
    /// if online.add("tom").await? {
    ///     println!("tom was away");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_of(&self, key: impl AsRef<[u8]>) -> Set {
        Set { client: self.clone(), key: Bytes::copy_from_slice(key.as_ref()) }
    }
}

impl Set {
    /// Adds an item. Returns whether it is new.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn add<T: Serialize + ?Sized>(&self, item: &T) -> Result<bool, Error> {
        Ok(self.add_values(&[self.client.encode(item)?]).await? > 0)
    }

    /// Adds exactly these values, all in one step. Returns how many are new.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidArgument` for more than 16 384.
    pub async fn add_values(&self, items: &[Value]) -> Result<u64, Error> {
        self.client.changed(&self.key, Modification::SetAdd(borrowed(items)?)).await
    }

    /// Removes an item. Returns whether it was there.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn remove<T: Serialize + ?Sized>(&self, item: &T) -> Result<bool, Error> {
        Ok(self.remove_values(&[self.client.encode(item)?]).await? > 0)
    }

    /// Removes exactly these values, all in one step. Returns how many were there.
    ///
    /// # Errors
    /// As [`Set::add_values`].
    pub async fn remove_values(&self, items: &[Value]) -> Result<u64, Error> {
        self.client.changed(&self.key, Modification::SetRemove(borrowed(items)?)).await
    }

    /// Whether it has an item.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them.
    pub async fn contains<T: Serialize + ?Sized>(&self, item: &T) -> Result<bool, Error> {
        Ok(self.contains_values(&[self.client.encode(item)?]).await? == [true])
    }

    /// Which of exactly these values it has, in their order.
    ///
    /// # Errors
    /// As [`Set::add_values`].
    pub async fn contains_values(&self, items: &[Value]) -> Result<Vec<bool>, Error> {
        let question = Question::Contains(borrowed(items)?);
        let received = self.client.look(&self.key, question).await?;
        match looked(&received)?.found {
            Found::Flags(flags) if flags.len() == items.len() => Ok(flags),
            other => Err(unexpected_found(&other)),
        }
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

    /// All items, in the order of their bytes.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Decode` when one is not of that type, or the
    /// variable is no set.
    pub async fn items<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        let bytes = self.client.container(&self.key, Encoding::Set).await?;
        decoded(values(Items::new(Encoding::Set, &bytes))?)
    }
}

fn borrowed(items: &[Value]) -> Result<Vec<ValueRef<'_>>, Error> {
    check_items(items.iter().map(|_| 0))?;
    Ok(items.iter().map(Value::as_ref).collect())
}
