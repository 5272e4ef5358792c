//! The `channel-server` daemon.

use std::process::ExitCode;
use workyard_channel_server::ChannelService;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    workyard_daemon::main::<ChannelService>()
}
