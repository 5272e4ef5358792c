//! Presence: entering, and following who comes and goes, through everything that a connection does.

use crate::dialogue::{connected, grant, hear, in_words};
use crate::support::{FakeServer, Peer, a_welcome};
use workyard_channel::{ChannelClient, ErrorKind, Event, PresenceEvent, PresenceEvents};
use workyard_protocol::channel::{
    Change, Member, PresenceChange, PresencePage, Push, Reply, Request,
};
use workyard_protocol::control::Welcome;
use workyard_protocol::{ChannelName, GroupName, Reason};

fn page<'a>(cursor: u64, members: &[(u64, &'a str)]) -> PresencePage<'a> {
    let member = |(session, identity): &(u64, &'a str)| Member {
        session: *session,
        identity: identity.as_bytes(),
    };
    PresencePage {
        cursor,
        subscribers: 1,
        pattern_subscribers: 2,
        responders: 3,
        members: members.len() as u64,
        groups: 1,
        group_list: vec![(GroupName::new("g").unwrap(), 5)],
        member_list: members.iter().map(member).collect(),
    }
}

/// Hears that somebody asks who is there, and answers with a page.
async fn list(peer: &mut Peer, cursor: u64, next: u64, members: &[(u64, &str)]) {
    let id = hear(peer, &format!("presence room {cursor} 1000")).await;
    peer.reply(id, Reply::Presence(page(next, members))).await;
}

async fn change(peer: &mut Peer, change: Change<'_>) {
    let channel = ChannelName::new("room").unwrap();
    peer.push(Push::Presence(PresenceChange { channel, change })).await;
}

async fn joined(peer: &mut Peer, session: u64, identity: &str) {
    change(peer, Change::Joined(Member { session, identity: identity.as_bytes() })).await;
}

/// Follows a room in which these are.
async fn following(
    client: &ChannelClient,
    peer: &mut Peer,
    members: &[(u64, &str)],
) -> PresenceEvents {
    let serving = async {
        grant(peer, "follow room").await;
        list(peer, 0, 0, members).await;
    };
    let room = client.presence("room");
    let (events, ()) = tokio::join!(room.follow(), serving);
    events.unwrap()
}

/// The next events, as text.
async fn heard<const N: usize>(events: &mut PresenceEvents) -> [String; N] {
    let mut all = [const { String::new() }; N];
    for text in &mut all {
        *text = match events.next().await {
            Some(PresenceEvent::Joined(member)) => {
                format!("{} is {}", member.session, member.identity_str())
            }
            Some(PresenceEvent::Left(member)) => format!("{} left", member.identity_str()),
            Some(PresenceEvent::CaughtUp) => "caught up".to_owned(),
            other => panic!("unexpected {other:?}"),
        };
    }
    all
}

async fn lost(client: &ChannelClient, peer: Peer) {
    let mut events = client.events();
    drop(peer);
    while !matches!(events.next().await, Some(Event::Disconnected { .. })) {}
}

#[tokio::test]
async fn members_and_counts_are_asked_for() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let room = client.presence("room");
    let asking = async {
        let counts = room.counts().await.unwrap();
        assert_eq!((counts.members, counts.subscribers, counts.pattern_subscribers), (1, 1, 2));
        assert_eq!((counts.responders, counts.groups), (3, 1));
        let [group] = &counts.group_list[..] else { panic!("{counts:?}") };
        assert_eq!((&*group.group_str(), group.subscriptions), ("g", 5));
        let mut members = room.members();
        let mut names = Vec::new();
        while let Some(member) = members.next().await.transpose().unwrap() {
            names.push((member.session, member.identity_str().into_owned()));
        }
        names
    };
    let serving = async {
        let id = hear(&mut peer, "presence room 0 1").await;
        peer.reply(id, Reply::Presence(page(7, &[(1, "tom")]))).await;
        list(&mut peer, 0, 7, &[(1, "tom"), (2, "ann")]).await;
        list(&mut peer, 7, 0, &[(3, "bob")]).await;
    };
    let (names, ()) = tokio::join!(asking, serving);
    assert_eq!(names, [(1, "tom".into()), (2, "ann".into()), (3, "bob".into())]);
}

#[tokio::test]
async fn what_can_never_be_asked_is_not_sent() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let kind = |error: workyard_channel::Error| error.kind();
    let long = client.presence([0; 4097]);
    assert_eq!(kind(long.enter("x").await.unwrap_err()), ErrorKind::InvalidName);
    assert_eq!(kind(long.follow().await.unwrap_err()), ErrorKind::InvalidName);
    assert_eq!(kind(long.counts().await.unwrap_err()), ErrorKind::InvalidName);
    let room = client.presence("room");
    assert_eq!(kind(room.enter([0; 1025]).await.unwrap_err()), ErrorKind::InvalidArgument);
    drop((long, room, client));
    assert!(peer.next().await.is_none(), "nothing was sent");
}

#[tokio::test]
async fn a_member_enters_again_after_a_reconnect_unless_it_has_left() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (room, other) = (client.presence("room"), client.presence("other"));
    for (asking, expected) in [(&room, "enter room tom"), (&other, "enter other tom")] {
        let (done, ()) = tokio::join!(asking.enter("tom"), grant(&mut peer, expected));
        done.unwrap();
    }
    let (done, ()) = tokio::join!(room.enter("thomas"), grant(&mut peer, "enter room thomas"));
    done.unwrap();
    let (done, ()) = tokio::join!(other.leave(), grant(&mut peer, "leave other"));
    done.unwrap();
    lost(&client, peer).await;
    let mut peer = server.welcome().await;
    grant(&mut peer, "enter room thomas").await;
    let (done, ()) = tokio::join!(room.leave(), grant(&mut peer, "leave room"));
    done.unwrap();
}

#[tokio::test]
async fn an_enter_that_was_in_flight_is_asked_again() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let room = client.presence("room");
    let serving = async {
        hear(&mut peer, "enter room tom").await;
        drop(peer);
        let mut peer = server.welcome().await;
        grant(&mut peer, "enter room tom").await;
        peer
    };
    let (done, _peer) = tokio::join!(room.enter("tom"), serving);
    done.unwrap();
}

#[tokio::test]
async fn a_refused_enter_leaves_what_was_before() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let room = client.presence("room");
    let (done, ()) = tokio::join!(room.enter("tom"), grant(&mut peer, "enter room tom"));
    done.unwrap();
    let serving = async {
        let id = hear(&mut peer, "enter room thomas").await;
        peer.refuse(id, Reason::LimitReached).await;
    };
    let (done, ()) = tokio::join!(room.enter("thomas"), serving);
    assert_eq!(done.unwrap_err().reason(), Some(Reason::LimitReached));
    lost(&client, peer).await;
    let mut events = client.events();
    let mut peer = server.welcome().await;
    let id = hear(&mut peer, "enter room tom").await;
    peer.refuse(id, Reason::LimitReached).await;
    loop {
        match events.next().await.unwrap() {
            Event::RestoreRefused { name, .. } => break assert_eq!(name, "room"),
            Event::Connected { .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    lost(&client, peer).await;
    let mut peer = server.welcome().await;
    let (done, ()) = tokio::join!(room.enter("new"), grant(&mut peer, "enter room new"));
    done.unwrap();
}

#[tokio::test]
async fn a_follower_hears_of_everybody_and_then_of_changes() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        grant(&mut peer, "follow room").await;
        joined(&mut peer, 3, "early").await;
        list(&mut peer, 0, 7, &[(1, "tom"), (2, "ann")]).await;
        change(&mut peer, Change::Left { session: 1 }).await;
        list(&mut peer, 7, 0, &[(3, "early"), (4, "bob")]).await;
        joined(&mut peer, 2, "anna").await;
        change(&mut peer, Change::Left { session: 4 }).await;
    };
    let room = client.presence("room");
    let (events, ()) = tokio::join!(room.follow(), serving);
    let mut events = events.unwrap();
    let expected = ["3 is early", "1 is tom", "2 is ann", "tom left", "4 is bob", "caught up"];
    assert_eq!(heard(&mut events).await, expected);
    assert_eq!(heard(&mut events).await, ["2 is anna", "bob left"]);
    drop(events);
    grant(&mut peer, "follow no more room").await;
}

#[tokio::test]
async fn a_follower_that_missed_changes_lists_everybody_again() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut events = following(&client, &mut peer, &[(1, "tom"), (2, "ann")]).await;
    assert_eq!(heard(&mut events).await, ["1 is tom", "2 is ann", "caught up"]);
    change(&mut peer, Change::Missed).await;
    let id = hear(&mut peer, "presence room 0 1000").await;
    // And again before the first page: only the second listing tells who is gone.
    change(&mut peer, Change::Missed).await;
    let again = hear(&mut peer, "presence room 0 1000").await;
    peer.reply(id, Reply::Presence(page(0, &[]))).await;
    peer.reply(again, Reply::Presence(page(0, &[(2, "ann"), (3, "bob")]))).await;
    assert_eq!(heard(&mut events).await, ["3 is bob", "tom left", "caught up"]);
}

#[tokio::test]
async fn a_follower_is_told_the_difference_after_a_reconnect() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut events = following(&client, &mut peer, &[(1, "tom"), (2, "ann")]).await;
    assert_eq!(heard(&mut events).await, ["1 is tom", "2 is ann", "caught up"]);
    lost(&client, peer).await;
    let mut peer = server.welcome().await;
    grant(&mut peer, "follow room").await;
    list(&mut peer, 0, 0, &[(2, "ann"), (9, "tom")]).await;
    assert_eq!(heard(&mut events).await, ["9 is tom", "tom left", "caught up"]);
    // Another run of the server gives its numbers anew: nobody is who it was.
    lost(&client, peer).await;
    let mut peer = server.welcome_as(Welcome { epoch: 8, ..a_welcome() }).await;
    grant(&mut peer, "follow room").await;
    list(&mut peer, 0, 0, &[(2, "bob")]).await;
    assert_eq!(heard(&mut events).await, ["ann left", "tom left", "2 is bob", "caught up"]);
}

#[tokio::test]
async fn several_followers_of_one_client_each_hear_everything() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let mut one = following(&client, &mut peer, &[(1, "tom")]).await;
    let mut two = following(&client, &mut peer, &[(1, "tom")]).await;
    assert_eq!(heard(&mut one).await, ["1 is tom", "caught up", "caught up"]);
    assert_eq!(heard(&mut two).await, ["1 is tom", "caught up"]);
    drop(one);
    joined(&mut peer, 2, "ann").await;
    assert_eq!(heard(&mut two).await, ["2 is ann"]);
    drop(two);
    grant(&mut peer, "follow no more room").await;
}

#[tokio::test]
async fn a_follower_that_is_refused_says_so_and_one_that_is_not_restored_ends() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let room = client.presence("room");
    let serving = async {
        let id = hear(&mut peer, "follow room").await;
        peer.refuse(id, Reason::LimitReached).await;
        list(&mut peer, 0, 0, &[]).await;
    };
    let (refused, ()) = tokio::join!(room.follow(), serving);
    assert_eq!(refused.unwrap_err().reason(), Some(Reason::LimitReached));
    let mut events = following(&client, &mut peer, &[(1, "tom")]).await;
    lost(&client, peer).await;
    let mut peer = server.welcome().await;
    let frame = peer.next().await.unwrap();
    let (id, request) = frame.request::<Request<'_>>();
    assert_eq!(in_words(&request), "follow room");
    peer.refuse(id, Reason::LimitReached).await;
    assert_eq!(heard(&mut events).await, ["1 is tom", "caught up"]);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn an_answer_to_another_question_ends_the_connection() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let room = client.presence("room");
    let serving = async {
        let id = hear(&mut peer, "enter room tom").await;
        peer.reply(id, Reply::Published { receivers: 1 }).await;
        let mut peer = server.welcome().await;
        grant(&mut peer, "enter room tom").await;
        peer
    };
    let (done, _peer) = tokio::join!(room.enter("tom"), serving);
    done.unwrap();
}
