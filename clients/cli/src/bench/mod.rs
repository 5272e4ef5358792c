//! `workyard bench`: what the servers do through the clients, from here.
//!
//! It measures the whole way, this process included. To compare servers, the package
//! `workyard-bench` measures what the server alone costs.

mod kv;
mod publish;
mod request;
mod timings;

use crate::args::{Bench, Global};
use crate::exit::Status;
use crate::output::Output;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

pub(crate) async fn run(global: &Global, args: &Bench, output: &Output) -> anyhow::Result<Status> {
    match args {
        Bench::Pub(args) => publish::run(global, args, *output).await,
        Bench::Kv(args) => kv::run(global, args, *output).await,
        Bench::Request(args) => request::run(global, args, *output).await,
    }
}

/// A bar on standard error, if that is a terminal.
fn progress(total: u64) -> anyhow::Result<ProgressBar> {
    let template = "{bar:40} {pos}/{len} {per_sec} {eta}";
    let bar = ProgressBar::new(total).with_style(ProgressStyle::with_template(template)?);
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar)
}
