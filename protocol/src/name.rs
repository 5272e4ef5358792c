//! Names, parsed once at the edge: any bytes, bounded in length.

use crate::limits::NAME_BYTES_MAX;
use std::fmt;

/// A name longer than [`NAME_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {what} of {length} bytes is above the limit of {NAME_BYTES_MAX}")]
pub struct NameError {
    /// What the name was for.
    pub what: &'static str,
    /// How long it was.
    pub length: usize,
}

macro_rules! name {
    ($(#[$doc:meta])* $Name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Name<'a>(&'a [u8]);

        impl<'a> $Name<'a> {
            /// Takes any bytes, none at all included.
            ///
            /// # Errors
            /// When they are more than [`NAME_BYTES_MAX`].
            pub fn new<B: AsRef<[u8]> + ?Sized>(bytes: &'a B) -> Result<Self, NameError> {
                let bytes = bytes.as_ref();
                if bytes.len() > NAME_BYTES_MAX {
                    return Err(NameError { what: $what, length: bytes.len() });
                }
                Ok(Self(bytes))
            }

            /// The name as it travels.
            #[must_use]
            pub fn as_bytes(self) -> &'a [u8] {
                self.0
            }
        }

        impl fmt::Display for $Name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", String::from_utf8_lossy(self.0))
            }
        }

        impl fmt::Debug for $Name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", String::from_utf8_lossy(self.0))
            }
        }
    };
}

name!(
    /// Where messages are published to.
    ChannelName,
    "channel name"
);
name!(
    /// Where jobs wait for a consumer.
    QueueName,
    "queue name"
);
name!(
    /// A named set of subscribers of which one receives each message.
    GroupName,
    "group name"
);
name!(
    /// The name of a shared variable.
    Key,
    "key"
);
name!(
    /// What is locked: the name of a lock or semaphore, which has nothing to do with a variable's.
    LockName,
    "lock name"
);

name!(
    /// The name of a map's field.
    FieldName,
    "field"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_up_to_the_limit_are_a_name() {
        assert!(ChannelName::new("").is_ok());
        assert!(Key::new(&[0xff, 0, b'*']).is_ok());
        assert!(QueueName::new(&[b'q'; NAME_BYTES_MAX]).is_ok());
        let error = GroupName::new(&[b'g'; NAME_BYTES_MAX + 1]).unwrap_err();
        assert_eq!(error.to_string(), "a group name of 4097 bytes is above the limit of 4096");
    }
}
