//! A signal to a master, as Workerman's expects it.

use crate::support::{Folder, pid, until};
use rustix::process::{Signal, kill_process};
use std::process::{Child, Command};

/// Forks workers, writes its pid file, and replaces a worker's code on SIGUSR1, as Workerman does:
/// each reload is a line that says what the code was that the new worker read.
const MASTER: &str = r#"<?php
$reload = false;
pcntl_async_signals(true);
pcntl_signal(SIGUSR1, function () use (&$reload) { $reload = true; });
function worker() {
    $pid = pcntl_fork();
    if ($pid === 0) {
        pcntl_signal(SIGUSR1, SIG_DFL);
        file_put_contents('../reloads', trim(file_get_contents('code.php')) . "\n", FILE_APPEND);
        while (true) { sleep(1); }
    }
    return $pid;
}
$child = worker();
file_put_contents('../master.pid', getmypid());
while (true) {
    usleep(5000);
    if ($reload) {
        $reload = false;
        posix_kill($child, SIGKILL);
        pcntl_waitpid($child, $status);
        $child = worker();
    }
}
"#;

struct Master(Child);

impl Master {
    fn start(folder: &Folder) -> Self {
        folder.write("../master.php", MASTER);
        folder.write("code.php", "<?php // 0");
        let mut command = Command::new("php");
        let child = command.arg("../master.php").current_dir(folder.at("")).spawn().unwrap();
        let master = Self(child);
        until(|| folder.read("../reloads").contains("// 0").then_some(()));
        until(|| (!folder.read("../master.pid").is_empty()).then_some(()));
        master
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        // Its worker first: it is the only child.
        let children = format!("/proc/{0}/task/{0}/children", self.0.id());
        for child in std::fs::read_to_string(children).unwrap_or_default().split_whitespace() {
            let child = child.parse().ok().and_then(rustix::process::Pid::from_raw);
            let _ = child.map(|child| kill_process(child, Signal::KILL));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_php_master_reloads_once_for_each_change() {
    let folder = Folder::new();
    let _master = Master::start(&folder);
    let flags =
        ["-e", "php", "--check", "php -l {changed}", "--check-each", "--pid-file", "../master.pid"];
    let mut daemon = folder.follow(&flags);
    for round in 1..=10 {
        // What follows at once would look as if the master itself had written it.
        std::thread::sleep(std::time::Duration::from_millis(60));
        // As editors save: beside, then renamed. And a touch, which is nothing.
        folder.write("code.php~", &format!("<?php // {round}"));
        std::fs::rename(folder.at("code.php~"), folder.at("code.php")).unwrap();
        daemon.until("acted");
        let lines = format!("<?php // {round}\n");
        until(|| folder.read("../reloads").ends_with(&lines).then_some(()));
        folder.write("code.php", &format!("<?php // {round}"));
    }
    folder.write("code.php", "<?php (");
    daemon.until("check-failed");
    let expected: String = (0..=10).map(|round| format!("<?php // {round}\n")).collect();
    assert_eq!(folder.read("../reloads"), expected);
    assert!(daemon.stop().success());
}

#[test]
fn a_master_that_is_gone_is_told_and_followed_when_it_is_back() {
    let folder = Folder::new();
    let master = Master::start(&folder);
    let mut daemon = folder.follow(&["--pid-file", "../master.pid", "--backoff", "1ms"]);
    drop(master);
    folder.write("code.php", "<?php // 1");
    let failed = daemon.until("action-failed");
    assert!(failed["reason"].as_str().unwrap().contains("is stale"), "{failed}");
    std::fs::remove_file(folder.at("../master.pid")).unwrap();
    folder.write("code.php", "<?php // 2");
    let failed = daemon.until("action-failed");
    assert!(failed["reason"].as_str().unwrap().contains("is the program running?"), "{failed}");
    let master = Master::start(&folder);
    assert!(crate::support::runs(&pid(&master.0).as_raw_nonzero().to_string()));
    // The code that it was started with is a change, too, and may have come too early.
    folder.write("code.php", "<?php // 3");
    daemon.until("acted");
    until(|| folder.read("../reloads").ends_with("// 3\n").then_some(()));
}

/// A process that takes SIGWINCH as nothing.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        Self(Command::new("sleep").arg("1000").spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// In a container, the file that says how long the system runs may say it of the container.
#[test]
fn how_long_the_container_runs_says_nothing_of_a_process() {
    let folder = Folder::new();
    let sleeper = Sleeper::start();
    folder.write("../a.pid", &sleeper.pid());
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(24 * 3600);
    let file = std::fs::File::open(folder.at("../a.pid")).unwrap();
    file.set_modified(long_ago).unwrap();
    folder.write("../uptime", "10000000000.00 1.00\n");
    let flags = ["--pid-file", "../a.pid", "--signal", "SIGWINCH", "--backoff", "1ms"];
    let mut daemon = folder.start_after("mount --bind ../uptime /proc/uptime", &flags);
    daemon.until("ready");
    folder.write("a", "one");
    let failed = daemon.until("action-failed");
    assert!(failed["reason"].as_str().unwrap().contains("got the number of one"), "{failed}");
    file.set_modified(std::time::SystemTime::now()).unwrap();
    folder.write("a", "two");
    daemon.until("acted");
}

#[test]
fn a_pid_file_that_nobody_writes_into_holds_up_nothing() {
    let folder = Folder::new();
    assert!(Command::new("mkfifo").arg(folder.at("../a.pid")).status().unwrap().success());
    let mut daemon = folder.follow(&["--pid-file", "../a.pid"]);
    folder.write("a", "one");
    let failed = daemon.until("action-failed");
    assert!(failed["reason"].as_str().unwrap().contains("no regular file"), "{failed}");
    assert!(daemon.stop().success());
}

#[test]
fn a_process_that_does_not_run_at_the_start_is_refused() {
    let folder = Folder::new();
    let sleeper = Sleeper::start();
    let pid = sleeper.pid();
    let flags = ["--pid", pid.as_str(), "--signal", "SIGWINCH"];
    let mut daemon = folder.follow(&flags);
    folder.write("a", "one");
    daemon.until("acted");
    drop(sleeper);
    let mut late = folder.start(&flags);
    assert_eq!(late.wait().code(), Some(1));
    folder.write("a", "two");
    let failed = daemon.until("action-failed");
    assert!(failed["reason"].as_str().unwrap().contains("does not run any more"), "{failed}");
}
