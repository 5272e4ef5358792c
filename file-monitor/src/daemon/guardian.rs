//! A process that ends what the daemon has started if the daemon itself cannot: killed, or panicking.
//!
//! The system would tell only the first process of each group, and only by unsafe code of ours. A shell
//! that waits for the end of its input tells all, and needs none.

use rustix::process::Pid;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

static GUARDIAN: LazyLock<Mutex<Guardian>> = LazyLock::new(|| Mutex::new(Guardian::start()));

/// Where the guardian is told of groups, as long as it listens. Who is started by us does not inherit it:
/// it closes with this process, whatever becomes of it.
struct Guardian(Option<ChildStdin>);

/// A group has begun, and shall not outlive this process.
pub(super) fn begun(group: Pid) {
    tell("begun", group);
}

/// Nothing is left of a group: its number may become another's.
pub(super) fn over(group: Pid) {
    tell("over", group);
}

fn tell(what: &str, group: Pid) {
    let mut guardian = GUARDIAN.lock().unwrap_or_else(PoisonError::into_inner);
    let line = format!("{what} {}\n", group.as_raw_nonzero());
    if let Some(input) = &mut guardian.0
        && let Err(error) = input.write_all(line.as_bytes())
    {
        tracing::warn!(%error, "the guardian is gone: what is started may outlive the daemon");
        guardian.0 = None;
    }
}

impl Guardian {
    fn start() -> Self {
        match command().spawn() {
            Ok(mut child) => Self(child.stdin.take()),
            Err(error) => {
                tracing::warn!(%error, "no guardian: what is started may outlive the daemon");
                Self(None)
            }
        }
    }
}

fn command() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", include_str!("guardian.sh")]);
    // Neither the terminal's signals nor a directory or an output that others wait for.
    command.process_group(0).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn what_is_not_over_is_ended_with_the_input_and_nothing_else() {
        let sleep = || Command::new("sleep").arg("1000").process_group(0).spawn().unwrap();
        let (mut over, mut left) = (sleep(), sleep());
        let mut guardian = command().spawn().unwrap();
        let mut input = guardian.stdin.take().unwrap();
        for (what, child) in [("begun", &over), ("begun", &left), ("over", &over)] {
            writeln!(input, "{what} {}", child.id()).unwrap();
        }
        drop(input);
        assert_eq!(left.wait().unwrap().signal(), Some(15));
        assert!(guardian.wait().unwrap().success());
        assert!(over.try_wait().unwrap().is_none());
        over.kill().unwrap();
        over.wait().unwrap();
    }
}
