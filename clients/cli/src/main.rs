//! The `workyard` command.

mod addresses;
mod args;
mod bench;
mod commands;
mod exit;
mod output;
mod signals;
mod up;
mod value;

use args::{Cli, Command};
use clap::Parser;
use commands::Side;
use exit::Status;
use output::Output;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|command| command == commands::WATCH) {
        return commands::watch(std::env::args_os().skip(2));
    }
    let cli = Cli::parse();
    let output = Output::new(cli.global.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&error.into()).into(),
    };
    let status = match runtime.block_on(run(&cli, &output)) {
        Ok(status) => status,
        Err(error) => output.fail(&error),
    };
    status.into()
}

async fn run(cli: &Cli, output: &Output) -> anyhow::Result<Status> {
    let global = &cli.global;
    match &cli.command {
        Command::Up(args) => up::up(args, output).await,
        Command::CheckWorker(args) => up::check_worker(args).await,
        Command::Pub(args) => commands::publish(global, args, output).await,
        Command::Sub(args) => commands::subscribe(global, args, output).await,
        Command::History(args) => commands::history(global, args, output).await,
        Command::Request(args) => commands::request(global, args, output).await,
        Command::Serve(args) => commands::serve(global, args, output).await,
        Command::Presence(args) => commands::presence(global, args, output).await,
        Command::Queue(args) => commands::queue(global, args, output).await,
        Command::Get(args) => commands::get(global, args, output).await,
        Command::Set(args) => commands::set(global, args, output).await,
        Command::Add(args) => commands::add(global, args, output).await,
        Command::Cas(args) => commands::cas(global, args, output).await,
        Command::Incr(args) => commands::increment(global, args, output).await,
        Command::Append(args) => commands::append(global, args, Side::Behind, output).await,
        Command::Prepend(args) => commands::append(global, args, Side::Before, output).await,
        Command::Min(args) => commands::min(global, args, output).await,
        Command::Max(args) => commands::max(global, args, output).await,
        Command::Swap(args) => commands::swap(global, args, output).await,
        Command::Take(args) => commands::take(global, args, output).await,
        Command::RateLimit(args) => commands::rate_limit(global, args, output).await,
        Command::List(args) => commands::list(global, args, output).await,
        Command::Members(args) => commands::members(global, args, output).await,
        Command::Map(args) => commands::map(global, args, output).await,
        Command::Del(args) => commands::delete(global, args, output).await,
        Command::Touch(args) => commands::touch(global, args, output).await,
        Command::Persist(args) => commands::persist(global, args, output).await,
        Command::Ttl(args) => commands::ttl(global, args, output).await,
        Command::Keys(args) => commands::keys(global, args, output).await,
        Command::Count(args) => commands::count(global, args, output).await,
        Command::Changes(args) => commands::changes(global, args, output).await,
        Command::Wait(args) => commands::wait(global, args, output).await,
        Command::Lock(args) => commands::lock(global, args, output).await,
        Command::Locks(args) => commands::locks(global, args, output).await,
        Command::Ping(args) => commands::ping(global, args, output).await,
        Command::Bench(args) => bench::run(global, args, output).await,
        Command::Completions(args) => commands::completions(args),
        // Its flags have other meanings than those of all commands, so it was run before these were read.
        Command::Watch(_) => {
            anyhow::bail!(exit::Usage("`watch` comes first: workyard watch ARGUMENTS".to_owned()))
        }
    }
}
