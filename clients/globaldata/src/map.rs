//! A variable that is a map.

use crate::client::{GlobalDataClient, unexpected_found};
use crate::containers::{check_items, looked};
use crate::error::Error;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use workyard_protocol::container::Items;
use workyard_protocol::globaldata::{Found, Modification, Question};
use workyard_protocol::{
    DecodeError, Encoding, FieldName, NameError, Number, Refusal, Value, from_value,
};

/// Values by the names of their fields, in one variable; made by [`GlobalDataClient::map`].
///
/// Names are any bytes up to 4096. Otherwise as a [`List`](crate::List): what does not exist is empty
/// and the other way round, and each change takes the server time in proportion to the whole map. A map
/// of a million fields is better a million variables with a common prefix. [`GlobalDataClient::get`] reads
/// all of it as a map, or as a struct with fields of these names.
#[derive(Clone, Debug)]
pub struct Map {
    client: GlobalDataClient,
    key: Bytes,
}

impl GlobalDataClient {
    /// The map in a variable.
    ///
    /// ```no_run
    /// # use workyard_globaldata::GlobalDataClient;
    /// # async fn example(client: GlobalDataClient) -> Result<(), workyard_globaldata::Error> {
    /// let user = client.map("user:7");
    /// user.set("name", "tom").await?;
    /// user.increment("visits", 1).await?;
    /// let name: Option<String> = user.get("name").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn map(&self, key: impl AsRef<[u8]>) -> Map {
        Map { client: self.clone(), key: Bytes::copy_from_slice(key.as_ref()) }
    }
}

impl Map {
    /// Gives a field a value. Returns whether the field is new.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `InvalidName` for a field above 4096 bytes.
    pub async fn set<T>(&self, field: impl AsRef<[u8]>, value: &T) -> Result<bool, Error>
    where
        T: Serialize + ?Sized,
    {
        Ok(self.set_values([(field, &self.client.encode(value)?)]).await? > 0)
    }

    /// Gives fields exactly these values, all in one step. Returns how many fields are new.
    ///
    /// # Errors
    /// As [`Map::set`]; `InvalidArgument` for more than 16 384 fields or 1 MiB of their names.
    pub async fn set_values<'v, F: AsRef<[u8]>>(
        &self,
        fields: impl IntoIterator<Item = (F, &'v Value)>,
    ) -> Result<u64, Error> {
        let fields: Vec<_> = fields.into_iter().collect();
        check_items(fields.iter().map(|(field, _)| field.as_ref().len()))?;
        let pairs = fields.iter();
        let pairs = pairs.map(|(name, value)| Ok((FieldName::new(name.as_ref())?, value.as_ref())));
        let pairs = pairs.collect::<Result<_, NameError>>()?;
        self.client.changed(&self.key, Modification::MapSet(pairs)).await
    }

    /// The value of a field.
    ///
    /// # Errors
    /// As [`Map::set`]; `Decode` when it is not of that type.
    pub async fn get<T: DeserializeOwned>(
        &self,
        field: impl AsRef<[u8]>,
    ) -> Result<Option<T>, Error> {
        Ok(self.get_many([field]).await?.pop().flatten())
    }

    /// The values of several fields, in the order asked for.
    ///
    /// # Errors
    /// As [`Map::get`]; `InvalidArgument` for more than 16 384 fields or 1 MiB of their names.
    pub async fn get_many<T, F>(
        &self,
        fields: impl IntoIterator<Item = F>,
    ) -> Result<Vec<Option<T>>, Error>
    where
        T: DeserializeOwned,
        F: AsRef<[u8]>,
    {
        let decode = |value: Value| from_value(value.as_ref()).map_err(Error::Decode);
        let values = self.field_values(fields).await?;
        values.into_iter().map(|value| value.map(decode).transpose()).collect()
    }

    /// [`Map::get_many`] of values as they are stored.
    ///
    /// # Errors
    /// As [`Map::get_many`].
    pub async fn field_values<F: AsRef<[u8]>>(
        &self,
        fields: impl IntoIterator<Item = F>,
    ) -> Result<Vec<Option<Value>>, Error> {
        let fields: Vec<F> = fields.into_iter().collect();
        let received = self.client.look(&self.key, Question::Fields(names(&fields)?)).await?;
        match looked(&received)?.found {
            Found::Values(found) if found.len() == fields.len() => {
                let kept = |value: Option<_>| value.map(|value| received.keep_value(value));
                Ok(found.into_iter().map(kept).collect())
            }
            other => Err(unexpected_found(&other)),
        }
    }

    /// Removes a field. Returns whether it was there.
    ///
    /// # Errors
    /// As [`Map::set`].
    pub async fn remove(&self, field: impl AsRef<[u8]>) -> Result<bool, Error> {
        Ok(self.remove_many([field]).await? > 0)
    }

    /// Removes several fields, all in one step. Returns how many were there.
    ///
    /// # Errors
    /// As [`Map::get_many`].
    pub async fn remove_many<F: AsRef<[u8]>>(
        &self,
        fields: impl IntoIterator<Item = F>,
    ) -> Result<u64, Error> {
        let fields: Vec<F> = fields.into_iter().collect();
        self.client.changed(&self.key, Modification::MapRemove(names(&fields)?)).await
    }

    /// Adds to a field; one that does not exist counts as 0. Returns the sum.
    ///
    /// # Errors
    /// As [`GlobalDataClient::increment`], and [`Map::set`].
    pub async fn increment(
        &self,
        field: impl AsRef<[u8]>,
        by: impl Into<Number>,
    ) -> Result<Number, Error> {
        let (field, by) = (FieldName::new(field.as_ref())?, by.into());
        let modification = Modification::MapIncrement { field, by, initial: Some(Number::Int(0)) };
        self.client.number(&self.key, modification).await
    }

    /// How many fields there are.
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

    /// All fields and their values, in the order of the names.
    ///
    /// # Errors
    /// As [`ErrorKind`](crate::ErrorKind) lists them; `Decode` when one is not of that type, or the
    /// variable is no map.
    pub async fn entries<T: DeserializeOwned>(&self) -> Result<Vec<(Bytes, T)>, Error> {
        let bytes = self.client.container(&self.key, Encoding::Map).await?;
        let entry = |item| {
            let item: workyard_protocol::container::Item<'_> =
                Result::map_err(item, |error| DecodeError::Refused(Refusal::from(error)))?;
            let value = from_value(item.value).map_err(Error::Decode)?;
            Ok((bytes.slice_ref(item.field.as_bytes()), value))
        };
        Items::new(Encoding::Map, &bytes).map(entry).collect()
    }
}

fn names<F: AsRef<[u8]>>(fields: &[F]) -> Result<Vec<FieldName<'_>>, Error> {
    check_items(fields.iter().map(|field| field.as_ref().len()))?;
    fields.iter().map(|field| Ok(FieldName::new(field.as_ref())?)).collect()
}
