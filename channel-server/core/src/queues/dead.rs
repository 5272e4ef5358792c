//! Dead letters: which there are and why, and another chance for them.

use super::Queues;
use super::job::Job;
use workyard_engine::{Caller, Outbox, Time};
use workyard_planted::planted;
use workyard_protocol::channel::{ChannelWire, Dead, DeadJob, Redrive, Reply};
use workyard_protocol::limits::HEADER_BYTES_MAX;
use workyard_protocol::{QueueName, Refusal};

/// Most jobs that one page or redrive looks at: others than dead letters may be in such a queue.
const LOOKED_AT_MAX: usize = 10_000;

/// A page ends after this many bytes of reasons: an answer is all header, and a header is bounded.
const PAGE_REASON_BYTES_MAX: usize = HEADER_BYTES_MAX / 2;

impl Queues {
    /// Answers with a page of a queue's dead letters that wait, by their numbers.
    pub(crate) fn dead(
        &self,
        now: Time,
        caller: Caller,
        request: Dead<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let (mut page, mut cursor, mut bytes) = (Vec::new(), 0, 0);
        let at = self.dead_letters_of(request.queue);
        let jobs = at.into_iter().flat_map(|at| self.queues[at].others(request.cursor));
        for (looked_at, job) in jobs.enumerate() {
            let is_full = page.len() == request.limit as usize || bytes > PAGE_REASON_BYTES_MAX;
            if is_full || looked_at == LOOKED_AT_MAX {
                cursor = job.number;
                break;
            }
            if let Some(death) = job.death() {
                let reason = job.reason();
                bytes += reason.map_or(0, |reason| reason.as_str().len());
                page.push(DeadJob {
                    job: job.number,
                    attempts: job.attempt,
                    cause: death.cause,
                    reason,
                    age_ms: now.millis_since(death.since),
                    size: u32::try_from(job.value().byte_len()).unwrap_or(u32::MAX),
                });
            }
        }
        outbox.reply(caller, Reply::Dead { cursor, jobs: page });
    }

    /// Moves dead letters back to where they came from, as if they had never been handed out.
    pub(crate) fn redrive(
        &mut self,
        now: Time,
        caller: Caller,
        request: Redrive<'_>,
        outbox: &mut impl Outbox<ChannelWire>,
    ) {
        let Some(dead) = self.dead_letters_of(request.queue) else {
            return outbox.reply(caller, Reply::Counted { jobs: 0, cursor: 0 });
        };
        let (numbers, mut cursor) = self.dead_numbers(dead, &request);
        let mut jobs = 0;
        for number in numbers {
            if planted!("redrive-loses-a-job") && jobs == 1 {
                self.job_bytes -= self.take_out(dead, number).map_or(0, |job| job.bytes());
                continue;
            }
            if let Err(refusal) = self.move_back(now, dead, number, request.queue) {
                if jobs == 0 {
                    return outbox.refuse(caller, refusal);
                }
                cursor = number;
                break;
            }
            jobs += 1;
        }
        outbox.reply(caller, Reply::Counted { jobs, cursor });
        if let Some(at) = self.queues.find(request.queue.as_bytes()) {
            self.dispatch(now, at, outbox);
        }
        self.forget_if_unused(dead);
    }

    /// The dead letters to be moved, and where to go on.
    fn dead_numbers(&self, dead: u32, request: &Redrive<'_>) -> (Vec<u64>, u64) {
        let mut numbers = Vec::new();
        for (looked_at, job) in self.queues[dead].others(request.cursor).enumerate() {
            if numbers.len() == request.limit as usize || looked_at == LOOKED_AT_MAX {
                return (numbers, job.number);
            }
            if job.death().is_some() {
                numbers.push(job.number);
            }
        }
        (numbers, 0)
    }

    /// Moves one back, unless that would put its queue above a limit.
    fn move_back(
        &mut self,
        now: Time,
        dead: u32,
        number: u64,
        name: QueueName<'_>,
    ) -> Result<(), Refusal> {
        let at = match self.queues.find(name.as_bytes()) {
            Some(at) => at,
            None => self.add_queue(name)?,
        };
        let bytes = self.queues[dead].others(number).next().map_or(0, Job::bytes);
        self.check_queue(at, bytes)?;
        let mut job = self.take_out(dead, number).expect("the caller has seen it there");
        self.job_bytes -= job.bytes();
        if !planted!("redriven-job-keeps-its-attempts") {
            job.revive();
        }
        self.job_bytes += job.bytes();
        (job.since, job.is_delayed) = (now, false);
        self.queues[at].insert(job);
        Ok(())
    }
}
