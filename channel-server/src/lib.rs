//! The publish/subscribe and work-queue daemon: the broker, reached by every dialect.

mod dialects;
mod engine;
mod options;
mod workerman;

pub use dialects::{Dialects, Workerman};
pub use engine::{ChannelEngine, Push, Request, SpelledWire};
pub use options::{HistoryRules, Limits};

use workyard_channel_core::{Broker, BrokerLimits};
use workyard_daemon::{Service, Settings};
use workyard_protocol::control::ServiceKind;

/// channel-server as the daemon runs it.
#[derive(Clone, Copy, Debug)]
pub enum ChannelService {}

impl Service for ChannelService {
    const KIND: ServiceKind = ServiceKind::Channel;
    const DEFAULT_LISTEN: &'static str = "127.0.0.1:2206";
    const ABOUT: &'static str = "Publish/subscribe and work queues between worker processes";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    type Engine = ChannelEngine;
    type Dialect = Dialects;
    type Limits = Limits;

    fn engine(limits: &Limits, _: &Settings, epoch: u64) -> ChannelEngine {
        let mut broker = Broker::new(limits.resolve(BrokerLimits::default())).in_epoch(epoch);
        for rule in limits.history.iter().flat_map(HistoryRules::iter) {
            if let Err(refusal) = broker.keep_history(&rule) {
                tracing::error!(pattern = %rule.pattern, %refusal, "no history is kept");
            }
        }
        ChannelEngine::new(broker)
    }
}
