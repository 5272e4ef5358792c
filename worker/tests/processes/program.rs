//! The service under test: what it is like, its environment says.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use workyard_worker::protocols::Text;
use workyard_worker::{Connection, Service, Worker};

/// How a copy of this binary is called that is the service.
pub(crate) const NAME: &str = "app";

/// Whether this process is the service.
pub(crate) fn is_this() -> bool {
    env::current_exe().is_ok_and(|path| path.file_name().is_some_and(|name| name == NAME))
}

/// Runs the service.
#[expect(clippy::print_stdout, reason = "what a service prints is tested")]
pub(crate) fn run() -> ExitCode {
    let listen = variable("LISTEN").unwrap_or_else(|| "text://127.0.0.1:0".to_owned());
    let mut worker = Worker::<Text>::bind(&listen)
        .name(variable("WORKER").unwrap_or_else(|| contents("worker", "echo")))
        .count(variable("COUNT").map_or(2, |count| count.parse().expect("a number")))
        .reloadable(variable("RELOADABLE").is_none())
        .reuse_port(variable("REUSE_PORT").is_some())
        .on_worker_start(async |process| {
            tracing::info!("process {} starts", process.id());
            // It says whom it concerns, or nothing.
            let id = process.id().to_string();
            if beside("hang in start").exists() {
                std::future::pending::<()>().await;
            }
            match beside("fail").exists() && ["", &id].contains(&contents("fail", "").as_str()) {
                true => Err("there is no database"),
                false => Ok(()),
            }
        })
        .on_worker_stop(async |_| {
            tracing::info!("hears that it stops");
            if beside("hang").exists() {
                std::future::pending::<()>().await;
            }
            if let Ok(milliseconds) = contents("slow", "").parse() {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                tracing::info!("has stopped in order");
            }
        })
        .on_worker_reload(async |_| tracing::info!("heard of a reload"))
        .on_message(answer);
    if let Some(user) = variable("RUN_AS") {
        worker = worker.user(user);
    }
    let stop_timeout = variable("STOP_TIMEOUT").map_or(2000, |it| it.parse().expect("a number"));
    let mut service = Service::new();
    if let Some(path) = variable("PID_FILE") {
        service = service.pid_file(path);
    }
    if let Some(paths) = variable("RELOAD_ON_CHANGE") {
        service = service.reload_on_change(paths.split(','));
    }
    if variable("RELOAD_AS_DAEMON").is_some() {
        service = service.reload_on_change_as_daemon();
    }
    if variable("NO_WORKER").is_none() {
        service = service.with(worker);
    }
    service
        .stdout_file(beside("app.out"))
        .stop_timeout(Duration::from_millis(stop_timeout))
        .on_worker_exit(|name, id, pid, status| {
            println!("{name} {id} {pid} ended: {status}");
            assert!(variable("PANICS").is_none(), "a mistake of the program");
        })
        .on_supervisor_reload(|| println!("reloads"))
        .on_supervisor_stop(|| println!("stopped"))
        .run()
}

async fn answer(connection: Connection<Text>, message: String) {
    match message.as_str() {
        "spin" => loop {
            std::hint::spin_loop();
        },
        "exit" => std::process::exit(3),
        _ => {}
    }
    let length = std::fs::metadata("/proc/self/exe").map_or(0, |metadata| metadata.len());
    let uid = rustix::process::getuid().as_raw();
    let id = connection.worker().id();
    connection.send(format!("{id} {} {length} {uid}", std::process::id()));
}

fn variable(name: &str) -> Option<String> {
    env::var(format!("APP_{name}")).ok()
}

/// A file beside the program.
fn beside(name: &str) -> PathBuf {
    let path = env::current_exe().expect("a program knows where it is");
    path.parent().unwrap_or_else(|| Path::new("/")).join(name)
}

/// What such a file says.
fn contents(name: &str, otherwise: &str) -> String {
    std::fs::read_to_string(beside(name)).unwrap_or_else(|_| otherwise.to_owned())
}
