//! A Redis cluster of masters, each with its share of the slots.

use super::{Redis, RedisSetup};
use crate::eventually;

const SLOTS: u16 = 16_384;

/// A cluster. When one of its nodes is down, the slots of that node are, and no others.
#[derive(Debug)]
pub struct RedisCluster {
    /// Its nodes, in the order of their slots.
    pub nodes: Vec<Redis>,
}

impl RedisCluster {
    /// The URLs of the nodes.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// Waits until every node takes all others for sound, as after one was started again.
    ///
    /// # Panics
    /// When it does not come to that.
    pub async fn is_whole(&self) {
        for node in &self.nodes {
            eventually("a node knows all others", async || self.is_known_to(node)).await;
        }
    }

    fn is_known_to(&self, node: &Redis) -> bool {
        let nodes = node.command(["CLUSTER", "NODES"]);
        let lines = nodes.lines();
        let sound = lines.filter(|line| line.contains(" connected ") && !line.contains("fail"));
        let state = node.command(["CLUSTER", "INFO"]);
        sound.count() == self.nodes.len() && state.contains("cluster_state:ok")
    }
}

impl RedisSetup {
    /// Starts a cluster of so many such masters.
    ///
    /// # Panics
    /// When there is no master, or they do not find each other.
    pub async fn cluster(mut self, masters: u16) -> RedisCluster {
        assert!((1..=SLOTS).contains(&masters), "no cluster has {masters} masters");
        self.is_of_cluster = true;
        let mut nodes = Vec::new();
        for number in 0..masters {
            let node = self.clone().start().await;
            let (first, last) = (first_slot(number, masters), first_slot(number + 1, masters) - 1);
            let slots = [first.to_string(), last.to_string()];
            let _ = node.command(["CLUSTER", "ADDSLOTSRANGE", &slots[0], &slots[1]]);
            // They would have to agree on different ones first.
            let _ = node.command(["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            nodes.push(node);
        }
        let (first, others) = nodes.split_first().expect("there is a node");
        for other in others {
            let place = other.process.place();
            let (port, bus) = (place.port(0).to_string(), place.port(1).to_string());
            let _ = first.command(["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        let cluster = RedisCluster { nodes };
        cluster.is_whole().await;
        cluster
    }
}

/// What makes a server a node of a cluster, with this port for the others.
pub(super) fn lines(bus: u16, tls: bool) -> Vec<String> {
    let mut lines = vec![
        "cluster-enabled yes".to_owned(),
        format!("cluster-port {bus}"),
        "cluster-node-timeout 2000".to_owned(),
        "cluster-require-full-coverage no".to_owned(),
    ];
    if tls {
        lines.push("tls-cluster yes".to_owned());
    }
    lines
}

fn first_slot(number: u16, masters: u16) -> u16 {
    let first = u32::from(SLOTS) * u32::from(number) / u32::from(masters);
    u16::try_from(first).expect("no more than there are slots")
}
