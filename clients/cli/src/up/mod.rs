//! `workyard up`: both daemons in the foreground, and a proof that they work.

mod check;

pub(crate) use check::check_worker;

use crate::args::Up;
use crate::exit::Status;
use crate::output::Output;
use anyhow::Context;
use serde_json::json;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use workyard_channel_server::ChannelService;
use workyard_daemon::{ExitStatus, ListenAddress, Running, Server, Settings};
use workyard_globaldata_server::GlobalDataService;

pub(crate) async fn up(args: &Up, output: &Output) -> anyhow::Result<Status> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .init();
    workyard_daemon::die_of_panics();
    let hint = "another one may be running already; --channel-listen and --globaldata-listen name \
                other addresses";
    let channel = Server::<ChannelService>::bind(
        Settings::listening_on(args.channel_listen.clone()),
        Default::default(),
    )
    .context(hint)?
    .start()?;
    let globaldata = Server::<GlobalDataService>::bind(
        Settings::listening_on(args.globaldata_listen.clone()),
        Default::default(),
    )
    .context(hint)?
    .start()?;
    announce(*output, "channel-server", channel.addresses())?;
    announce(*output, "globaldata-server", globaldata.addresses())?;
    if !args.no_check {
        check::check(&channel.addresses()[0], &globaldata.addresses()[0], *output).await?;
    }
    output.say(|| NEXT.to_owned(), || json!({ "ready": true }))?;
    serve([channel, globaldata], *output).await
}

const NEXT: &str = "
Try, in another terminal:
  workyard sub news                  and    workyard pub news hello
  workyard incr visits               and    workyard get visits
  workyard queue push mails hello    and    workyard queue work mails
Ctrl-C stops both.";

fn announce(output: Output, server: &str, addresses: &[ListenAddress]) -> anyhow::Result<()> {
    for address in addresses {
        output.say(
            || format!("{server:<18} listening on {address}"),
            || json!({ "server": server, "listening": address.to_string() }),
        )?;
    }
    Ok(())
}

/// Serves until a signal, then until everybody is served.
async fn serve(servers: [Running; 2], output: Output) -> anyhow::Result<Status> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut poll = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            outcome = tokio::signal::ctrl_c() => break outcome?,
            _ = poll.tick() => {
                anyhow::ensure!(!servers.iter().any(Running::is_finished), "a server has failed");
            }
        }
    }
    servers.iter().for_each(Running::stop);
    let waiting = tokio::task::spawn_blocking(|| servers.map(Running::wait));
    let drained = tokio::select! {
        statuses = waiting => statuses?.iter().all(|status| *status == ExitStatus::Drained),
        // A second Ctrl-C means now.
        _ = tokio::signal::ctrl_c() => std::process::exit(Status::Failed as i32),
    };
    output.say(|| "stopped".to_owned(), || json!({ "stopped": true, "drained": drained }))?;
    Ok(Status::Done)
}
