//! The entries of an array: of sequences, maps, structs, and of variants that hold such.

use super::key::KeySerializer;
use super::{SerError, Serializer};
use crate::writer::{ArrayWriter, OpenArray};
use serde::ser::{self, Serialize};

/// An array that is being filled.
pub(super) struct Entries<'a, 'o> {
    writer: &'a mut ArrayWriter<'o>,
    array: OpenArray,
    /// The array of one entry around the data of a variant.
    outer: Option<OpenArray>,
}

impl<'a, 'o> Entries<'a, 'o> {
    pub(super) fn new(writer: &'a mut ArrayWriter<'o>) -> Self {
        let array = writer.open();
        Self { writer, array, outer: None }
    }

    pub(super) fn of_variant(writer: &'a mut ArrayWriter<'o>, variant: &str) -> Self {
        let mut outer = writer.open();
        writer.text_key(&mut outer, variant.as_bytes());
        Self { outer: Some(outer), ..Self::new(writer) }
    }

    fn next<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerError> {
        self.writer.list_key(&mut self.array);
        self.value(value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), SerError> {
        self.writer.text_key(&mut self.array, name.as_bytes());
        self.value(value)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerError> {
        value.serialize(Serializer(self.writer))
    }

    fn close(self) {
        self.writer.close(self.array);
        if let Some(outer) = self.outer {
            self.writer.close(outer);
        }
    }
}

macro_rules! lists {
    ($($Trait:ident::$method:ident,)*) => {
        $(impl ser::$Trait for Entries<'_, '_> {
            type Ok = ();
            type Error = SerError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerError> {
                self.next(value)
            }

            fn end(self) -> Result<(), SerError> {
                self.close();
                Ok(())
            }
        })*
    };
}

lists! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

macro_rules! structs {
    ($($Trait:ident,)*) => {
        $(impl ser::$Trait for Entries<'_, '_> {
            type Ok = ();
            type Error = SerError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), SerError> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), SerError> {
                self.close();
                Ok(())
            }
        })*
    };
}

structs! {
    SerializeStruct,
    SerializeStructVariant,
}

impl ser::SerializeMap for Entries<'_, '_> {
    type Ok = ();
    type Error = SerError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerError> {
        key.serialize(KeySerializer { writer: self.writer, array: &mut self.array })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerError> {
        self.value(value)
    }

    fn end(self) -> Result<(), SerError> {
        self.close();
        Ok(())
    }
}
