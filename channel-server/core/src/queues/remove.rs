//! `remove`: a job that nobody holds shall not be done any more.

use super::Queues;
use super::job::Job;
use super::timers::Timer;
use workyard_engine::{Caller, Outbox};
use workyard_planted::planted;
use workyard_protocol::channel::{ChannelWire, Remove, Reply};
use workyard_protocol::{Reason, Refusal};

impl Queues {
    /// Removes a job by its number.
    pub(crate) fn remove(
        &mut self,
        caller: Caller,
        request: Remove<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Remove { queue: name, job: number } = request;
        let Some(at) = self.queues.find(name.as_bytes()) else {
            return outbox.reply(caller, Reply::Counted { jobs: 0, cursor: 0 });
        };
        if self.queues[at].is_leased(number) && !planted!("leased-job-counts-as-removed") {
            let text = format!("job {number} of {name:?} is held: remove it when it has come back");
            return outbox.refuse(caller, Refusal::new(Reason::JobLeased, text));
        }
        let removed = self.take_out(at, number);
        self.job_bytes -= removed.as_ref().map_or(0, |job| job.bytes());
        outbox.reply(caller, Reply::Counted { jobs: removed.is_some().into(), cursor: 0 });
        self.forget_if_unused(at);
    }

    /// Takes a job that nobody holds out of its queue.
    pub(super) fn take_out(&mut self, at: u32, number: u64) -> Option<Box<Job>> {
        let job = self.queues[at].remove(number)?;
        if job.is_delayed {
            self.timers.unset(job.since, Timer::Job { queue: at, job: number });
        }
        Some(job)
    }
}
