//! Three pushers and a publisher of `cluster-push`, each a process of its own.

use crate::browser::{Browser, get};
use serde_json::Value as Json;
use std::net::SocketAddr;
use workyard_tests::{ChannelWire, Daemon, Program, Running, Setup, clients};

pub(crate) const PUSHERS: usize = 3;

pub(crate) struct Cluster {
    pub(crate) daemon: Daemon<ChannelWire>,
    pub(crate) pushers: Vec<Running>,
    addresses: Vec<String>,
    _publisher: Running,
    http: SocketAddr,
}

impl Cluster {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let daemon = Setup::<ChannelWire>::new().start();
        let start = |role: &[&str]| {
            let channel = clients::address(&daemon).to_string();
            let program = Program::built("cluster-push").arguments(["--channel", &channel]);
            program.arguments(role).start()
        };
        let pusher = |number: usize| start(&["pusher", "--worker-id", &number.to_string()]);
        let pushers: Vec<_> = (1..=PUSHERS).map(pusher).collect();
        let publisher = start(&["publisher", "--listen", "127.0.0.1:0"]);
        let address = |running: &Running| {
            let line = running.stdout().expect("listening on");
            line.rsplit(' ').next().unwrap().to_owned()
        };
        let addresses = pushers.iter().map(address).collect();
        let http = address(&publisher).strip_prefix("http://").unwrap().parse().unwrap();
        Self { daemon, pushers, addresses, _publisher: publisher, http }
    }

    /// So many WebSocket clients of each pusher.
    pub(crate) async fn browsers(&self, each: usize) -> Vec<Browser> {
        let mut browsers = Vec::new();
        for (index, address) in self.addresses.iter().enumerate() {
            for number in 0..each {
                let browser = Browser::connect(address).await;
                assert_eq!(browser.worker_id, index as u64 + 1);
                let ids = browsers.iter().map(|one: &Browser| (one.worker_id, one.connection_id));
                let own = (browser.worker_id, browser.connection_id);
                assert!(!ids.into_iter().any(|id| id == own), "the {number}th has an id twice");
                browsers.push(browser);
            }
        }
        browsers
    }

    /// Asks the publisher.
    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> (u16, Json) {
        get(self.http, target)
    }
}
