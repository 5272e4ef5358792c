//! The steps that are about queues, asked of the broker and of the model.

use super::jobs::{Removed, Told, Wish};
use super::settings::Setup;
use super::{QUEUES, SESSIONS, World, check_done, check_refused, reply};
use proptest::sample::Index;
use workyard_channel_core::Census;
use workyard_engine::{Effect, Engine, SessionId, Time};
use workyard_protocol::channel::{
    Ack, Cancel, Configure, Consume, Dead, Enqueue, Nack, PublisherId, Redrive, Remove, Renew,
    Reply, Request,
};
use workyard_protocol::{Delay, QueueName, Reason, ValueRef};

impl World {
    pub(super) fn enqueue(&mut self, by: SessionId, wish: Wish) {
        let request = Enqueue {
            queue: name(wish.queue),
            delay: delay(wish.delay),
            priority: wish.priority,
            id: wish.id.map(|id| PublisherId::new(id).unwrap()),
            value: ValueRef::Int(7),
        };
        let expected = self.jobs.enqueue(wish);
        let effects = self.ask(by, Request::Enqueue(request));
        match expected {
            Told::Stored(job) => {
                self.check_reply_and_jobs(&effects, &Reply::Enqueued { job, duplicate: false });
            }
            Told::Known(job) => {
                self.check_reply_and_jobs(&effects, &Reply::Enqueued { job, duplicate: true });
            }
            Told::Refused => check_refused(&effects, Reason::LimitReached),
        }
    }

    pub(super) fn consume(&mut self, by: SessionId, queue: &str, prefetch: u32) {
        self.jobs.consume(by, queue, prefetch);
        let effects = self.ask(by, Request::Consume(Consume { queue: name(queue), prefetch }));
        self.check_reply_and_jobs(&effects, &Reply::Done);
    }

    pub(super) fn watch(&mut self, by: SessionId, queue: &str) {
        self.jobs.watch(by, queue);
        self.broker.watch(by, name(queue)).unwrap();
        assert_eq!(self.outbox.take(), []);
    }

    pub(super) fn reserve(&mut self, by: SessionId) {
        self.jobs.reserve(by);
        self.broker.reserve(self.time(), by, &mut self.outbox);
        self.check_jobs();
    }

    pub(super) fn ack_oldest(&mut self, by: SessionId) {
        self.jobs.ack_oldest(by);
        self.broker.ack_oldest(self.time(), by, &mut self.outbox);
        self.check_jobs();
    }

    pub(super) fn ack(&mut self, by: SessionId, lease: u64) {
        let expected = self.jobs.ack(by, lease);
        let effects = self.ask(by, Request::Ack(Ack { lease }));
        self.check_settled(&effects, expected);
    }

    pub(super) fn nack(&mut self, by: SessionId, lease: u64, millis: Option<u64>) {
        let expected = self.jobs.nack(by, lease, millis);
        let request = Nack { delay: millis.map(delay), ..Nack::new(lease) };
        let effects = self.ask(by, Request::Nack(request));
        self.check_settled(&effects, expected);
    }

    pub(super) fn renew(&mut self, by: SessionId, leases: [u64; 2]) {
        let lost = leases.into_iter().filter(|lease| !self.jobs.renew(by, *lease)).collect();
        let effects = self.ask(by, Request::Renew(Renew { leases: leases.to_vec() }));
        self.check_reply_and_jobs(&effects, &Reply::Renewed { lost });
    }

    pub(super) fn cancel(&mut self, by: SessionId, queue: &str) {
        let expected = self.jobs.cancel(by, queue);
        let effects = self.ask(by, Request::Cancel(Cancel { queue: name(queue) }));
        match expected {
            true => check_done(&effects),
            false => check_refused(&effects, Reason::NotConsuming),
        }
    }

    pub(super) fn remove(&mut self, by: SessionId, queue: &str, job: u64) {
        let expected = self.jobs.remove(queue, job);
        let effects = self.ask(by, Request::Remove(Remove { queue: name(queue), job }));
        let counted = |jobs| Reply::Counted { jobs, cursor: 0 };
        match expected {
            Removed::Yes => self.check_reply_and_jobs(&effects, &counted(1)),
            Removed::No => self.check_reply_and_jobs(&effects, &counted(0)),
            Removed::Leased => check_refused(&effects, Reason::JobLeased),
        }
    }

    pub(super) fn configure(&mut self, by: SessionId, queue: &str, setup: Setup) {
        self.jobs.configure(queue, setup);
        let request = Configure { queue: name(queue), settings: setup.settings() };
        check_done(&self.ask(by, Request::Configure(request)));
    }

    pub(super) fn redrive(&mut self, by: SessionId, queue: &str, limit: usize) {
        self.check_dead(by, queue);
        let expected = self.jobs.redrive(queue, limit);
        let request = Redrive { queue: name(queue), cursor: 0, limit: limit.try_into().unwrap() };
        let effects = self.ask(by, Request::Redrive(request));
        let Some((moved, next)) = expected else {
            return check_refused(&effects, Reason::LimitReached);
        };
        let Reply::Counted { jobs, cursor } = reply(&effects[0]) else { panic!("{effects:?}") };
        assert_eq!(jobs, moved);
        // There may be other jobs among the dead letters.
        assert!(next.is_none_or(|next| 0 < cursor && cursor <= next), "{cursor} {next:?}");
        self.jobs.check(&effects[1..], self.outbox.full());
    }

    pub(super) fn wait(&mut self, millis: u64) {
        self.now += millis;
        self.jobs.wait(self.now);
        self.broker.expire(self.time(), &mut self.outbox);
        assert!(self.broker.next_deadline().is_none_or(|next| next > self.time()));
        self.check_jobs();
    }

    /// Everybody goes, a last session does all that is left, and nothing remains.
    pub(super) fn work_everything_off(&mut self) {
        for slot in 0..SESSIONS {
            self.close(slot);
        }
        self.wait(1000);
        let last = self.sessions[0];
        for queue in QUEUES {
            self.configure(last, queue, Setup::Lenient);
            for queue in [queue.to_owned(), format!("{queue}.dead")] {
                self.consume(last, &queue, 1000);
            }
        }
        for lease in self.jobs.leases_of(last) {
            self.ack(last, lease);
        }
        self.check_census();
        for queue in QUEUES {
            self.configure(last, queue, Setup::Server);
        }
        self.close(0);
        assert_eq!(self.broker.census(), Census::default());
        assert_eq!(self.broker.next_deadline(), None);
    }

    /// A lease that the session has, if it has any.
    pub(super) fn lease_of(&self, by: SessionId, index: Index) -> u64 {
        let held = self.jobs.leases_of(by);
        if held.is_empty() { 1 } else { *index.get(&held) }
    }

    fn check_dead(&mut self, by: SessionId, queue: &str) {
        let request = Dead { queue: name(queue), cursor: 0, limit: 1000 };
        let effects = self.ask(by, Request::Dead(request));
        let Reply::Dead { cursor: 0, jobs } = reply(&effects[0]) else { panic!("{effects:?}") };
        let numbers: Vec<u64> = jobs.iter().map(|dead| dead.job).collect();
        assert_eq!(numbers, self.jobs.dead_letters(queue));
    }

    fn check_settled(&mut self, effects: &[Effect], expected: bool) {
        if expected {
            return self.check_reply_and_jobs(effects, &Reply::Done);
        }
        // Whoever is refused has been heard of all the same.
        check_refused(&effects[..1], Reason::UnknownJob);
        self.jobs.check(&effects[1..], self.outbox.full());
    }

    fn check_jobs(&mut self) {
        let effects = self.outbox.take();
        self.jobs.check(&effects, self.outbox.full());
    }

    fn time(&self) -> Time {
        Time::from_millis(self.now)
    }
}

fn name(queue: &str) -> QueueName<'_> {
    QueueName::new(queue).unwrap()
}

fn delay(millis: u64) -> Delay {
    Delay::from_millis(millis).unwrap()
}
