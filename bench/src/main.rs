//! Measures the daemons beside their peers, with one command. The README explains the method.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures go to stdout, progress and problems to stderr: that is this program's work"
)]

mod connections;
mod echo_worker;
mod figures;
mod fleet;
mod histogram;
mod limit_server;
mod limits;
mod load;
mod meter;
mod options;
mod peer;
mod process;
mod procfs;
mod report;
mod rows;
mod runner;
mod trace;
mod wire;

use anyhow::{Result, bail};
use clap::Parser;
use fleet::Fleet;
use limits::{BUILD_SECONDS_MAX, SPARE_DESCRIPTORS_MAX};
use options::{Command, Options};
use peer::Kind;
use process::{Children, Guard, Pinning, Starter};
use report::Report;
use rows::Row;
use runner::Runner;
use std::process::ExitCode;
use std::sync::Arc;
use trace::Tool;

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    match options.command {
        Some(Command::LimitServer { service, listen }) => {
            limit_server::serve(service, listen)?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::EchoWorker { spoken, listen }) => {
            echo_worker::serve(spoken, listen)?;
            return Ok(ExitCode::SUCCESS);
        }
        None => {}
    }
    let rows = options.rows()?;
    if options.list {
        list(&rows);
        return Ok(ExitCode::SUCCESS);
    }
    measure(&options, rows)
}

fn list(rows: &[Row]) {
    for row in rows {
        println!("{:<24}{}", row.name, row.title);
    }
    println!();
    for kind in Kind::USUAL {
        let state = if process::is_installed(kind) { "" } else { "not installed" };
        println!("{kind:<24}{state}");
    }
}

fn measure(options: &Options, mut rows: Vec<Row>) -> Result<ExitCode> {
    if cfg!(debug_assertions) && !options.quick {
        eprintln!("this is a debug build, its generator is slow: use cargo run --release");
    }
    let mut report = Report::new(options.json.as_deref())?;
    let children = Arc::new(Children::new()?);
    let guard = Guard::new(Arc::clone(&children))?;
    let kinds = available(options, &children, &guard, &mut report);
    if kinds.is_empty() {
        bail!("there is no server to measure");
    }
    leave_out_what_does_not_fit(&mut rows)?;

    let cores = std::thread::available_parallelism()?.get();
    let pinning = if options.no_pin { Pinning::Off } else { Pinning::choose() };
    for line in process::describe(&kinds, pinning, cores) {
        println!("{line}");
    }
    println!();
    pinning.pin_generator()?;

    let mut runner = Runner {
        fleet: Fleet::new(Starter {
            children: Arc::clone(&children),
            pinning,
            original: options.original.clone(),
            tool: options.tool(),
        }),
        effort: options.effort(),
        kinds: &kinds,
        guard: &guard,
    };
    runner.run(&rows, &mut report)?;
    report.print();
    children.end_all();
    if let Some(folder) = &options.svg {
        report.draw(folder)?;
    }
    let is_fine = !report.has_problems();
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The servers asked for, without those that are not installed or cannot be built.
fn available(
    options: &Options,
    children: &Children,
    guard: &Guard,
    report: &mut Report,
) -> Vec<Kind> {
    let mut kinds = options.peers.clone();
    kinds.extend(options.original.as_ref().map(|_| Kind::Original));
    kinds.sort();
    kinds.dedup();
    if options.tool() == Some(Tool::Callgrind) {
        // The others have allocators and threads of other kinds.
        kinds.retain(|kind| kind.is_ours() || *kind == Kind::Limit);
    }
    kinds.retain(|kind| {
        let is_installed = process::is_installed(*kind);
        if !is_installed {
            eprintln!("{kind} is not installed and is left out");
        }
        is_installed
    });
    if kinds.iter().any(|kind| kind.is_ours()) {
        guard.allow(BUILD_SECONDS_MAX);
        if let Err(error) = process::build_missing(children) {
            report.problem(format!("workyard is left out: {error:#}"));
            kinds.retain(|kind| !kind.is_ours());
        }
    }
    kinds
}

fn leave_out_what_does_not_fit(rows: &mut Vec<Row>) -> Result<()> {
    let descriptors = process::raise_descriptor_limit()?;
    rows.retain(|row| {
        let needed = row.work.connections() as u64 + SPARE_DESCRIPTORS_MAX;
        let fits = needed <= descriptors;
        if !fits {
            let name = &row.name;
            eprintln!("{name} needs {needed} descriptors of {descriptors} and is left out");
        }
        fits
    });
    Ok(())
}
