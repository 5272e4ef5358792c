//! The shared-variable daemon: the store, reached by every dialect.

mod dialects;
mod engine;
mod options;

pub use dialects::{Dialects, Workerman};
pub use engine::{GlobalDataEngine, Request};
pub use options::Limits;

use workyard_daemon::{Service, Settings};
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::control::ServiceKind;

/// globaldata-server as the daemon runs it.
#[derive(Clone, Copy, Debug)]
pub enum GlobalDataService {}

impl Service for GlobalDataService {
    const KIND: ServiceKind = ServiceKind::GlobalData;
    const DEFAULT_LISTEN: &'static str = "127.0.0.1:2207";
    const ABOUT: &'static str = "Variables shared between worker processes";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    type Engine = GlobalDataEngine;
    type Dialect = Dialects;
    type Limits = Limits;

    fn engine(limits: &Limits, settings: &Settings, epoch: u64) -> GlobalDataEngine {
        // An answer has to fit into a frame.
        let reply_bytes_max = settings.frame_bytes_max;
        let limits = limits.resolve(StoreLimits { reply_bytes_max, ..StoreLimits::default() });
        // Microseconds: no server writes a million times a second for all its life.
        GlobalDataEngine::new(Store::after(epoch, limits))
    }
}
