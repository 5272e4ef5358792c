//! Runs row after row: in each round the servers take turns, so that what else the machine does
//! falls on all of them.

use crate::figures::Figures;
use crate::fleet::Fleet;
use crate::limits::RUN_SECONDS_MAX;
use crate::load::{self, Timing, fanout, jobs, keys};
use crate::options::Effort;
use crate::peer::{Kind, Peer};
use crate::process::Guard;
use crate::procfs;
use crate::report::Report;
use crate::rows::{Row, Section, Work};
use anyhow::Result;

/// Single messages are few: they are measured for longer.
const PACED_FACTOR: u32 = 3;

/// Everything a run needs beside its row.
pub(crate) struct Runner<'a> {
    pub(crate) fleet: Fleet,
    pub(crate) effort: Effort,
    pub(crate) kinds: &'a [Kind],
    pub(crate) guard: &'a Guard,
}

impl Runner<'_> {
    /// Measures all rows. Only a report that cannot be written is an error: a failed run is a
    /// problem noted in the report.
    pub(crate) fn run(&mut self, rows: &[Row], report: &mut Report) -> Result<()> {
        let mut section = None;
        for row in rows {
            if section != Some(row.section) {
                self.fleet.end_shared();
                section = Some(row.section);
            }
            report.begin(row);
            self.run_row(row, report)?;
            report.progress();
        }
        self.fleet.end_shared();
        Ok(())
    }

    fn run_row(&mut self, row: &Row, report: &mut Report) -> Result<()> {
        let rounds = match row.section {
            // Bytes come out the same every time.
            Section::Memory => 1,
            _ => self.effort.rounds,
        };
        let kinds = self.kinds.iter().filter(|kind| row.work.suits(**kind));
        let kinds: Vec<Kind> = kinds.copied().collect();
        for round in 0..rounds {
            for kind in &kinds {
                let duration = self.effort.timing.duration * PACED_FACTOR;
                self.guard.allow(RUN_SECONDS_MAX + duration);
                let outcome = self.run_once(*kind, row.work);
                self.fleet.park_if_ending();
                report.add(*kind, round, outcome)?;
            }
        }
        Ok(())
    }

    fn run_once(&mut self, kind: Kind, work: Work) -> Result<Figures> {
        let family = work.family(kind);
        let lent = if work.needs_fresh_server() {
            self.fleet.fresh(kind, family)?
        } else {
            self.fleet.shared(kind, family)?
        };
        procfs::wait_for_quiet(self.effort.wait_quiet);
        measure(&lent.peer, work, &self.effort)
    }
}

fn measure(peer: &Peer, work: Work, effort: &Effort) -> Result<Figures> {
    let Effort { timing, watched, .. } = *effort;
    match work {
        Work::Fanout { publishers, subscribers, payload_bytes, rate, via } => {
            let factor = if rate.is_some() { PACED_FACTOR } else { 1 };
            let spec = fanout::Spec {
                publishers,
                subscribers,
                payload_bytes,
                rate,
                via,
                timing: Timing { duration: timing.duration * factor, ..timing },
            };
            fanout::run(peer, &spec)
        }
        Work::Keys { operation, connections, depth } => {
            let spec = keys::Spec { operation, connections, depth, timing };
            keys::run(peer, &spec)
        }
        Work::Jobs { producers, consumers, payload_bytes } => {
            jobs::run(peer, &jobs::Spec { producers, consumers, payload_bytes, timing })
        }
        Work::Idle { family, connections, is_subscribed } => {
            load::idle(peer, family, connections, is_subscribed, watched)
        }
        Work::Fill { keys } => load::fill(peer, keys, timing.verify),
        Work::Subscriptions { subscriptions, connections } => {
            load::subscriptions(peer, subscriptions, connections, timing.verify)
        }
        Work::Connects { connections } => load::connects(peer, connections),
    }
}
