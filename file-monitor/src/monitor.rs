//! A monitor as a program has it: a stream of settled sets of changes.

use crate::change::ChangeSet;
use crate::debounce::Timing;
use crate::filter::{Filter, Wishes};
use crate::limits::{DIGEST_BYTES_MAX, FILES_MAX, LINKS_MAX, TIME_MAX};
use crate::notice::Notice;
use crate::snapshot::Bounds;
use crate::source::{Answer, Engine, Order, Orders, Settings, StartError};
use futures_util::Stream;
use std::ffi::OsString;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;

/// Follows directories and files, in a thread of its own, which ends when this is dropped.
///
/// Changes are gathered while nobody asks for them, so that a slow reader gets one set and not many.
///
/// ```no_run
/// # async fn example() -> Result<(), workyard_file_monitor::StartError> {
/// use workyard_file_monitor::Monitor;
///
/// let mut monitor = Monitor::builder().path("src").extension("php").start().await?;
/// while let Some(changes) = monitor.next().await {
///     println!("{changes}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Monitor {
    orders: Arc<Orders>,
    answers: UnboundedReceiver<Answer>,
    files: usize,
    /// Whether a set was asked for that has not come.
    asked: bool,
    /// The same for what came since the last one.
    asked_more: bool,
    /// What came while something else was waited for.
    early: Option<ChangeSet>,
    well: bool,
}

impl Monitor {
    /// What to follow, and how.
    #[must_use]
    pub fn builder() -> MonitorBuilder {
        MonitorBuilder::default()
    }

    /// How many files are followed since the start.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// The next settled set; to ask for it says that what was made of the last one is over. `None`
    /// when the monitor's thread has ended, which it does only by a bug.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<ChangeSet> {
        poll_fn(|context| self.poll_set(context)).await
    }

    /// What has changed since the last set, when that has settled; `None` if nothing has. For who
    /// checks files before acting on them: as long as this has something, the check was of others.
    ///
    /// Dropping the future loses nothing.
    pub async fn more(&mut self) -> Option<ChangeSet> {
        if let Some(early) = self.early.take() {
            return Some(early);
        }
        if !self.asked_more {
            self.asked_more = true;
            self.orders.give(Order::More);
        }
        while let Some(answer) = self.answers.recv().await {
            let is_asked_for = matches!(answer, Answer::More(_));
            self.keep(answer);
            if is_asked_for {
                return self.early.take();
            }
        }
        None
    }

    /// Waits until the content of all files was read, which is done in the background after the start.
    /// Until then, a file that is touched counts as modified.
    pub async fn read_all(&mut self) {
        self.orders.give(Order::Read);
        while let Some(answer) = self.answers.recv().await {
            let is_asked_for = matches!(answer, Answer::Read);
            self.keep(answer);
            if is_asked_for {
                return;
            }
        }
    }

    /// What was made of the last set went wrong: the next one waits a while, and longer each time.
    pub fn failed(&mut self) {
        self.well = false;
    }

    /// Has everything looked at, as if hints had been lost.
    pub fn rescan(&self) {
        self.orders.give(Order::Rescan);
    }

    fn poll_set(&mut self, context: &mut Context<'_>) -> Poll<Option<ChangeSet>> {
        if let Some(early) = self.early.take() {
            return Poll::Ready(Some(early));
        }
        loop {
            if !self.asked {
                self.asked = true;
                let well = std::mem::replace(&mut self.well, true);
                self.orders.give(Order::Next { well });
            }
            let Some(answer) = ready!(self.answers.poll_recv(context)) else {
                return Poll::Ready(None);
            };
            self.keep(answer);
            if let Some(early) = self.early.take() {
                return Poll::Ready(Some(early));
            }
        }
    }

    /// Puts what came where the next call finds it.
    fn keep(&mut self, answer: Answer) {
        let set = match answer {
            Answer::Next(set) => {
                self.asked = false;
                Some(set)
            }
            Answer::More(set) => {
                self.asked_more = false;
                set
            }
            Answer::Read => None,
        };
        match (&mut self.early, set) {
            (Some(early), Some(set)) => early.merge(set),
            (None, Some(set)) => self.early = Some(set),
            (_, None) => {}
        }
    }
}

impl Stream for Monitor {
    type Item = ChangeSet;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ChangeSet>> {
        self.get_mut().poll_set(context)
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.orders.give(Order::Stop);
    }
}

/// What a monitor follows, and how. The defaults suit a tree of sources.
pub struct MonitorBuilder {
    settings: Settings,
    listener: Box<dyn FnMut(&Notice) + Send>,
}

impl Default for MonitorBuilder {
    fn default() -> Self {
        let (include, exclude, always, extensions) = (vec![], vec![], vec![], vec![]);
        let settings = Settings {
            roots: Vec::new(),
            wishes: Wishes {
                include,
                exclude,
                always,
                extensions,
                droppings: true,
                ignore_files: true,
            },
            timing: Timing {
                settle: Duration::from_millis(50),
                settle_max: Duration::from_secs(5),
                interval: Duration::from_millis(200),
                backoff: Duration::from_secs(1),
            },
            bounds: Bounds {
                files_max: FILES_MAX,
                digest_bytes_max: DIGEST_BYTES_MAX,
                links_max: LINKS_MAX,
                follow_links: false,
            },
            poll: false,
            poll_interval: Duration::from_secs(1),
        };
        Self { settings, listener: Box::new(|notice| tracing::warn!("{notice}")) }
    }
}

impl MonitorBuilder {
    /// Follows a directory with all below it, or a file. A path may be a symbolic link: when that
    /// leads elsewhere, what differs there is changed.
    #[must_use]
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.roots.push(path.into());
        self
    }

    /// Only files that match one of the patterns count. A pattern is written as in a `.gitignore`,
    /// relative to the path that is followed: `*.php`, `/config/`, `src/**/*.rs`.
    #[must_use]
    pub fn include(mut self, pattern: impl Into<String>) -> Self {
        self.settings.wishes.include.push(pattern.into());
        self
    }

    /// What matches does not count; with `!` before it, it does although an earlier pattern matches.
    #[must_use]
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.settings.wishes.exclude.push(pattern.into());
        self
    }

    /// What matches counts in any case, whatever ignores it. For a directory this is so of all in it.
    #[must_use]
    pub fn always(mut self, pattern: impl Into<String>) -> Self {
        self.settings.wishes.always.push(pattern.into());
        self
    }

    /// Only files with this extension count, or with another one that is given: `php`, without a dot.
    #[must_use]
    pub fn extension(mut self, extension: impl Into<OsString>) -> Self {
        self.settings.wishes.extensions.push(extension.into());
        self
    }

    /// Whether `.gitignore` and `.ignore` are obeyed; they are if not set.
    #[must_use]
    pub fn ignore_files(mut self, obeyed: bool) -> Self {
        self.settings.wishes.ignore_files = obeyed;
        self
    }

    /// Whether what editors and tools leave behind is ignored, with directories such as `.git` and
    /// `node_modules`; it is if not set.
    #[must_use]
    pub fn ignore_droppings(mut self, ignored: bool) -> Self {
        self.settings.wishes.droppings = ignored;
        self
    }

    /// Looks through symbolic links, also at directories and files elsewhere. Otherwise, a link
    /// changes when it is made to point elsewhere.
    #[must_use]
    pub fn follow_links(mut self, followed: bool) -> Self {
        self.settings.bounds.follow_links = followed;
        self
    }

    /// How long it must be quiet before a set is complete; 50 ms if not set.
    #[must_use]
    pub fn settle(mut self, time: Duration) -> Self {
        self.settings.timing.settle = time;
        self
    }

    /// When a set is complete although it is not quiet; 5 s after its first sign if not set.
    #[must_use]
    pub fn settle_max(mut self, time: Duration) -> Self {
        self.settings.timing.settle_max = time;
        self
    }

    /// The least time between what is made of two sets; 200 ms if not set.
    #[must_use]
    pub fn interval(mut self, time: Duration) -> Self {
        self.settings.timing.interval = time;
        self
    }

    /// The wait after [`Monitor::failed`], doubled each further time up to 30 s; 1 s if not set.
    #[must_use]
    pub fn backoff(mut self, time: Duration) -> Self {
        self.settings.timing.backoff = time;
        self
    }

    /// Looks again and again instead of being told. Without it this is done where it must be.
    #[must_use]
    pub fn poll(mut self, polled: bool) -> Self {
        self.settings.poll = polled;
        self
    }

    /// How often is looked when that must be done; 1 s if not set, and less often where a look takes long.
    #[must_use]
    pub fn poll_interval(mut self, time: Duration) -> Self {
        self.settings.poll_interval = time;
        self
    }

    /// Files at most; [`FILES_MAX`] if not set.
    #[must_use]
    pub fn files_max(mut self, files_max: usize) -> Self {
        self.settings.bounds.files_max = files_max;
        self
    }

    /// Up to which size, in bytes, content is compared; [`DIGEST_BYTES_MAX`] if not set.
    #[must_use]
    pub fn digest_bytes_max(mut self, digest_bytes_max: u64) -> Self {
        self.settings.bounds.digest_bytes_max = digest_bytes_max;
        self
    }

    /// Is called, in the monitor's thread, when there is something to say; it is logged if not set.
    #[must_use]
    pub fn on_notice(mut self, listener: impl FnMut(&Notice) + Send + 'static) -> Self {
        self.listener = Box::new(listener);
        self
    }

    /// Takes everything in as it is. When this returns, what changes later is told.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(self) -> Result<Monitor, StartError> {
        self.check()?;
        let orders = Arc::new(Orders::new()?);
        let (sender, answers) = unbounded_channel();
        let (ready, started) = oneshot::channel();
        let (settings, listener, for_thread) = (self.settings, self.listener, Arc::clone(&orders));
        std::thread::Builder::new().name("file-monitor".to_owned()).spawn(move || {
            match Engine::start(&settings, for_thread, sender, listener) {
                Ok(engine) => {
                    if ready.send(Ok(engine.files())).is_ok() {
                        engine.run();
                    }
                }
                Err(error) => {
                    // Who started it may be gone.
                    let _ = ready.send(Err(error));
                }
            }
        })?;
        let files = started.await.map_err(|_| std::io::Error::other("the thread is gone"))??;
        Ok(Monitor {
            orders,
            answers,
            files,
            asked: false,
            asked_more: false,
            early: None,
            well: true,
        })
    }

    /// What can be wrong without a look at the disk.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        Filter::new(Path::new("/"), None, &self.settings.wishes)?;
        let Timing { settle, settle_max, interval, backoff } = self.settings.timing;
        let poll_interval = self.settings.poll_interval;
        if [settle, settle_max, interval, backoff, poll_interval]
            .iter()
            .any(|time| *time > TIME_MAX)
        {
            return Err(StartError::Time("a time is longer than a day"));
        }
        if settle_max < settle {
            return Err(StartError::Time("settle_max is shorter than settle"));
        }
        if poll_interval < Duration::from_millis(10) {
            return Err(StartError::Time("poll_interval is shorter than 10ms"));
        }
        Ok(())
    }
}
