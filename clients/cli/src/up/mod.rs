//! `workyard up`: both daemons in the foreground, and a proof that they work.

mod check;

pub(crate) use check::check_worker;

use crate::args::Up;
use crate::exit::Status;
use crate::output::Output;
use crate::signals::Signals;
use serde_json::json;
use std::time::Duration;
use workyard_channel_server::ChannelService;
use workyard_daemon::{ExitStatus, ListenAddress, Running, Server, Service, Settings, StartError};
use workyard_globaldata_server::GlobalDataService;

pub(crate) async fn up(args: &Up, output: &Output) -> anyhow::Result<Status> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .init();
    let mut signals = Signals::new()?;
    let servers = [
        start::<ChannelService>(&args.channel_listen)?,
        start::<GlobalDataService>(&args.globaldata_listen)?,
    ];
    let serving = async {
        let [channel, globaldata] = servers.each_ref().map(Running::addresses);
        announce(*output, "channel-server", channel)?;
        announce(*output, "globaldata-server", globaldata)?;
        if !args.no_check {
            check::check(&channel[0], &globaldata[0], *output).await?;
        }
        output.say(|| NEXT.to_owned(), || json!({ "ready": true }))?;
        failed(&servers).await
    };
    tokio::select! {
        outcome = serving => outcome?,
        () = signals.next() => {}
    }
    stop(servers, signals, *output).await
}

fn start<S: Service<Limits: Default>>(listen: &[ListenAddress]) -> Result<Running, StartError> {
    Server::<S>::bind(Settings::listening_on(listen.to_vec()), S::Limits::default())?.start()
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

/// Goes on until a server has failed.
async fn failed(servers: &[Running]) -> anyhow::Result<()> {
    let mut poll = tokio::time::interval(Duration::from_millis(100));
    while !servers.iter().any(Running::is_finished) {
        poll.tick().await;
    }
    anyhow::bail!("a server has failed")
}

/// Returns when everybody is served.
async fn stop(
    servers: [Running; 2],
    mut signals: Signals,
    output: Output,
) -> anyhow::Result<Status> {
    servers.iter().for_each(Running::stop);
    let waiting = tokio::task::spawn_blocking(|| servers.map(Running::wait));
    let drained = tokio::select! {
        statuses = waiting => statuses?.iter().all(|status| *status == ExitStatus::Drained),
        // A second Ctrl-C means now.
        () = signals.next() => std::process::exit(i32::from(Status::Failed.code())),
    };
    output.say(|| "stopped".to_owned(), || json!({ "stopped": true, "drained": drained }))?;
    Ok(Status::Done)
}
