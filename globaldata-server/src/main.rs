//! The `globaldata-server` daemon.

use std::process::ExitCode;
use workyard_globaldata_server::GlobalDataService;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    workyard_daemon::main::<GlobalDataService>()
}
