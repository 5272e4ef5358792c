//! Runs row after row: in each round the servers take turns, so that what else the machine does
//! falls on all of them.

use crate::figures::Figures;
use crate::fleet::Fleet;
use crate::limits::{RUN_SECONDS_MAX, STALLED_BYTES, STALLED_QUICK_BYTES};
use crate::load::{self, Operation, Timing, fanout, jobs, keys, routed, stalled};
use crate::options::Effort;
use crate::peer::{Kind, Peer};
use crate::process::Guard;
use crate::procfs;
use crate::report::Report;
use crate::rows::{Pace, Row, Section, Work};
use anyhow::{Context, Result};

/// Single messages are few: they are measured for longer.
const PACED_FACTOR: u32 = 3;

/// How often the limit server's rate is taken; the best is what it can do.
const CALIBRATIONS: u32 = 3;

/// A curve has many rows, and is about its shape.
const SCALE_ROUNDS_MAX: u32 = 3;

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
            Section::Scale(_) => self.effort.rounds.min(SCALE_ROUNDS_MAX),
            _ => self.effort.rounds,
        };
        let work = match self.calibrated(row.work) {
            Ok(work) => work,
            Err(error) => {
                report.problem(format!("{}: {error:#}", row.name));
                return Ok(());
            }
        };
        let kinds = self.kinds.iter().filter(|kind| row.work.suits(**kind));
        let kinds: Vec<Kind> = kinds.copied().collect();
        for round in 0..rounds {
            for kind in &kinds {
                let duration = self.effort.timing.duration * 2 * PACED_FACTOR;
                self.guard.allow(RUN_SECONDS_MAX + duration);
                let outcome = self.run_once(*kind, work);
                self.fleet.park_if_ending();
                report.add(*kind, round, outcome)?;
            }
        }
        Ok(())
    }

    /// The work at a rate that is the same for all servers, if it is to be a modest one.
    fn calibrated(&mut self, work: Work) -> Result<Work> {
        if self.effort.tool.is_some() {
            return Ok(work.unhurried());
        }
        let Some(alone) = work.calibration() else {
            return Ok(work);
        };
        let mut best: f64 = 0.0;
        let times = if self.effort.timing.verify { 1 } else { CALIBRATIONS };
        for _ in 0..times {
            self.guard.allow(RUN_SECONDS_MAX);
            let figures = self.run_once(Kind::Limit, alone)?;
            let per_s = figures.value("published_per_s").or(figures.value("per_s"));
            best = best.max(per_s.context("the limit server did nothing")?);
        }
        Ok(work.modest(best))
    }

    fn run_once(&mut self, kind: Kind, work: Work) -> Result<Figures> {
        let family = work.family(kind);
        let lent = if work.needs_fresh_server() {
            self.fleet.fresh(kind, family)?
        } else {
            self.fleet.shared(kind, family)?
        };
        procfs::wait_for_quiet(self.effort.wait_quiet);
        let peer = Peer { tool: self.effort.tool, ..lent.peer };
        measure(&peer, work, &self.effort)
    }
}

fn measure(peer: &Peer, work: Work, effort: &Effort) -> Result<Figures> {
    let Effort { timing, watched, .. } = *effort;
    let timed = |pace| {
        let is_long = matches!(pace, Pace::PerSecond(_)) && !timing.verify;
        let factor = if is_long { PACED_FACTOR } else { 1 };
        Timing { duration: timing.duration * factor, ..timing }
    };
    match work {
        Work::Fanout { publishers, subscribers, payload_bytes, pace, via } => {
            let timing = timed(pace);
            let spec = fanout::Spec { publishers, subscribers, payload_bytes, pace, via, timing };
            fanout::run(peer, &spec)
        }
        Work::Stalled { healthy, stalled, pace } => {
            let flood_bytes = if timing.verify { STALLED_QUICK_BYTES } else { STALLED_BYTES };
            let timing = timed(pace);
            stalled::run(peer, &stalled::Spec { healthy, stalled, pace, flood_bytes, timing })
        }
        Work::Keys { operation, connections, depth, keys, pace } => {
            let timing = timed(pace);
            let spec = keys::Spec { echo: None, operation, connections, depth, keys, pace, timing };
            keys::run(peer, &spec)
        }
        Work::Echo { spoken, connections, depth } => {
            let (operation, pace) = (Operation::Set, Pace::Saturated);
            let echo = Some(spoken);
            let spec = keys::Spec { echo, operation, connections, depth, keys: 1, pace, timing };
            keys::run(peer, &spec)
        }
        Work::Jobs { producers, consumers, payload_bytes } => {
            jobs::run(peer, &jobs::Spec { producers, consumers, payload_bytes, timing })
        }
        Work::Idle { family, connections, is_subscribed } => {
            load::idle(peer, family, connections, is_subscribed, watched)
        }
        Work::Fill { keys } => load::fill(peer, keys, timing.verify),
        Work::Backlog { jobs, delay } => load::backlog(peer, jobs, delay),
        Work::Subscriptions { subscriptions, connections } => {
            load::subscriptions(peer, subscriptions, connections, timing.verify)
        }
        Work::Routed { subscriptions, connections } => {
            routed::run(peer, &routed::Spec { subscriptions, connections, timing })
        }
        Work::Connects { connections } => load::connects(peer, connections),
    }
}
