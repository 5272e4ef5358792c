//! Every job that there is, and where it is, by what was said at the server's door.

use super::settings::AllSettings;
use crate::findings::Findings;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use workyard_channel_core::BrokerLimits;
use workyard_engine::SessionId;
use workyard_protocol::channel::QueueSettings;

/// So much later than due a server does what time brings.
const SLACK_MS: u64 = 100;

#[derive(Debug)]
pub(super) struct Book {
    pub(super) findings: Arc<Findings>,
    pub(super) now_ms: u64,
    jobs: BTreeMap<u64, Job>,
    settings: AllSettings,
    /// By queue and id, the job and until when it is remembered.
    ids: BTreeMap<(Vec<u8>, Vec<u8>), (u64, u64)>,
    /// By session and queue, how many jobs it may hold.
    consumers: BTreeMap<(SessionId, Vec<u8>), u32>,
    last_lease: u64,
    /// Before this, no lease has long been over.
    look_at_ms: u64,
}

#[derive(Clone, Debug)]
struct Job {
    value: u64,
    /// What it counts, and why it came back, which counts too.
    bytes: u64,
    reason_bytes: u64,
    queue: Vec<u8>,
    priority: u8,
    attempt: u32,
    place: Place,
    /// It came back while it was not known by which settings: it may be among the dead, and with no
    /// attempt counted if these have been redriven.
    is_doubtful: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nobody shall have it before the first millisecond; from the second on nothing stands in its way.
    Waits(u64, u64),
    Leased(Lease),
    Gone,
}

/// Whose a job is, under which number, and until when if that is not renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) by: SessionId,
    pub(super) number: u64,
    pub(super) lasts_ms: u64,
    pub(super) until_ms: u64,
}

/// What is handed out.
#[derive(Debug)]
pub(super) struct HandOut<'a> {
    pub(super) by: SessionId,
    pub(super) queue: &'a [u8],
    pub(super) job: u64,
    pub(super) attempt: u32,
    pub(super) lease: u64,
    pub(super) lease_ms: u32,
    pub(super) value: u64,
}

/// What is stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) queue: Vec<u8>,
    pub(super) value: u64,
    /// What it counts.
    pub(super) bytes: u64,
    pub(super) delay_ms: u64,
    pub(super) priority: u8,
    pub(super) id: Option<Vec<u8>>,
}

impl Lease {
    fn is_over(&self, now_ms: u64) -> bool {
        self.lasts_ms > 0 && self.until_ms <= now_ms
    }
}

impl Job {
    fn leased(&self, by: SessionId, number: u64) -> Option<Lease> {
        match self.place {
            Place::Leased(lease) if (lease.by, lease.number) == (by, number) => Some(lease),
            _ => None,
        }
    }

    /// Nothing stands in the way of handing it out.
    fn is_ready(&self, now_ms: u64) -> bool {
        let is_waiting = matches!(self.place, Place::Waits(_, latest) if latest <= now_ms);
        is_waiting && !self.is_doubtful
    }
}

impl Book {
    pub(super) fn new(findings: Arc<Findings>, limits: BrokerLimits) -> Self {
        Self {
            findings,
            now_ms: 0,
            jobs: BTreeMap::new(),
            settings: AllSettings::new(limits),
            ids: BTreeMap::new(),
            consumers: BTreeMap::new(),
            last_lease: 0,
            look_at_ms: u64::MAX,
        }
    }

    /// It is so late: what has long been over has been taken back.
    pub(super) fn at(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        if now_ms < self.look_at_ms {
            return;
        }
        let is_over = |job: &Job| match job.place {
            Place::Leased(lease) => lease.is_over(now_ms.saturating_sub(SLACK_MS)),
            _ => false,
        };
        let over: Vec<u64> =
            self.jobs.iter().filter(|(_, job)| is_over(job)).map(|(job, _)| *job).collect();
        over.into_iter().for_each(|job| self.expired(job));
        let ends = self.jobs.values().filter_map(|job| match job.place {
            Place::Leased(lease) if lease.lasts_ms > 0 => Some(lease.until_ms + SLACK_MS),
            _ => None,
        });
        self.look_at_ms = ends.min().unwrap_or(u64::MAX);
    }

    pub(super) fn stored(&mut self, stored: Stored, number: u64, duplicate: bool) {
        let Stored { queue, value, bytes, delay_ms, priority, id } = stored;
        if let Some(id) = id {
            let now_ms = self.now_ms;
            let window_ms = self.settings.of(&queue).window_ms();
            let known = self.ids.get(&(queue.clone(), id.clone())).filter(|(_, end)| *end > now_ms);
            let is_right = duplicate == known.is_some_and(|(job, _)| *job == number)
                && duplicate == known.is_some();
            self.findings.check(is_right, || {
                format!("value {value} is job {number}, duplicate {duplicate}: {known:?} is known")
            });
            if !duplicate {
                self.ids.insert((queue.clone(), id), (number, now_ms + window_ms));
            }
        }
        if duplicate {
            return;
        }
        let (least, _) = self.filled(&queue);
        let has_room = self.settings.of(&queue).takes(least.0, least.1, bytes);
        self.findings.check(has_room, || format!("value {value} is beside {least:?}: too many"));
        let place = self.waits(delay_ms);
        let reason_bytes = 0;
        let job = Job {
            value,
            bytes,
            reason_bytes,
            queue,
            priority,
            attempt: 0,
            place,
            is_doubtful: false,
        };
        let before = self.jobs.insert(number, job);
        self.findings.check(before.is_none(), || format!("two jobs have the number {number}"));
    }

    /// A session is handed a job: nobody has it, it is time, and none goes before it.
    pub(super) fn handed_out(&mut self, out: &HandOut<'_>) {
        let (number, now_ms) = (out.job, self.now_ms);
        let last_lease = std::mem::replace(&mut self.last_lease, out.lease);
        self.findings.check(out.lease > last_lease, || format!("{out:?} follows {last_lease}"));
        if let Some(Place::Leased(lease)) = self.jobs.get(&number).map(|job| job.place)
            && lease.is_over(now_ms)
        {
            self.expired(number);
        }
        let Some(job) = self.jobs.get(&number).cloned() else {
            return self.findings.report(format!("job {number} was handed out and never stored"));
        };
        let is_free = matches!(job.place, Place::Waits(earliest, _) if earliest <= now_ms);
        self.findings.check(is_free, || format!("{now_ms}: {out:?} is not free: {job:?}"));
        let is_next = out.attempt == job.attempt + 1 || (job.is_doubtful && out.attempt == 1);
        let is_same = out.value == job.value && (out.queue == job.queue || job.is_doubtful);
        self.findings.check(is_next && is_same, || format!("{out:?} is {job:?}"));
        let lease_ms = self.settings.of(out.queue).lease_ms();
        self.findings.check(out.lease_ms == lease_ms, || format!("{out:?}, not {lease_ms} ms"));
        self.check_order(number, job.priority, out.queue);
        self.check_prefetch(out);
        let lasts_ms = u64::from(out.lease_ms);
        let (by, until_ms) = (out.by, now_ms + lasts_ms);
        let place = Place::Leased(Lease { by, number: out.lease, lasts_ms, until_ms });
        if lasts_ms > 0 {
            self.look_at_ms = self.look_at_ms.min(until_ms + SLACK_MS);
        }
        let (queue, attempt) = (out.queue.to_vec(), out.attempt);
        let reason_bytes = if attempt == 1 { 0 } else { job.reason_bytes };
        let job = Job { place, queue, attempt, reason_bytes, is_doubtful: false, ..job };
        self.jobs.insert(number, job);
    }

    pub(super) fn acknowledged(&mut self, by: SessionId, lease: u64) {
        match self.held(by, lease) {
            Some((number, _)) => self.put(number, Place::Gone),
            None => self.findings.report(format!("{by:?} was allowed to settle lease {lease}")),
        }
    }

    pub(super) fn given_back(
        &mut self,
        by: SessionId,
        lease: u64,
        delay_ms: Option<u64>,
        reason_bytes: Option<u64>,
    ) {
        let Some((number, _)) = self.held(by, lease) else {
            return self.findings.report(format!("{by:?} was allowed to settle lease {lease}"));
        };
        let job = self.jobs.get_mut(&number).expect("it was found before");
        job.reason_bytes = reason_bytes.unwrap_or(job.reason_bytes);
        let settings = self.settings.of(&job.queue);
        let delay_ms = delay_ms.unwrap_or_else(|| settings.backoff_ms(job.attempt));
        if settings.is_spent(job.attempt) {
            return self.died(number, self.now_ms, self.now_ms);
        }
        let place = self.waits(delay_ms);
        self.put(number, place);
    }

    /// A session was told that some of its leases are over, and that the others last.
    pub(super) fn renewed(&mut self, by: SessionId, leases: &[u64], lost: &[u64]) {
        for lease in leases {
            if lost.contains(lease) {
                self.denied(by, *lease);
                continue;
            }
            match self.held(by, *lease) {
                Some((number, held)) => {
                    let until_ms = self.now_ms + held.lasts_ms;
                    self.put(number, Place::Leased(Lease { until_ms, ..held }));
                }
                None => self.findings.report(format!("{by:?} prolonged lease {lease}")),
            }
        }
    }

    /// A session was told that a lease is over: if it was its own, its job has been taken back.
    pub(super) fn denied(&mut self, by: SessionId, lease: u64) {
        let Some((number, held)) = self.held(by, lease) else { return };
        self.findings.check(held.is_over(self.now_ms), || {
            format!("{by:?} was told that lease {lease} is over: {held:?}")
        });
        self.expired(number);
    }

    /// What a session held comes back at once, unless its lease was over before.
    pub(super) fn closed(&mut self, session: SessionId) {
        self.consumers.retain(|(whose, _), _| *whose != session);
        let now_ms = self.now_ms;
        let is_held = |job: &Job| matches!(job.place, Place::Leased(held) if held.by == session);
        let held: Vec<u64> =
            self.jobs.iter().filter(|(_, job)| is_held(job)).map(|(job, _)| *job).collect();
        for number in held {
            let job = &self.jobs[&number];
            let Place::Leased(lease) = job.place else { continue };
            if lease.is_over(now_ms) {
                // It may have been taken back for that, or is for this.
                self.expired(number);
                if let Place::Waits(earliest, latest) = self.jobs[&number].place {
                    self.put(number, Place::Waits(earliest.min(now_ms), latest.max(now_ms)));
                }
            } else if self.settings.of(&job.queue).is_spent(job.attempt) {
                self.died(number, now_ms, now_ms);
            } else {
                self.put(number, Place::Waits(now_ms, now_ms));
            }
        }
    }

    pub(super) fn consumes(&mut self, session: SessionId, queue: &[u8], prefetch: u32) {
        self.consumers.insert((session, queue.to_vec()), prefetch);
    }

    pub(super) fn cancelled(&mut self, session: SessionId, queue: &[u8]) {
        self.consumers.remove(&(session, queue.to_vec()));
    }

    pub(super) fn configured(&mut self, queue: &[u8], settings: QueueSettings) {
        self.settings.set(queue, settings, self.now_ms);
    }

    /// It was asked to remove a job, and said how many it removed; nothing, as somebody holds it.
    pub(super) fn removed(&mut self, queue: &[u8], number: u64, removed: Option<u64>) {
        let Some(job) = self.jobs.get(&number).cloned() else {
            return self
                .findings
                .check(removed == Some(0), || format!("job {number} out of nothing"));
        };
        let (is_here, is_doubtful) = (job.queue == queue, job.is_doubtful);
        let is_right = match (removed, job.place) {
            (None, Place::Leased(_)) => is_here,
            (Some(1), Place::Waits(..)) => is_here || is_doubtful,
            (Some(1), Place::Leased(lease)) => lease.is_over(self.now_ms),
            (Some(0), Place::Waits(..)) => !is_here || is_doubtful,
            // It may have died meanwhile, and is in another queue.
            (Some(0), Place::Leased(lease)) => !is_here || lease.is_over(self.now_ms),
            (Some(0), Place::Gone) => true,
            _ => false,
        };
        self.findings.check(is_right, || format!("removed {removed:?}: job {number}, {job:?}"));
        if removed == Some(1) {
            self.put(number, Place::Gone);
        }
    }

    /// A job of so many bytes was refused, as the queue is full.
    pub(super) fn full(&self, queue: &[u8], bytes: u64) {
        let (_, most) = self.filled(queue);
        let has_room = self.settings.of(queue).takes(most.0, most.1, bytes);
        self.findings
            .check(!has_room, || format!("there is room for {bytes} bytes beside {most:?}"));
    }

    /// Dead letters were not moved back, as there was no room for the first of them.
    pub(super) fn not_redriven(&self, queue: &[u8], from: u64) {
        let dead = dead_of(queue);
        let mut all = self.jobs.range(from..).map(|(_, job)| job);
        match all.find(|job| job.queue == dead && job.place != Place::Gone && !job.is_doubtful) {
            Some(job) => self.full(queue, job.bytes + job.reason_bytes),
            // There may be one that is not known to be dead, of any size.
            None => self.full(queue, u64::from(u32::MAX)),
        }
    }

    /// All dead letters of a queue in a range were moved back to it: so many.
    pub(super) fn redriven(&mut self, queue: &[u8], range: Range<u64>, count: u64) {
        let (least, _) = self.filled(queue);
        let has_room = count == 0 || self.settings.of(queue).takes(least.0 + count - 1, least.1, 0);
        self.findings.check(has_room, || format!("{count} were redriven beside {least:?}"));
        let dead = dead_of(queue);
        let now_ms = self.now_ms;
        let (mut sure, mut doubtful) = (0, 0);
        for (_, job) in self.jobs.range_mut(range) {
            let is_over = matches!(job.place, Place::Leased(held) if held.is_over(now_ms));
            let is_waiting = matches!(job.place, Place::Waits(..));
            if is_waiting && job.queue == dead && !job.is_doubtful {
                sure += 1;
                (job.queue, job.attempt, job.reason_bytes) = (queue.to_vec(), 0, 0);
                job.place = Place::Waits(now_ms, now_ms);
            } else if is_over || (is_waiting && job.is_doubtful) {
                doubtful += 1;
                job.is_doubtful = true;
            }
        }
        self.findings.check((sure..=sure + doubtful).contains(&count), || {
            format!("{count} were redriven: {sure} are dead, {doubtful} may be")
        });
    }

    /// In memory only: a new process knows of nothing.
    pub(super) fn forget_everything(&mut self) {
        self.jobs.clear();
        self.ids.clear();
        self.settings.clear();
        self.consumers.clear();
        self.last_lease = 0;
    }

    /// The value of a job.
    pub(super) fn value(&self, number: u64) -> Option<u64> {
        self.jobs.get(&number).map(|job| job.value)
    }

    /// Whether a job of this value is finished.
    pub(super) fn is_gone(&self, value: u64) -> bool {
        self.jobs.values().any(|job| job.value == value && job.place == Place::Gone)
    }

    /// How many jobs there are, whatever their state.
    pub(super) fn left(&self) -> usize {
        self.jobs.values().filter(|job| job.place != Place::Gone).count()
    }

    /// The numbers and attempts of the dead letters of a queue; nothing if that is not certain.
    pub(super) fn dead(&self, queue: &[u8]) -> Option<Vec<(u64, u32)>> {
        let left = self.jobs.iter().filter(|(_, job)| job.place != Place::Gone);
        let dead = dead_of(queue);
        let mut all = Vec::new();
        for (number, job) in left {
            if job.is_doubtful {
                return None;
            }
            all.extend((job.queue == dead).then_some((*number, job.attempt)));
        }
        Some(all)
    }

    /// The jobs of a queue and their bytes: at least, and at most.
    fn filled(&self, queue: &[u8]) -> ((u64, u64), (u64, u64)) {
        let (mut least, mut most) = ((0, 0), (0, 0));
        let dead = dead_of(queue);
        for job in self.jobs.values().filter(|job| job.place != Place::Gone) {
            let is_over = matches!(job.place, Place::Leased(held) if held.is_over(self.now_ms));
            let is_unsure = is_over || job.is_doubtful;
            if job.queue == queue || (is_unsure && job.queue == dead) {
                let bytes = job.bytes + job.reason_bytes;
                most = (most.0 + 1, most.1 + bytes);
                if !is_unsure {
                    least = (least.0 + 1, least.1 + bytes);
                }
            }
        }
        (least, most)
    }

    fn held(&self, by: SessionId, lease: u64) -> Option<(u64, Lease)> {
        let mut all = self.jobs.iter();
        all.find_map(|(number, job)| Some((*number, job.leased(by, lease)?)))
    }

    fn put(&mut self, number: u64, place: Place) {
        self.jobs.get_mut(&number).expect("it was found before").place = place;
    }

    /// Where a job is that nobody shall have for a while from now on.
    fn waits(&self, delay_ms: u64) -> Place {
        let due_ms = self.now_ms + delay_ms;
        Place::Waits(due_ms, if delay_ms > 0 { due_ms + SLACK_MS } else { due_ms })
    }

    /// A lease is over: its job came back when it was, or so much later as a server may be late.
    fn expired(&mut self, number: u64) {
        let job = self.jobs.get_mut(&number).expect("it was found before");
        let Place::Leased(Lease { until_ms, .. }) = job.place else { return };
        let settings = self.settings.of(&job.queue);
        if job.is_doubtful || settings.since_ms >= until_ms {
            job.is_doubtful = true;
            job.place = Place::Waits(until_ms, u64::MAX);
        } else if settings.is_spent(job.attempt) {
            self.died(number, until_ms, until_ms + SLACK_MS);
        } else {
            let back_ms = until_ms + settings.backoff_ms(job.attempt);
            job.place = Place::Waits(back_ms, back_ms + 2 * SLACK_MS);
        }
    }

    fn died(&mut self, number: u64, earliest_ms: u64, latest_ms: u64) {
        let job = self.jobs.get_mut(&number).expect("it was found before");
        job.queue.extend_from_slice(b".dead");
        job.place = Place::Waits(earliest_ms, latest_ms);
    }

    /// Nothing of a higher priority, or of the same and older, was there to be handed out.
    fn check_order(&self, number: u64, priority: u8, queue: &[u8]) {
        let goes_before = |(other, job): &(&u64, &Job)| {
            let is_better =
                job.priority > priority || (job.priority == priority && **other < number);
            is_better && job.queue == queue && job.is_ready(self.now_ms)
        };
        let better = self.jobs.iter().find(goes_before);
        self.findings.check(better.is_none(), || {
            format!("job {number} of priority {priority} was handed out before {better:?}")
        });
    }

    fn check_prefetch(&self, out: &HandOut<'_>) {
        let prefetch = self.consumers.get(&(out.by, out.queue.to_vec())).copied();
        let is_held = |job: &&Job| match job.place {
            Place::Leased(lease) => {
                lease.by == out.by && job.queue == out.queue && !lease.is_over(self.now_ms)
            }
            _ => false,
        };
        let held = self.jobs.values().filter(is_held).count();
        let has_room = prefetch.is_some_and(|prefetch| held < prefetch as usize);
        self.findings.check(has_room, || format!("{out:?} beside {held}, prefetch {prefetch:?}"));
    }
}

/// Where the dead letters of a queue are.
fn dead_of(queue: &[u8]) -> Vec<u8> {
    [queue, b".dead"].concat()
}
