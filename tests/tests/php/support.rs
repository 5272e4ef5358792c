//! Daemons, scripts and clients for the suites beside this file.

use std::path::Path;
use workyard_channel::ChannelClient;
use workyard_globaldata::GlobalDataClient;
use workyard_tests::clients::{BACKOFF, address, within};
use workyard_tests::{ChannelWire, Daemon, Endpoint, GlobalDataWire, Program, Running, Service};

/// A script of this repository, run by the PHP of this machine without its settings.
pub(crate) fn script(name: &str) -> Program {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("php");
    let settings = ["-n", "-d", "display_errors=stderr", "-d", "error_reporting=-1"];
    Program::at("php").arguments(settings).arguments([folder.join(name)])
}

/// Where a daemon listens, as scripts want it.
pub(crate) fn place<W: Service>(daemon: &Daemon<W>) -> String {
    match daemon.endpoint() {
        Endpoint::Tcp(address) => address.to_string(),
        Endpoint::Unix(path) => format!("unix://{}", path.display()),
    }
}

/// Runs a script with a daemon's address and further arguments, and returns what it printed.
#[track_caller]
pub(crate) fn run<W: Service>(name: &str, daemon: &Daemon<W>, arguments: &[&str]) -> String {
    let exit = script(name).arguments([place(daemon)]).arguments(arguments).run();
    assert_eq!((exit.code, exit.stderr.as_str()), (Some(0), ""), "{name}: {exit:?}");
    exit.stdout
}

/// Starts a script with a daemon's address and further arguments.
#[track_caller]
pub(crate) fn start<W: Service>(name: &str, daemon: &Daemon<W>, arguments: &[&str]) -> Running {
    script(name).arguments([place(daemon)]).arguments(arguments).start()
}

/// Starts a script that says when it is ready, and waits until it is.
#[track_caller]
pub(crate) fn ready(name: &str, daemon: &Daemon<ChannelWire>, arguments: &[&str]) -> Running {
    let running = start(name, daemon, arguments);
    running.stdout().expect("ready");
    running
}

/// Waits until a script has ended without complaints, and returns the lines it printed.
#[track_caller]
pub(crate) fn finish(mut running: Running) -> Vec<String> {
    let code = running.wait();
    assert_eq!((code, running.stderr().lines()), (0, Vec::new()));
    running.stdout().lines()
}

/// A Rust client of channel-server.
pub(crate) async fn channel_client(daemon: &Daemon<ChannelWire>) -> ChannelClient {
    let builder = ChannelClient::builder(address(daemon)).backoff(BACKOFF);
    within(builder.connect()).await.expect("the daemon welcomes clients")
}

/// A Rust client of globaldata-server.
pub(crate) async fn globaldata_client(daemon: &Daemon<GlobalDataWire>) -> GlobalDataClient {
    let builder = GlobalDataClient::builder(address(daemon)).backoff(BACKOFF);
    within(builder.connect()).await.expect("the daemon welcomes clients")
}
