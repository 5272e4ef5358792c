//! Presence: who is there is known to everybody who asks or follows, through kills and restarts.

use crate::support::{client, clients, daemon};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use workyard_channel::{ChannelClient, Event, PresenceEvent, PresenceEvents};
use workyard_tests::clients::{address, event, until, within};
use workyard_tests::{ChannelWire, Daemon, Program, Running, Setup};

const ROOM: &str = "room";

/// Whom a follower knows to be there.
#[derive(Default)]
struct Known(BTreeMap<u64, String>);

impl Known {
    fn names(&self) -> BTreeSet<String> {
        self.0.values().cloned().collect()
    }

    /// Hears one event. Returns whether that was everything.
    async fn hears(&mut self, events: &mut PresenceEvents) -> bool {
        match within(events.next()).await.expect("it goes on") {
            PresenceEvent::Joined(member) => {
                let name = member.identity_str().into_owned();
                let before = self.0.insert(member.session, name.clone());
                assert_ne!(before, Some(name), "nothing is told twice");
            }
            PresenceEvent::Left(member) => {
                let before = self.0.remove(&member.session);
                assert_eq!(before.as_deref(), Some(&*member.identity_str()), "it was there");
            }
            PresenceEvent::CaughtUp => return true,
        }
        false
    }

    /// Hears everything up to the next `CaughtUp`.
    async fn catches_up(&mut self, events: &mut PresenceEvents) {
        while !self.hears(events).await {}
    }
}

async fn names(client: &ChannelClient) -> BTreeSet<String> {
    let mut members = client.presence(ROOM).members();
    let mut names = BTreeSet::new();
    while let Some(member) = within(members.next()).await.transpose().unwrap() {
        assert!(names.insert(member.identity_str().into_owned()), "{member:?} is listed twice");
    }
    names
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// A process that is there.
fn member(daemon: &Daemon<ChannelWire>, identity: &str) -> Running {
    let address = address(daemon).to_string();
    let enter = ["presence", ROOM, "--enter", identity, "--server", &address];
    let running = Program::built("workyard").arguments(enter).start();
    running.stdout().expect(identity);
    running
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_killed_has_left() {
    let daemon = daemon();
    let follower = client(&daemon).await;
    let mut events = follower.presence(ROOM).follow().await.unwrap();
    let mut known = Known::default();
    known.catches_up(&mut events).await;
    for round in 0..10 {
        let identity = format!("member {round}");
        let mut running = member(&daemon, &identity);
        assert!(!known.hears(&mut events).await);
        assert_eq!(known.names(), set([&identity]));
        running.signal(Signal::KILL);
        assert!(!known.hears(&mut events).await);
        assert_eq!(known.names(), set([]));
        running.kill();
    }
    assert_eq!(names(&follower).await, set([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_there_again_after_the_server_was_killed() {
    let mut daemon = daemon();
    let [one, two, follower] = clients(&daemon, 3).await.try_into().unwrap();
    one.presence(ROOM).enter("one").await.unwrap();
    two.presence(ROOM).enter("two").await.unwrap();
    let mut events = follower.presence(ROOM).follow().await.unwrap();
    let mut known = Known::default();
    known.catches_up(&mut events).await;
    assert_eq!(known.names(), set(["one", "two"]));
    daemon.kill();
    daemon.start_again();
    // Who comes back after the listing is told of behind it.
    known.catches_up(&mut events).await;
    while known.names() != set(["one", "two"]) {
        known.hears(&mut events).await;
    }
    assert_eq!(names(&follower).await, known.names());
    two.presence(ROOM).leave().await.unwrap();
    assert!(!known.hears(&mut events).await);
    assert_eq!(known.names(), set(["one"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_was_away_is_told_the_difference() {
    let setup = Setup::<ChannelWire>::new().flag("--heartbeat", "500ms");
    let daemon = setup.start();
    let [one, two, follower] = clients(&daemon, 3).await.try_into().unwrap();
    one.presence(ROOM).enter("one").await.unwrap();
    two.presence(ROOM).enter("two").await.unwrap();
    let mut events = follower.presence(ROOM).follow().await.unwrap();
    let mut known = Known::default();
    known.catches_up(&mut events).await;
    let mut connection = follower.events();
    daemon.pause();
    event(&mut connection, |event| matches!(event, Event::Disconnected { .. }).then_some(())).await;
    daemon.resume();
    known.catches_up(&mut events).await;
    // The others may have been cut off as well, and come back as other sessions.
    while known.names() != set(["one", "two"]) {
        known.hears(&mut events).await;
    }
    let same = || async { names(&follower).await == set(["one", "two"]) };
    until("both are there once", same).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_is_listed_and_followed_while_it_comes_and_goes() {
    const CROWD: usize = 300;
    let setup = Setup::<ChannelWire>::new().flag("--write-buffer-bytes-max", "16KiB");
    let daemon = setup.start();
    let follower = client(&daemon).await;
    let mut events = follower.presence(ROOM).follow().await.unwrap();
    let crowd = clients(&daemon, CROWD).await;
    // Every change is larger than a tenth of what may wait: some are missed, and made up for.
    let identity = |number: usize| format!("{number:01000}");
    let entering = crowd.iter().enumerate().map(|(number, client)| async move {
        let room = client.presence(ROOM);
        for _ in 0..3 {
            room.enter(identity(number)).await.unwrap();
            if number % 3 == 0 {
                room.leave().await.unwrap();
            }
        }
    });
    within(crate::support::all(entering)).await;
    let expected: BTreeSet<String> =
        (0..CROWD).filter(|number| number % 3 != 0).map(identity).collect();
    assert_eq!(names(&follower).await, expected);
    let mut known = Known::default();
    while known.names() != expected {
        known.hears(&mut events).await;
    }
    let counts = follower.presence(ROOM).counts().await.unwrap();
    assert_eq!(counts.members, expected.len() as u64);
    drop(crowd);
    while !known.0.is_empty() {
        known.hears(&mut events).await;
    }
}
