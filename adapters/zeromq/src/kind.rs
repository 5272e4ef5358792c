//! The patterns, and which of them fit together.

/// What a socket does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Push,
    Pull,
    Publisher,
    Subscriber,
    Requester,
    Replier,
    Dealer,
    Router,
}

impl Kind {
    /// As peers call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Push => "PUSH",
            Self::Pull => "PULL",
            Self::Publisher => "PUB",
            Self::Subscriber => "SUB",
            Self::Requester => "REQ",
            Self::Replier => "REP",
            Self::Dealer => "DEALER",
            Self::Router => "ROUTER",
        }
    }

    /// Who may be on the other side.
    pub(crate) const fn peers(self) -> &'static [&'static str] {
        match self {
            Self::Push => &["PULL"],
            Self::Pull => &["PUSH"],
            Self::Publisher => &["SUB", "XSUB"],
            Self::Subscriber => &["PUB", "XPUB"],
            Self::Requester => &["REP", "ROUTER"],
            Self::Replier => &["REQ", "DEALER"],
            Self::Dealer => &["REP", "DEALER", "ROUTER"],
            Self::Router => &["REQ", "DEALER", "ROUTER"],
        }
    }

    /// Whether peers are known by what they call themselves. To the others a name says nothing: two peers may
    /// have the same.
    pub(crate) const fn names_peers(self) -> bool {
        matches!(self, Self::Replier | Self::Router)
    }

    /// Whether whichever peer is ready takes the next message. Otherwise each has messages of its own.
    pub(crate) const fn shares(self) -> bool {
        matches!(self, Self::Push | Self::Requester | Self::Dealer)
    }
}
