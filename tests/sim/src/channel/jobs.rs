//! Every job that there ever was, and where it is, by what was said at the server's door.

use crate::findings::Findings;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use workyard_engine::SessionId;

#[derive(Debug, Default)]
pub(crate) struct Jobs {
    by_number: BTreeMap<u64, Job>,
    last_lease: u64,
}

#[derive(Debug)]
struct Job {
    value: u64,
    attempt: u32,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Ready,
    Leased(Lease),
    Finished,
}

/// Whose a job is, under which number, and until when if that is not renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    by: SessionId,
    number: u64,
    lasts: Duration,
    until: Instant,
}

impl Lease {
    /// One that begins now.
    pub(crate) fn new(by: SessionId, number: u64, lease_ms: u32) -> Self {
        let lasts = Duration::from_millis(lease_ms.into());
        Self { by, number, lasts, until: Instant::now() + lasts }
    }

    /// The server may have taken the job back.
    fn may_be_over(&self) -> bool {
        !self.lasts.is_zero() && self.until <= Instant::now()
    }
}

impl Job {
    fn is_leased(&self, by: SessionId, lease: u64) -> bool {
        matches!(self.place, Place::Leased(held) if held.by == by && held.number == lease)
    }
}

impl Jobs {
    pub(crate) fn stored(&mut self, number: u64, value: u64, findings: &Findings) {
        let job = Job { value, attempt: 0, place: Place::Ready };
        let before = self.by_number.insert(number, job);
        findings.check(before.is_none(), || format!("two jobs have the number {number}"));
    }

    /// A session is handed a job: it is its own, and nobody else's.
    pub(crate) fn handed_out(
        &mut self,
        lease: Lease,
        number: u64,
        attempt: u32,
        value: u64,
        findings: &Findings,
    ) {
        let last_lease = std::mem::replace(&mut self.last_lease, lease.number);
        let Some(job) = self.by_number.get_mut(&number) else {
            return findings.report(format!("job {number} was handed out and never stored"));
        };
        let is_free = match job.place {
            Place::Ready => true,
            Place::Leased(held) => held.may_be_over(),
            Place::Finished => false,
        };
        findings.check(is_free, || {
            format!("job {number} was handed to {:?} and is {:?}", lease.by, job.place)
        });
        findings.check(lease.number > last_lease, || {
            format!("lease {} follows lease {last_lease}", lease.number)
        });
        findings.check(job.value == value, || format!("job {number} is another one's value"));
        findings.check(attempt == job.attempt + 1, || {
            format!("job {number}: attempt {attempt} follows attempt {}", job.attempt)
        });
        (job.place, job.attempt) = (Place::Leased(lease), attempt);
    }

    pub(crate) fn acknowledged(&mut self, by: SessionId, lease: u64, findings: &Findings) {
        self.settle(by, lease, Place::Finished, findings);
    }

    pub(crate) fn given_back(&mut self, by: SessionId, lease: u64, findings: &Findings) {
        self.settle(by, lease, Place::Ready, findings);
    }

    /// A session was told that some of its leases are over, and that the others last.
    pub(crate) fn renewed(
        &mut self,
        by: SessionId,
        leases: &[u64],
        lost: &[u64],
        findings: &Findings,
    ) {
        for lease in leases {
            if lost.contains(lease) {
                self.denied(by, *lease, findings);
                continue;
            }
            match self.by_number.values_mut().find(|job| job.is_leased(by, *lease)) {
                Some(Job { place: Place::Leased(held), .. }) => {
                    held.until = Instant::now() + held.lasts;
                }
                _ => findings.report(format!("{by:?} prolonged lease {lease}, which is over")),
            }
        }
    }

    /// A session was told that a lease is not its own.
    pub(crate) fn denied(&self, by: SessionId, lease: u64, findings: &Findings) {
        let held = self.by_number.values().find(|job| job.is_leased(by, lease));
        let is_over = match held.map(|job| job.place) {
            Some(Place::Leased(held)) => held.may_be_over(),
            _ => true,
        };
        findings
            .check(is_over, || format!("lease {lease} is {by:?}'s, which was told that it is not"));
    }

    /// What a session held is for others.
    pub(crate) fn closed(&mut self, session: SessionId) {
        for job in self.by_number.values_mut() {
            if matches!(job.place, Place::Leased(held) if held.by == session) {
                job.place = Place::Ready;
            }
        }
    }

    /// In memory only: a new process knows of no job.
    pub(crate) fn forget_everything(&mut self) {
        self.by_number.clear();
        self.last_lease = 0;
    }

    /// The value of a job that is stored.
    pub(crate) fn value(&self, number: u64) -> Option<u64> {
        self.by_number.get(&number).map(|job| job.value)
    }

    /// Whether a job with this value is known to be finished.
    pub(crate) fn is_finished(&self, value: u64) -> bool {
        self.by_number.values().any(|job| job.value == value && job.place == Place::Finished)
    }

    /// After everything was worked off, none may be left.
    pub(crate) fn check_all_finished(&self, findings: &Findings) {
        for (number, job) in &self.by_number {
            findings.check(job.place == Place::Finished, || {
                format!("job {number} was never finished: it is {:?}", job.place)
            });
        }
    }

    fn settle(&mut self, by: SessionId, lease: u64, place: Place, findings: &Findings) {
        match self.by_number.values_mut().find(|job| job.is_leased(by, lease)) {
            Some(job) => job.place = place,
            None => findings.report(format!("{by:?} was allowed to settle lease {lease}")),
        }
    }
}
