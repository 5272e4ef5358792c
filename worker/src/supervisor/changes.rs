//! Reloads because files have changed: while one is under way, changes are gathered for the next.

use crate::files::{Files, Program, with_ending};
use crate::service::ReloadOnChange;
use anyhow::Context;
use std::path::Path;
use workyard_file_monitor::{ChangeSet, Monitor};

/// What is followed; nothing, where that is not wanted.
#[derive(Debug, Default)]
pub(super) struct Changes {
    monitor: Option<Monitor>,
    /// The reload that is under way because of them.
    pass: Option<u64>,
}

impl Changes {
    /// Takes in the program and the paths that are named, as they are now.
    ///
    /// # Errors
    /// When one of them cannot be followed.
    pub(super) async fn follow(
        wanted: Option<&ReloadOnChange>,
        program: &Program,
        files: &Files,
        daemon: bool,
    ) -> anyhow::Result<Self> {
        let Some(wanted) = wanted.filter(|wanted| wanted.as_daemon || !daemon) else {
            return Ok(Self::default());
        };
        let folder = program.path.parent().unwrap_or_else(|| Path::new("/"));
        let mut builder = Monitor::builder().path(&program.path);
        for path in &wanted.paths {
            builder = builder.path(folder.join(path));
        }
        // What the service itself writes is no reason to reload it.
        let old_log = with_ending(&files.log, ".1");
        for file in [&files.pid, &files.log, &old_log, &files.stdout, &files.control] {
            if let Some(name) = file.file_name() {
                builder = builder.exclude(literal(&name.to_string_lossy()));
            }
        }
        let monitor = builder.start().await.context("files cannot be followed for reloads")?;
        Ok(Self { monitor: Some(monitor), pass: None })
    }

    /// What has changed, unless a reload is under way because of earlier changes. May be dropped.
    pub(super) async fn next(&mut self) -> ChangeSet {
        if self.pass.is_none()
            && let Some(monitor) = &mut self.monitor
        {
            if let Some(set) = monitor.next().await {
                return set;
            }
            tracing::error!("files are not followed any more");
            self.monitor = None;
        }
        std::future::pending().await
    }

    /// A reload was begun for what has changed.
    pub(super) fn reloading(&mut self, pass: u64) {
        self.pass = Some(pass);
    }

    /// A reload is over. After one that failed, the next waits a while.
    pub(super) fn reloaded(&mut self, pass: u64, well: bool) {
        if self.pass.take_if(|waits_for| *waits_for <= pass).is_some()
            && let Some(monitor) = &mut self.monitor
            && !well
        {
            monitor.failed();
        }
    }
}

/// A pattern that matches this name only.
fn literal(name: &str) -> String {
    name.chars().flat_map(|character| ['\\', character]).collect()
}
