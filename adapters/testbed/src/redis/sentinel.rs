//! A Redis master with a replica, and sentinels that put the replica in its place when it is down.

use super::{Redis, RedisSetup};
use crate::{Place, Process, Program, Ready, eventually};
use std::net::SocketAddr;

/// A master, a replica, and those that watch over them.
#[derive(Debug)]
pub struct RedisSentinel {
    /// Who is the master in the beginning. When it was replaced and is started again, the sentinels
    /// take some ten seconds to have it follow.
    pub master: Redis,
    /// Who is the replica in the beginning.
    pub replica: Redis,
    /// Those that watch. Clients ask them for the master, without credentials.
    pub sentinels: Vec<Process>,
}

impl RedisSentinel {
    /// What the sentinels call the master.
    pub const NAME: &str = "main";

    /// Where the sentinels listen.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sentinels.iter().map(|sentinel| sentinel.place().address(0)).collect()
    }

    /// Who is the master by now, as the first sentinel knows it.
    ///
    /// # Panics
    /// When the first sentinel is down.
    #[must_use]
    pub fn master_address(&self) -> SocketAddr {
        let answer = command(&self.sentinels[0], &["GET-MASTER-ADDR-BY-NAME", Self::NAME]);
        let address = answer.replace('\n', ":");
        address.parse().unwrap_or_else(|_| panic!("{answer} is no address"))
    }

    /// Waits until every sentinel knows the replica and enough others to do something.
    async fn is_watched(&self) {
        for sentinel in &self.sentinels {
            let watched = async || {
                let state = command(sentinel, &["MASTER", Self::NAME]);
                let replica = command(sentinel, &["REPLICAS", Self::NAME]);
                let others = format!("num-other-sentinels\n{}\n", self.sentinels.len() - 1);
                state.contains(&others) && replica.contains("master-link-status\nok")
            };
            eventually("a sentinel knows all others", watched).await;
        }
    }
}

impl RedisSetup {
    /// Starts such a master and such a replica, without TLS, and so many that watch over them.
    ///
    /// # Panics
    /// When there is no sentinel, or they do not find each other.
    pub async fn sentinel(self, sentinels: usize) -> RedisSentinel {
        assert!(sentinels > 0 && self.tls.is_none(), "sentinels want no TLS");
        let master = self.credentials(self.clone()).start().await;
        let following = format!("replicaof 127.0.0.1 {}", master.address().port());
        let replica = self.credentials(self.clone()).line(&following).start().await;
        let mut watching = Vec::new();
        for _ in 0..sentinels {
            let start = |place: &Place| sentinel(place, &self.watch(&master, sentinels));
            watching.push(Process::start(1, start).await);
        }
        let group = RedisSentinel { master, replica, sentinels: watching };
        group.is_watched().await;
        group
    }

    /// With what a replica tells its master. Either may become the other.
    fn credentials(&self, mut setup: Self) -> Self {
        if let Some((name, password)) = self.users.first() {
            setup = setup.line(&format!("masteruser {name}"));
            setup = setup.line(&format!("masterauth {password}"));
        } else if let Some(password) = &self.password {
            setup = setup.line(&format!("masterauth {password}"));
        }
        setup.line("repl-diskless-sync-delay 0")
    }

    /// What a sentinel is told.
    fn watch(&self, master: &Redis, sentinels: usize) -> Vec<String> {
        let name = RedisSentinel::NAME;
        let (port, majority) = (master.address().port(), sentinels / 2 + 1);
        let mut lines = vec![
            format!("sentinel monitor {name} 127.0.0.1 {port} {majority}"),
            format!("sentinel down-after-milliseconds {name} 1000"),
            format!("sentinel failover-timeout {name} 2000"),
        ];
        if let Some((user, password)) = self.users.first() {
            lines.push(format!("sentinel auth-user {name} {user}"));
            lines.push(format!("sentinel auth-pass {name} {password}"));
        } else if let Some(password) = &self.password {
            lines.push(format!("sentinel auth-pass {name} {password}"));
        }
        lines
    }
}

fn sentinel(place: &Place, lines: &[String]) -> Program {
    let port = place.port(0);
    let folder = place.folder().display();
    let head = format!("bind 127.0.0.1\nport {port}\ndir {folder}\n");
    Program::new("redis-server")
        .argument(place.file("sentinel.conf", head + &lines.join("\n") + "\n"))
        .argument("--sentinel")
        .ready(Ready::Answers(place.address(0), "PING\r\n", "+PONG"))
}

fn command(sentinel: &Process, words: &[&str]) -> String {
    let port = sentinel.place().port(0).to_string();
    let client = Program::new("redis-cli").arguments(["-e", "-p", &port, "SENTINEL"]);
    client.arguments(words).output().trim_end().to_owned()
}
