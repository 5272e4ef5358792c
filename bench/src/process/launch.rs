//! How each kind of server is started: private, on loopback, keeping nothing.

use super::{binaries, programs};
use crate::limits::PEER_CONNECTIONS_MAX;
use crate::peer::{Family, Kind, Spoken};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
}

/// Folders that a server may need.
pub(super) struct Folders<'a> {
    /// Where it may write.
    pub(super) own: &'a Path,
    /// Where the original's code is.
    pub(super) original: Option<&'a Path>,
}

/// Whether there is a program for every family that `kind` serves. Our own can be built.
pub(crate) fn is_installed(kind: Kind) -> bool {
    installed_name(kind).is_none_or(|name| programs::find(name).is_some())
}

fn installed_name(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Limit | Kind::Workyard | Kind::Workerman => None,
        Kind::Original => Some("php"),
        Kind::Redis => Some("redis-server"),
        Kind::Nats => Some("nats-server"),
        Kind::Memcached => Some("memcached"),
    }
}

/// The command for a server of `kind` on `port`.
pub(super) fn launch(
    kind: Kind,
    family: Family,
    port: u16,
    folders: &Folders<'_>,
) -> Result<Launch> {
    let arguments = match kind {
        Kind::Limit => limit_arguments(family, port),
        Kind::Workyard if matches!(family, Family::Echo(_)) => echo_arguments(family, port),
        Kind::Workyard | Kind::Workerman => words(&format!("--listen 127.0.0.1:{port}")),
        Kind::Original => original_arguments(family, port, folders)?,
        Kind::Redis => redis_arguments(port, folders.own),
        Kind::Nats => words(&format!("-a 127.0.0.1 -p {port}")),
        Kind::Memcached => memcached_arguments(port),
    };
    Ok(Launch { program: program(kind, family)?, arguments })
}

/// What the program calls itself, in one line; nothing when it does not say.
pub(super) fn version(kind: Kind, family: Family) -> Option<String> {
    let arguments: &[&str] = match kind {
        Kind::Limit => return None,
        Kind::Original => &["-r", PHP_VERSION],
        _ => &["--version"],
    };
    let output = Command::new(program(kind, family).ok()?).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(|line| line.trim().to_owned())
}

fn program(kind: Kind, family: Family) -> Result<PathBuf> {
    match kind {
        Kind::Limit => Ok(std::env::current_exe()?),
        Kind::Workyard | Kind::Workerman => match binaries::name(family) {
            Some(name) => binaries::path(name),
            None => Ok(std::env::current_exe()?),
        },
        Kind::Original | Kind::Redis | Kind::Nats | Kind::Memcached => {
            let name = installed_name(kind).unwrap_or_default();
            programs::find(name).with_context(|| format!("{name} is not installed"))
        }
    }
}

fn limit_arguments(family: Family, port: u16) -> Vec<String> {
    let service = match family {
        Family::Channels => "fanout",
        Family::Echo(Spoken::Http) => "hyper",
        Family::Keys | Family::Echo(_) => "echo",
    };
    words(&format!("limit-server --service {service} --listen 127.0.0.1:{port}"))
}

fn echo_arguments(family: Family, port: u16) -> Vec<String> {
    let Family::Echo(spoken) = family else { return Vec::new() };
    words(&format!("echo-worker --spoken {} --listen 127.0.0.1:{port}", spoken.name()))
}

/// Runs one of the original servers. Its worker process ends also when the first one is killed.
const ORIGINAL: &str = r#"
[, , $autoload, $server, $port, $folder] = $argv;
require $autoload;
use Workerman\{Timer, Worker};
Worker::$pidFile = "$folder/original-$port.pid";
Worker::$logFile = "$folder/original-$port.messages";
new $server('127.0.0.1', $port);
$parent = getmypid();
foreach (Worker::getAllWorkers() as $worker) {
    $worker->onWorkerStart = fn () => Timer::add(1, fn () => posix_getppid() === $parent || exit);
}
Worker::runAll();
"#;

/// Without the extension for it, Workerman waits with `select`, which is slow with many connections.
const PHP_VERSION: &str =
    r#"echo 'PHP ', PHP_VERSION, extension_loaded('event') ? ' with' : ' without', ' event';"#;

fn original_arguments(family: Family, port: u16, folders: &Folders<'_>) -> Result<Vec<String>> {
    let original = folders.original.context("nobody said where the original is")?;
    let autoload = original.join("vendor/autoload.php");
    if !autoload.is_file() {
        bail!("{} is not there", autoload.display());
    }
    let server = match family {
        Family::Channels => "Channel\\Server",
        Family::Keys => "GlobalData\\Server",
        Family::Echo(_) => bail!("the original is not measured as an echo"),
    };
    let (autoload, folder) = (autoload.display(), folders.own.display());
    Ok(vec![
        "-r".to_owned(),
        ORIGINAL.to_owned(),
        "--".to_owned(),
        "start".to_owned(),
        autoload.to_string(),
        server.to_owned(),
        port.to_string(),
        folder.to_string(),
    ])
}

fn redis_arguments(port: u16, folder: &Path) -> Vec<String> {
    let mut arguments = words(&format!("--port {port} --bind 127.0.0.1 --appendonly no"));
    arguments.extend(words(&format!("--maxclients {PEER_CONNECTIONS_MAX}")));
    arguments.extend(["--save".to_owned(), String::new()]);
    arguments.extend(["--dir".to_owned(), folder.display().to_string()]);
    arguments
}

/// One thread, like the others; as root it would refuse to start without being told a user, and under
/// another user's name the kernel would forget that it has to die with this process.
fn memcached_arguments(port: u16) -> Vec<String> {
    words(&format!("-l 127.0.0.1 -p {port} -U 0 -u root -m 2048 -t 1 -c {PEER_CONNECTIONS_MAX}"))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_is_where_somebody_says() {
        let own = Path::new("/tmp");
        for original in [None, Some(Path::new("/nowhere"))] {
            let folders = Folders { own, original };
            assert!(original_arguments(Family::Keys, 7, &folders).is_err());
        }
    }

    #[test]
    fn an_empty_argument_survives() {
        let arguments = redis_arguments(7, Path::new("/tmp/x y"));
        let text = arguments.join("|");
        assert!(text.starts_with("--port|7|--bind|127.0.0.1|"));
        assert!(text.ends_with("--save||--dir|/tmp/x y"));
    }
}
