//! The publish/subscribe and work-queue daemon: the broker, reached by every dialect.

mod options;

pub use options::Limits;

use workyard_channel_core::{Broker, BrokerLimits};
use workyard_daemon::{Native, Service, Settings};
use workyard_protocol::control::ServiceKind;

/// channel-server as the daemon runs it.
#[derive(Clone, Copy, Debug)]
pub enum ChannelService {}

impl Service for ChannelService {
    const KIND: ServiceKind = ServiceKind::Channel;
    const DEFAULT_LISTEN: &'static str = "127.0.0.1:2206";
    const ABOUT: &'static str = "Publish/subscribe and work queues between worker processes";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    type Engine = Broker;
    // A second dialect makes an enum of this; each is a folder beside this file.
    type Dialect = Native;
    type Limits = Limits;

    fn engine(limits: &Limits, _: &Settings, _: u64) -> Broker {
        Broker::new(limits.resolve(BrokerLimits::default()))
    }
}
