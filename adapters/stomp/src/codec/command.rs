//! What a frame wants.

use std::fmt;

macro_rules! commands {
    ($($(#[$meta:meta])* $name:ident = $text:literal,)*) => {
        /// What a frame wants.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Command {
            $($(#[$meta])* $name,)*
        }

        impl Command {
            /// Every command.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it is written.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            pub(super) fn parse(text: &[u8]) -> Option<Self> {
                Self::ALL.iter().copied().find(|command| command.name().as_bytes() == text)
            }
        }
    };
}

commands! {
    /// From a client: opens a session.
    Connect = "CONNECT",
    /// The same, since 1.1.
    Stomp = "STOMP",
    /// From a client: a message for a destination.
    Send = "SEND",
    /// From a client: messages of a destination are wanted.
    Subscribe = "SUBSCRIBE",
    /// From a client: they are not wanted any more.
    Unsubscribe = "UNSUBSCRIBE",
    /// From a client: a message is done.
    Ack = "ACK",
    /// From a client: a message is given back. Since 1.1.
    Nack = "NACK",
    /// From a client: begins a transaction.
    Begin = "BEGIN",
    /// From a client: carries a transaction out.
    Commit = "COMMIT",
    /// From a client: forgets a transaction.
    Abort = "ABORT",
    /// From a client: ends the session.
    Disconnect = "DISCONNECT",
    /// From a server: the session is open.
    Connected = "CONNECTED",
    /// From a server: a message of a subscription.
    Message = "MESSAGE",
    /// From a server: a frame was carried out.
    Receipt = "RECEIPT",
    /// From a server: something is wrong.
    Error = "ERROR",
}

impl Command {
    /// Whether headers of such frames are written as they are, in every version, for the sake of peers
    /// that only know 1.0.
    pub(super) const fn is_never_escaped(self) -> bool {
        matches!(self, Self::Connect | Self::Connected)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
