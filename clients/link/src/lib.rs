//! One connection that heals itself: what the clients of both daemons share.
