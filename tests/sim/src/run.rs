//! One run: one seed, one thread, no real time.

use crate::findings::Findings;
use crate::monitor::Monitor;
use crate::network::Network;
use crate::server::Server;
use crate::world::World;
use fastrand::Rng;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};
use std::time::Duration;
use workyard_engine::Engine;

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where chance begins: the same seed makes the same run.
    pub seed: u64,
    /// How many steps are taken at most. Fewer of them make the beginning of the same run.
    pub steps_max: u32,
    /// Whether to keep what happened, line by line.
    pub has_lines: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first thing that was wrong.
    pub failure: Option<String>,
    /// A number for everything that happened on the network, and when.
    pub fingerprint: u64,
    /// How much that was.
    pub events: u64,
    /// What happened, if it was to be kept.
    pub lines: Vec<String>,
}

/// A core that can be looked into when all is over.
pub trait Counted {
    /// What it still holds that nobody has left there; nothing if it holds nothing.
    fn leftover(&self) -> Option<String>;
}

/// Longer than any run takes, in simulated time.
const RUN_SECONDS_MAX: u64 = 3600;

/// No seed takes as many steps.
pub(crate) const STEPS_MAX: u32 = 90;
/// Every seed takes as many.
const STEPS_MIN: u32 = 10;

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn run<E, M, F, C>(
    plan: &Plan,
    set_up: impl FnOnce(Arc<World>, Rng) -> (Server<E, M>, F, C),
) -> Run
where
    E: Engine,
    M: Monitor<E::Wire>,
    F: Future<Output = ()>,
    C: FnOnce(&Server<E, M>, &World),
{
    keep_panics();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without sockets can always be made");
    let mut rng = Rng::with_seed(plan.seed);
    // The clients draw their waits from this one.
    fastrand::seed(rng.u64(..));
    let steps = rng.u32(STEPS_MIN..STEPS_MAX).min(plan.steps_max);
    let findings = Arc::new(Findings::default());
    let network_rng = rng.fork();
    let guard = runtime.enter();
    let network = Arc::new(Network::new(network_rng, plan.has_lines));
    let world = Arc::new(World::new(Arc::clone(&network), Arc::clone(&findings), steps));
    IS_RUNNING.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let (mut server, scenario, check) = set_up(Arc::clone(&world), rng);
        let is_whole = runtime.block_on(drive(&world, &mut server, scenario));
        if is_whole {
            let (sessions, unanswered) = server.open();
            findings.check(sessions + unanswered == 0, || {
                format!("{sessions} sessions and {unanswered} requests are still open")
            });
            check(&server, &world);
        }
    }));
    IS_RUNNING.set(false);
    if outcome.is_err() {
        findings.report("a panic");
    }
    let panic = PANIC.take();
    let mut state = network.lock();
    let (fingerprint, events) = (state.trace.hash(), state.trace.events());
    let lines = state.trace.take_lines();
    drop(state);
    drop(guard);
    Run { failure: panic.or(findings.first()), fingerprint, events, lines }
}

/// Returns whether it came to its end.
async fn drive<E: Engine, M: Monitor<E::Wire>>(
    world: &World,
    server: &mut Server<E, M>,
    scenario: impl Future<Output = ()>,
) -> bool {
    let too_long = tokio::time::sleep(Duration::from_secs(RUN_SECONDS_MAX));
    tokio::select! {
        biased;
        _ = world.findings.found() => false,
        () = server.run() => false,
        () = scenario => world.findings.first().is_none(),
        () = too_long => {
            world.findings.report("it never came to its end");
            false
        }
    }
}

/// A panic of a run is a finding, wherever it happened; others are shown as ever.
fn keep_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match IS_RUNNING.get() {
            true => PANIC.with_borrow_mut(|panic| {
                panic.get_or_insert_with(|| info.to_string());
            }),
            false => usual(info),
        }));
    });
}
