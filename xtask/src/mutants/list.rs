//! The bugs that can be planted, and the suites that must find them.

/// A bug, as `planted!` names it in the code.
#[derive(Debug)]
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// The suites that must find it, each by itself; the fastest first.
    pub(crate) found_by: &'static [&'static str],
}

/// Tests that are run with a bug.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// What `cargo test` is told to build.
    pub(crate) tests: &'static str,
    /// What the tests are told to run; everything when it is empty.
    pub(crate) filter: &'static str,
}

pub(crate) const SUITES: &[Suite] = &[
    suite("store", "-p workyard-globaldata-core --test store"),
    suite("locks", "-p workyard-globaldata-core --test locks"),
    suite("broker", "-p workyard-channel-core --test broker"),
    suite("link", "-p workyard-link --test it"),
    suite("channel-client", "-p workyard-channel --test it"),
    suite("globaldata-client", "-p workyard-globaldata --test it"),
    suite("channel-client state", "-p workyard-channel --lib"),
    Suite {
        name: "linearizable",
        tests: "-p workyard-tests --test linearizability",
        filter: "of_eight_clients",
    },
    suite("cancellation", "-p workyard-tests --test cancellation"),
    Suite {
        name: "slow",
        tests: "-p workyard-tests --test slow",
        filter: "losses_under_a_pattern_are_counted",
    },
    suite("channels", "-p workyard-tests --test channels"),
    Suite { name: "roster", tests: "-p workyard-worker --lib", filter: "roster::tests" },
    Suite {
        name: "simulated roster",
        tests: "-p workyard-worker --lib",
        filter: "roster::simulation",
    },
    Suite { name: "monitor", tests: "-p workyard-file-monitor --lib", filter: "core::cases" },
    Suite {
        name: "monitored trees",
        tests: "-p workyard-file-monitor --test files",
        filter: "trees",
    },
    Suite {
        name: "monitor daemon",
        tests: "-p workyard-file-monitor --test daemon",
        filter: "checks",
    },
    Suite {
        name: "simulated channel",
        tests: SIMULATIONS,
        filter: "every_seed_of_channel_server_passes",
    },
    Suite {
        name: "simulated history",
        tests: SIMULATIONS,
        filter: "every_seed_of_channels_that_are_kept_passes",
    },
    Suite {
        name: "simulated work",
        tests: SIMULATIONS,
        filter: "every_seed_of_queues_and_workers_passes",
    },
    Suite {
        name: "simulated slow",
        tests: SIMULATIONS,
        filter: "every_seed_of_slow_subscribers_passes",
    },
    Suite {
        name: "simulated store",
        tests: SIMULATIONS,
        filter: "every_seed_of_globaldata_server_passes",
    },
];

const SIMULATIONS: &str = "-p workyard-sim --test it";

pub(crate) const MUTANTS: &[Mutant] = &[
    mutant("increment-is-lost", &["store", "linearizable", "simulated store"]),
    mutant("cas-ignores-the-revision", &["store", "linearizable", "simulated store"]),
    mutant("add-overwrites", &["store", "linearizable", "simulated store"]),
    mutant("expired-is-readable", &["store", "linearizable", "simulated store"]),
    mutant("delete-takes-no-revision", &["store"]),
    mutant("set-keeps-the-ttl", &["store", "linearizable", "simulated store"]),
    mutant("batch-is-half-undone", &["store"]),
    mutant("bound-is-passed", &["store", "linearizable", "simulated store"]),
    mutant("taken-value-stays", &["store", "linearizable", "simulated store"]),
    mutant("popped-item-stays", &["store"]),
    mutant("lock-is-given-twice", &["locks", "simulated store"]),
    mutant("lock-outlives-its-time", &["locks"]),
    mutant("last-in-line-is-first", &["locks", "simulated store"]),
    mutant("token-comes-again", &["locks", "simulated store"]),
    mutant("slow-watcher-loses-a-change", &["store", "simulated store"]),
    mutant("compaction-is-not-told", &["store", "simulated store"]),
    mutant("resumed-watch-skips-a-change", &["store", "simulated store"]),
    mutant("value-is-left-out", &["simulated store"]),
    mutant("position-hides-what-was-there", &["simulated store"]),
    mutant("change-is-told-twice-after-resume", &["globaldata-client", "simulated store"]),
    mutant("listing-is-newer-than-its-revision", &["globaldata-client", "simulated store"]),
    mutant("cache-outlives-its-connection", &["globaldata-client", "simulated store"]),
    mutant("deleted-value-stays-in-the-cache", &["globaldata-client", "simulated store"]),
    mutant("job-is-handed-out-twice", &["broker", "simulated channel"]),
    mutant("job-is-lost-on-close", &["broker", "simulated channel"]),
    mutant("job-comes-back-last", &["broker", "simulated work"]),
    mutant("queue-takes-one-too-many", &["broker", "simulated work"]),
    mutant("prefetch-is-ignored", &["broker", "simulated work"]),
    mutant("renewal-is-forgotten", &["broker", "simulated work"]),
    mutant("job-is-lost-on-expiry", &["broker", "simulated work"]),
    mutant("dead-letter-is-lost", &["broker", "simulated work"]),
    mutant("backoff-is-ignored", &["broker", "simulated work"]),
    mutant("duplicate-is-stored", &["broker", "simulated work"]),
    mutant("delay-is-ignored", &["broker", "simulated work"]),
    mutant("priority-is-ignored", &["broker", "simulated work"]),
    mutant("late-ack-is-accepted", &["broker", "simulated work"]),
    mutant("window-is-half-as-long", &["broker", "simulated work"]),
    mutant("wish-of-a-nack-is-ignored", &["broker", "simulated work"]),
    mutant("lease-of-a-queue-is-ignored", &["broker", "simulated work"]),
    mutant("leased-job-counts-as-removed", &["broker", "simulated work"]),
    mutant("redrive-loses-a-job", &["broker", "simulated work"]),
    mutant("redriven-job-keeps-its-attempts", &["broker", "simulated work"]),
    mutant("group-gets-it-twice", &["broker", "simulated channel"]),
    mutant("message-comes-per-interest", &["broker", "simulated channel"]),
    mutant("number-comes-twice", &["broker"]),
    mutant("held-without-bound", &["broker", "simulated slow"]),
    mutant("held-is-overtaken", &["broker", "simulated slow"]),
    mutant("newest-is-given-up", &["broker", "simulated slow"]),
    mutant("latest-is-not-replaced", &["broker", "simulated slow"]),
    mutant("replaced-message-is-not-counted", &["broker", "simulated slow"]),
    mutant("gap-of-held-is-not-told", &["broker", "simulated slow"]),
    mutant("latest-goes-before-what-is-held", &["broker"]),
    mutant("held-of-the-gone-counts", &["broker", "simulated slow"]),
    mutant("route-outlives-its-recipients", &["simulated slow"]),
    mutant("too-slow-is-left-alone", &["broker", "simulated slow"]),
    mutant("replay-hides-what-is-gone", &["broker", "simulated history"]),
    mutant("replay-repeats-its-mark", &["broker", "simulated history"]),
    mutant("old-epoch-is-resumed", &["broker", "simulated history"]),
    mutant("pattern-repeats-its-mark", &["broker", "simulated history"]),
    mutant("replay-ends-without-room", &["broker", "simulated history"]),
    mutant("ended-rule-leaves-a-hole", &["broker"]),
    mutant("forgotten-number-is-resumed", &["broker"]),
    mutant("resumed-gap-is-not-told", &["channel-client", "simulated history"]),
    mutant("restart-is-not-told-after-a-cut", &["channel-client state", "simulated history"]),
    mutant("message-without-room-counts-as-had", &["channel-client state", "simulated history"]),
    mutant("loss-of-the-unkept-is-not-told", &["channel-client state", "simulated history"]),
    mutant("oldest-leaves-no-trace", &["channel-client", "simulated slow"]),
    mutant("slow-subscription-goes-on", &["channel-client", "simulated slow"]),
    mutant("policy-outlives-its-owner", &["channel-client"]),
    mutant("anybody-may-answer", &["broker"]),
    mutant("question-dies-with-its-responder", &["broker"]),
    mutant("late-answer-is-delivered", &["broker"]),
    mutant("question-goes-to-the-busy", &["broker"]),
    mutant("question-is-repeated-unasked", &["broker"]),
    mutant("answer-goes-to-another-asker", &["channel-client", "cancellation"]),
    mutant("leaving-is-not-told", &["broker"]),
    mutant("missed-change-is-not-told", &["broker"]),
    mutant("listing-skips-a-member", &["broker"]),
    mutant("old-listing-counts", &["channel-client"]),
    mutant("reply-overtakes-message", &["channels"]),
    mutant("gap-is-not-told", &["slow"]),
    mutant("gap-ends-too-early", &["slow"]),
    mutant("reply-goes-to-the-wrong-request", &["link", "cancellation", "simulated store"]),
    mutant("replaced-before-it-serves", &["roster", "simulated roster"]),
    mutant("killed-too-early", &["roster", "simulated roster"]),
    mutant("crash-loop-is-not-slowed", &["roster"]),
    mutant("reload-is-swallowed", &["roster"]),
    mutant("touch-is-a-change", &["monitor"]),
    mutant("overflow-is-forgotten", &["monitor"]),
    mutant("window-does-not-wait-for-quiet", &["monitor"]),
    mutant("action-does-not-hold-back", &["monitor"]),
    mutant("half-written-file-is-taken", &["monitor"]),
    mutant("copy-under-way-is-taken", &["monitor"]),
    mutant("new-directory-looks-quiet", &["monitor", "monitored trees"]),
    mutant("ignored-file-counts-as-removed", &["monitor"]),
    mutant("moved-directory-is-not-heard", &["monitored trees"]),
    mutant("refused-change-is-forgotten", &["monitor daemon"]),
    mutant("change-during-check-is-not-checked", &["monitor daemon"]),
];

const fn suite(name: &'static str, tests: &'static str) -> Suite {
    Suite { name, tests, filter: "" }
}

const fn mutant(name: &'static str, found_by: &'static [&'static str]) -> Mutant {
    Mutant { name, found_by }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_bug_has_a_name_of_its_own_and_suites_that_there_are() {
        let names: HashSet<&str> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        assert_eq!(names.len(), MUTANTS.len());
        for mutant in MUTANTS {
            let known = |name: &&&str| SUITES.iter().any(|suite| suite.name == **name);
            assert_eq!(mutant.found_by.iter().filter(known).count(), mutant.found_by.len());
            assert!(!mutant.found_by.is_empty(), "{}", mutant.name);
        }
    }

    #[test]
    fn every_bug_in_the_code_is_listed_and_the_other_way_round() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut planted: Vec<String> = Vec::new();
        for folder in [
            "engine",
            "daemon",
            "channel-server",
            "globaldata-server",
            "clients",
            "file-monitor",
            "worker",
        ] {
            collect(&root.join(folder), &mut planted);
        }
        planted.sort_unstable();
        let mut listed: Vec<&str> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        listed.sort_unstable();
        assert_eq!(planted, listed, "each stands at one place");
    }

    #[test]
    fn every_bug_breaks_a_promise_that_is_written_down() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let document = std::fs::read_to_string(root.join("docs/reliability.md")).unwrap();
        for Mutant { name, .. } in MUTANTS {
            let named = document.contains(&format!("`{name}`"));
            assert!(named, "docs/reliability.md does not say which promise `{name}` breaks");
        }
    }

    fn collect(folder: &Path, planted: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, planted);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let places = text.split("planted!(\"").skip(1);
                planted.extend(places.filter_map(|it| Some(it.split_once('"')?.0.to_owned())));
            }
        }
    }
}
