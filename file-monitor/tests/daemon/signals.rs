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
