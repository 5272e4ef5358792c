//! How clients speak to globaldata-server.

mod workerman;

pub use workerman::Workerman;

use workyard_daemon::{Either, Native};

/// Every dialect, on one port.
pub type Dialects = Either<Native, Workerman>;
