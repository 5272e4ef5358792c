//! Takes what a server, the generator and everybody else use over an interval.

use crate::figures::Figures;
use crate::histogram::Histogram;
use crate::peer::Peer;
use crate::procfs::{self, CpuUse};
use crate::trace::Trace;
use anyhow::Result;
use std::time::{Duration, Instant};

/// The state of all counters at the start of an interval.
pub(crate) struct Meter {
    pid: u32,
    start: Instant,
    server: CpuUse,
    generator: CpuUse,
    machine_ticks: u64,
    trace: Option<Trace>,
}

impl Meter {
    pub(crate) fn start(peer: &Peer) -> Result<Self> {
        let trace = peer.tool.map(|tool| Trace::start(tool, peer.pid)).transpose()?;
        procfs::reset_peak(peer.pid);
        Ok(Self {
            trace,
            pid: peer.pid,
            start: Instant::now(),
            server: procfs::cpu_use(peer.pid),
            generator: procfs::cpu_use(std::process::id()),
            machine_ticks: procfs::machine_busy_ticks(),
        })
    }

    /// Adds the interval's figures, per one of `operations`. `elapsed` leaves out the wait for
    /// stragglers that never came. What others used shows how far to trust the run.
    pub(crate) fn finish(
        self,
        operations: u64,
        elapsed: Duration,
        figures: &mut Figures,
    ) -> Result<()> {
        let server = procfs::cpu_use(self.pid) - self.server;
        let generator = procfs::cpu_use(std::process::id()) - self.generator;
        let busy_ticks = procfs::machine_busy_ticks().saturating_sub(self.machine_ticks);
        let busy_ns = busy_ticks * procfs::TICK_NS;
        let others_ns = busy_ns.saturating_sub(server.cpu_ns + generator.cpu_ns);
        let metered_ns = self.start.elapsed().as_nanos() as f64;
        let elapsed_ns = elapsed.as_nanos() as f64;
        let operations = operations.max(1) as f64;
        let ticks = (server.user_ticks + server.kernel_ticks).max(1) as f64;
        let peak_kib = procfs::memory(self.pid).peak_kib;
        figures.add(SERVER_CPU_US, server.cpu_ns as f64 / 1e3 / operations);
        figures.add("server_cpu_share", server.cpu_ns as f64 / elapsed_ns);
        figures.add("server_kernel_share", server.kernel_ticks as f64 / ticks);
        figures.add("server_switches_each", server.switches as f64 / operations);
        figures.add("generator_cpu_share", generator.cpu_ns as f64 / elapsed_ns);
        figures.add(OTHERS_CPU_SHARE, others_ns as f64 / metered_ns);
        figures.add("peak_rss_mib", peak_kib as f64 / 1024.0);
        match self.trace {
            Some(trace) => trace.finish(operations, figures),
            None => Ok(()),
        }
    }
}

/// Microseconds of server CPU for each delivery, operation or connection.
pub(crate) const SERVER_CPU_US: &str = "server_cpu_us_each";

/// Cores that neither the server nor the generator used.
pub(crate) const OTHERS_CPU_SHARE: &str = "others_cpu_share";

/// Adds the usual quantiles.
pub(crate) fn add_latencies(latencies: &Histogram, figures: &mut Figures) {
    for (name, share) in [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)] {
        figures.add(name, latencies.quantile(share) as f64 / 1e3);
    }
}
