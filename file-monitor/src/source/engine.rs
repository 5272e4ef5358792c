//! The thread of a monitor: it listens to the kernel, keeps the time, and has the core decide.

use super::inotify::{Observer, Told};
use super::local::Local;
use super::mounts::{Mount, Mounts, mounted_below, why_poll};
use super::orders::{Answer, Order, Orders};
use super::roots::{StartError, resolve};
use crate::core::Core;
use crate::debounce::{Moment, Timing};
use crate::disk::EnterError;
use crate::filter::Wishes;
use crate::limits::EVENT_TURNS;
use crate::notice::Notice;
use crate::snapshot::Bounds;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// How often it is looked whether roots are still there: the kernel does not tell when a directory
/// above one is renamed, or when one comes back.
const ROOTS_LOOKED_AT: Duration = Duration::from_secs(1);
/// A poll may take this part of the time.
const POLL_SHARE: u32 = 20;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) wishes: Wishes,
    pub(crate) timing: Timing,
    pub(crate) bounds: Bounds,
    pub(crate) poll: bool,
    pub(crate) poll_interval: Duration,
}

/// Who is told what there is to say.
pub(crate) type Listener = Box<dyn FnMut(&Notice) + Send>;

pub(crate) struct Engine {
    core: Core<Local>,
    orders: Arc<Orders>,
    answers: UnboundedSender<Answer>,
    listener: Listener,
    origin: Instant,
    mounts: Mounts,
    /// The directories of the roots, and what is mounted below each.
    mounted: Vec<(PathBuf, Vec<Mount>)>,
    poll_interval: Duration,
    next_poll: Moment,
    next_look: Moment,
    /// What was asked for and not answered.
    next: bool,
    more: bool,
    read: bool,
}

impl Engine {
    /// Takes in everything as it is.
    ///
    /// # Errors
    /// See [`StartError`].
    pub(crate) fn start(
        settings: &Settings,
        orders: Arc<Orders>,
        answers: UnboundedSender<Answer>,
        listener: Listener,
    ) -> Result<Self, StartError> {
        let roots = resolve(&settings.roots)?;
        let (observer, limit) = observer(settings.poll)?;
        let mut core = Core::new(Local::new(observer), settings.timing, settings.bounds);
        for root in &roots {
            let reason = match settings.poll {
                true => Some("polling is set"),
                false => limit.or_else(|| why_poll(&root.directory)),
            };
            if let Some(reason) = reason {
                core.poll_root(root.directory.clone(), reason);
            }
            core.add(root.directory.clone(), root.only.clone(), &settings.wishes)?;
        }
        let mut engine = Self {
            core,
            orders,
            answers,
            listener,
            origin: Instant::now(),
            mounts: Mounts::new(),
            mounted: roots.into_iter().map(|root| (root.directory, Vec::new())).collect(),
            poll_interval: settings.poll_interval,
            next_poll: settings.poll_interval,
            next_look: ROOTS_LOOKED_AT,
            next: false,
            more: false,
            read: false,
        };
        engine.look_at_mounts();
        match engine.say() {
            true => Ok(engine),
            false => Err(StartError::TooManyFiles { files_max: settings.bounds.files_max }),
        }
    }

    /// How many files are followed.
    pub(crate) fn files(&self) -> usize {
        self.core.files()
    }

    /// Until it is told to stop, or nobody listens any more.
    pub(crate) fn run(mut self) {
        while self.obey() && !self.answers.is_closed() {
            self.tick();
            if self.wait() {
                self.listen();
            }
            self.say();
        }
    }

    fn now(&self) -> Moment {
        self.origin.elapsed()
    }

    fn obey(&mut self) -> bool {
        for order in self.orders.take() {
            let now = self.now();
            match order {
                Order::Next { well } => {
                    self.core.acted(now, well);
                    self.next = true;
                }
                Order::More => {
                    // All that had happened by now counts; more than that is not waited for.
                    let _ = (0..EVENT_TURNS).all(|_| self.listen());
                    if self.core.is_polled() {
                        self.core.poll(now);
                    }
                    self.core.more_is_wanted(now);
                    self.more = true;
                }
                Order::Read => self.read = true,
                Order::Rescan => self.core.rescan(now),
                Order::Stop => return false,
            }
        }
        true
    }

    /// What is due is done and answered.
    fn tick(&mut self) {
        let now = self.now();
        if now >= self.next_look {
            if self.mounts.changed() {
                for root in self.look_at_mounts() {
                    self.core.suspect_root(now, &root);
                }
            }
            self.core.check_roots(now);
            self.next_look = now + ROOTS_LOOKED_AT;
        }
        if self.core.is_polled() && now >= self.next_poll {
            self.core.poll(now);
            let took = self.now().saturating_sub(now);
            self.next_poll = self.now() + self.poll_interval.max(took * POLL_SHARE);
        }
        if self.read && !self.core.has_backlog() {
            self.read = false;
            self.answer(Answer::Read);
        }
        if self.more {
            self.answer_more(now);
        } else if self.next
            && let Some(set) = self.core.take(now)
        {
            self.next = false;
            self.answer(Answer::Next(set));
        }
    }

    /// Has roots polled below which something is mounted that does not tell of changes; those below
    /// which something else is mounted than before.
    fn look_at_mounts(&mut self) -> Vec<PathBuf> {
        let mut others = Vec::new();
        for (root, before) in &mut self.mounted {
            let Some(mounted) = mounted_below(root) else { continue };
            if *before == mounted {
                continue;
            }
            for mount in mounted.iter().filter(|mount| !before.contains(mount)) {
                let place = root.join(&mount.place);
                let reason = if self.core.follows(&place) { why_poll(&place) } else { None };
                if let Some(reason) = reason {
                    tracing::info!(place = %place.display(), reason, "its root is polled");
                    self.core.poll_root(root.clone(), reason);
                }
            }
            *before = mounted;
            others.push(root.clone());
        }
        others
    }

    fn answer_more(&mut self, now: Moment) {
        let set = self.core.take_more(now);
        if set.is_some() || self.core.settled_at().is_none() {
            self.more = false;
            self.answer(Answer::More(set));
        }
    }

    fn answer(&mut self, answer: Answer) {
        self.say();
        // Who does not listen any more needs no answer.
        let _ = self.answers.send(answer);
    }

    /// Sleeps until there is something to do; whether it may be that the kernel told something.
    fn wait(&mut self) -> bool {
        let now = self.now();
        let mut until = self.next_look;
        if self.core.is_polled() {
            until = until.min(self.next_poll);
        }
        let due = match (self.more, self.next) {
            (true, _) => self.core.settled_at(),
            (false, true) => self.core.next_deadline(),
            (false, false) => None,
        };
        until = due.map_or(until, |due| due.min(until));
        let is_idle = due.is_none();
        let reading = is_idle && self.core.has_backlog();
        let timeout = if reading { Duration::ZERO } else { until.saturating_sub(now) };
        let told = self.sleep(timeout);
        if reading && !told {
            self.core.read_some();
            // Half of the time at most, as others may want the disk.
            let took = self.now().saturating_sub(now);
            return self.sleep(took.min(until.saturating_sub(self.now())));
        }
        told
    }

    fn sleep(&mut self, timeout: Duration) -> bool {
        let timeout = Timespec::try_from(timeout).ok();
        let orders = PollFd::new(&*self.orders, PollFlags::IN);
        let Some(observer) = &self.core.disk().observer else {
            let _ = poll(&mut [orders], timeout.as_ref());
            return false;
        };
        let mut descriptors = [orders, PollFd::new(observer, PollFlags::IN)];
        let woken = poll(&mut descriptors, timeout.as_ref());
        woken.is_ok_and(|count| count > 0)
    }

    /// Takes what the kernel has to tell; whether there may be more.
    fn listen(&mut self) -> bool {
        let (mut hints, mut overflow) = (Vec::new(), false);
        let Some(observer) = &mut self.core.disk().observer else { return false };
        let read = observer.read(|one| match one {
            Told::Hint(hint) => hints.push(hint),
            Told::Overflow => overflow = true,
        });
        if let Err(error) = &read {
            tracing::warn!(%error, "the kernel cannot be asked for changes");
            overflow = true;
        }
        let now = self.now();
        for hint in hints {
            self.core.hint(now, &hint);
        }
        if overflow {
            self.core.overflow(now);
        }
        let goes_on = read.unwrap_or(false);
        if goes_on {
            // To look at some may have taken longer than the quiet that is waited for.
            self.core.hints_go_on(self.now());
        }
        goes_on
    }

    /// Tells of notices; whether there were not too many files.
    fn say(&mut self) -> bool {
        let notices = self.core.notices();
        for notice in &notices {
            tracing::debug!(%notice, "file monitor");
            (self.listener)(notice);
        }
        !notices.iter().any(|notice| matches!(notice, Notice::TooManyFiles { .. }))
    }
}

/// What the kernel tells by, or why it does not.
fn observer(poll: bool) -> Result<(Option<Observer>, Option<&'static str>), StartError> {
    if poll {
        return Ok((None, None));
    }
    match Observer::new() {
        Ok(observer) => Ok((Some(observer), None)),
        Err(EnterError::Limit(_)) => {
            Ok((None, Some("fs.inotify.max_user_instances is reached; raise it with `sysctl -w`")))
        }
        Err(EnterError::Other(error)) => Err(error.into()),
        Err(EnterError::Gone) => Err(std::io::Error::from(std::io::ErrorKind::NotFound).into()),
    }
}
