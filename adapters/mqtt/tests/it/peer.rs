//! The second client: `mosquitto_sub` and `mosquitto_pub`, and what tests need to open ours.

use std::net::SocketAddr;
use std::time::Duration;
use workyard_mqtt::{Message, Mqtt, Options, Subscription, Version};
use workyard_testbed::{Mosquitto, PATIENCE, Process, Program, Ready, eventually};

pub(crate) const VERSIONS: [Version; 2] = [Version::V3, Version::V5];

/// What listens, and prints what it hears.
pub(crate) struct Listener(Process);

impl Listener {
    /// Listens for messages up to QoS 2. With a name, its session outlives its connections.
    pub(crate) async fn start(broker: SocketAddr, filter: &str, name: Option<&str>) -> Self {
        let port = broker.port().to_string();
        // It keeps what it prints to itself otherwise, as long as nobody sits there.
        let program = Program::new("stdbuf")
            .arguments(["-oL", "mosquitto_sub"])
            .arguments(["-h", "127.0.0.1", "-p", &port, "-q", "2", "-d", "-t", filter])
            .arguments(["-F", "heard %t %q %r %p"])
            .arguments(name.map(|name| ["-c", "-i", name]).into_iter().flatten())
            .ready(Ready::Prints("Subscribed ("));
        Self(Process::start(0, |_| program.clone()).await)
    }

    /// `TOPIC QOS RETAINED PAYLOAD` of each message so far.
    pub(crate) fn heard(&self) -> Vec<String> {
        let log = self.0.log();
        let lines = log.lines().filter_map(|line| line.strip_prefix("heard "));
        lines.map(str::to_owned).collect()
    }

    /// The payloads of so many messages, once they have come.
    pub(crate) async fn payloads(&self, count: usize) -> Vec<String> {
        eventually(&format!("{count} messages"), async || self.heard().len() >= count).await;
        let heard = self.heard();
        heard.iter().filter_map(|line| line.splitn(4, ' ').nth(3)).map(str::to_owned).collect()
    }
}

/// Has the second client publish something.
pub(crate) async fn publish(broker: SocketAddr, arguments: &[&str]) {
    let port = broker.port().to_string();
    let program = Program::new("mosquitto_pub");
    let program = program.arguments(["-h", "127.0.0.1", "-p", &port]).arguments(arguments);
    let printed = tokio::task::spawn_blocking(move || program.output()).await.unwrap();
    assert_eq!(printed, "");
}

/// A client of this broker, as `change` wants it.
pub(crate) fn client(broker: &Mosquitto, change: impl FnOnce(&mut Options)) -> Mqtt {
    client_at(&broker.url(), change)
}

pub(crate) fn client_at(url: &str, change: impl FnOnce(&mut Options)) -> Mqtt {
    let mut options = Options::new(url);
    // Tests that are about time set their own.
    options.calls.connect_timeout = PATIENCE;
    options.calls.request_timeout = PATIENCE;
    options.calls.call_timeout = PATIENCE * 2;
    options.reconnect.max = Duration::from_millis(100);
    change(&mut options);
    Mqtt::with(options).unwrap()
}

/// With a session that outlives its connections.
pub(crate) fn lasting(options: &mut Options, name: &str) {
    options.client_id = Some(name.to_owned());
    options.clean_session = false;
}

/// The next message.
pub(crate) async fn next(subscription: &mut Subscription) -> Message {
    let item = tokio::time::timeout(PATIENCE, subscription.next()).await;
    item.expect("a message comes in time").expect("the subscription goes on").unwrap()
}

/// Whether nothing comes for a moment.
pub(crate) async fn is_silent(subscription: &mut Subscription) -> bool {
    tokio::time::timeout(Duration::from_millis(100), subscription.next()).await.is_err()
}
