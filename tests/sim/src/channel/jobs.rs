//! Every job that there ever was, and where it is, by what was said at the server's door.

use crate::findings::Findings;
use std::collections::BTreeMap;
use workyard_engine::SessionId;

#[derive(Debug, Default)]
pub(crate) struct Jobs {
    by_number: BTreeMap<u64, Job>,
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
    Leased(SessionId),
    Finished,
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
        to: SessionId,
        number: u64,
        attempt: u32,
        value: u64,
        findings: &Findings,
    ) {
        let Some(job) = self.by_number.get_mut(&number) else {
            return findings.report(format!("job {number} was handed out and never stored"));
        };
        findings.check(job.place == Place::Ready, || {
            format!("job {number} was handed to {to:?} and is {:?}", job.place)
        });
        findings.check(job.value == value, || format!("job {number} is another one's value"));
        findings.check(attempt == job.attempt + 1, || {
            format!("job {number}: attempt {attempt} follows attempt {}", job.attempt)
        });
        (job.place, job.attempt) = (Place::Leased(to), attempt);
    }

    pub(crate) fn acknowledged(&mut self, by: SessionId, number: u64, findings: &Findings) {
        self.settle(by, number, Place::Finished, findings);
    }

    pub(crate) fn given_back(&mut self, by: SessionId, number: u64, findings: &Findings) {
        self.settle(by, number, Place::Ready, findings);
    }

    /// A session was told that a job is not its own.
    pub(crate) fn denied(&self, by: SessionId, number: u64, findings: &Findings) {
        let place = self.by_number.get(&number).map(|job| job.place);
        findings.check(place != Some(Place::Leased(by)), || {
            format!("job {number} is {by:?}'s, which was told that it is not")
        });
    }

    /// What a session held is for others.
    pub(crate) fn closed(&mut self, session: SessionId) {
        for job in self.by_number.values_mut() {
            if job.place == Place::Leased(session) {
                job.place = Place::Ready;
            }
        }
    }

    /// In memory only: a new process knows of no job.
    pub(crate) fn forget_everything(&mut self) {
        self.by_number.clear();
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

    fn settle(&mut self, by: SessionId, number: u64, place: Place, findings: &Findings) {
        let job = self.by_number.get_mut(&number);
        let known = job.as_ref().map(|job| job.place);
        findings.check(known == Some(Place::Leased(by)), || {
            format!("{by:?} was allowed to settle job {number}, which is {known:?}")
        });
        job.into_iter().for_each(|job| job.place = place);
    }
}
