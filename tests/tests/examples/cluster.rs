//! `cluster-push`: three processes that hold clients, and one that publishes.

use crate::browser::{Browser, get};
use crate::service::{Service, free_port};
use serde_json::Value as Json;
use std::net::SocketAddr;
use workyard_tests::{ChannelWire, Daemon, Setup, clients};

pub(crate) const PUSHERS: usize = 3;

/// So often a client connects until it has come to the process that it wants.
const CONNECTS_MAX: usize = 200;

pub(crate) struct Cluster {
    pub(crate) daemon: Daemon<ChannelWire>,
    pub(crate) service: Service,
    address: String,
    pub(crate) http: SocketAddr,
}

impl Cluster {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let daemon = Setup::<ChannelWire>::new().start();
        let (push, http) = (free_port(), free_port());
        let environment = [
            ("WORKYARD_CHANNEL", clients::address(&daemon).to_string()),
            ("PUSHERS", PUSHERS.to_string()),
            ("PUSH_LISTEN", format!("websocket://127.0.0.1:{push}")),
            ("HTTP_LISTEN", format!("http://127.0.0.1:{http}")),
        ];
        let service = Service::start("cluster-push", &environment);
        let http = SocketAddr::from(([127, 0, 0, 1], http));
        Self { daemon, service, address: format!("ws://127.0.0.1:{push}"), http }
    }

    /// So many WebSocket clients of each pusher. Which one a client comes to is the system's choice.
    pub(crate) async fn browsers(&self, each: usize) -> Vec<Browser> {
        let mut browsers: Vec<Browser> = Vec::new();
        for _ in 0..CONNECTS_MAX {
            if browsers.len() == each * PUSHERS {
                browsers.sort_by_key(|browser| browser.worker_id);
                return browsers;
            }
            let browser = Browser::connect(&self.address).await;
            let own = (browser.worker_id, browser.connection_id);
            let mut ids = browsers.iter().map(|one| (one.worker_id, one.connection_id));
            assert!(!ids.any(|id| id == own), "an id is given twice: {own:?}");
            let same = browsers.iter().filter(|one| one.worker_id == browser.worker_id);
            if same.count() < each {
                browsers.push(browser);
            }
        }
        panic!("not every process gets clients");
    }

    /// Asks the publisher.
    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> (u16, Json) {
        get(self.http, target)
    }
}
