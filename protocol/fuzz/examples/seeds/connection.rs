//! The frames of the connection itself, which are the same for both services.

use workyard_protocol::channel::{Push, Reply, Request};
use workyard_protocol::control::{Goodbye, Hello, MAGIC, ServiceKind, Welcome};
use workyard_protocol::{Reason, Refusal, ToClient, ToServer};

use crate::{Seed, from_client};

/// What follows a hello's operation code and magic.
pub fn hellos() -> Vec<Seed> {
    let plain = Hello::new(ServiceKind::Channel, "worker 1");
    let full = Hello {
        version_min: 0,
        version_max: 300,
        features: u64::MAX,
        credentials: Some(b"secret"),
        ..Hello::new(ServiceKind::GlobalData, "worker 2")
    };
    [("plain", plain), ("full", full)]
        .map(|(name, hello)| {
            let (name, body) = from_client(name, &ToServer::<Request<'_>>::Hello(hello));
            (name, body[1 + MAGIC.len()..].to_vec())
        })
        .into()
}

/// Everything that is neither reply nor push.
pub fn from_server() -> Vec<Seed> {
    let welcome = Welcome {
        version: 1,
        features: 0,
        server: "channel-server 0.1.0",
        epoch: u64::MAX,
        session: 300,
        heartbeat_ms: 30_000,
        frame_bytes_max: 10 << 20,
    };
    let goodbye = Goodbye {
        refusal: Refusal::new(Reason::ShuttingDown, "reconnect"),
        reconnect_after_ms: Some(500),
    };
    let refusal = Refusal::new(Reason::LimitReached, "100 subscriptions");
    [
        ("welcome", Frame::Welcome(welcome)),
        ("ping", Frame::Ping(1)),
        ("pong", Frame::Pong(u64::MAX)),
        ("goodbye", Frame::Goodbye(goodbye)),
        ("refused", Frame::Refused(7, refusal)),
    ]
    .map(|(name, frame)| crate::from_server(name, &frame))
    .into()
}

type Frame = ToClient<'static, Reply<'static>, Push<'static>>;
