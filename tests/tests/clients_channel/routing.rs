//! Who receives what: patterns, groups across processes, one in turn.

use crate::support::{all, client, clients, daemon, done, next, next_text, waiting};
use workyard_channel::ErrorKind;
use workyard_tests::clients::{address, until};
use workyard_tests::{Program, Running, eventually};

#[tokio::test]
async fn patterns_receive_what_they_match_once() {
    let daemon = daemon();
    let [reader, publisher] = clients(&daemon, 2).await.try_into().unwrap();
    let mut token = reader.subscribe_pattern("orders.*").await.unwrap();
    let mut rest = reader.subscribe_pattern("orders.>").await.unwrap();
    let mut exact = reader.subscribe("orders.7").await.unwrap();
    for (channel, receivers) in
        [("orders", 0), ("orders.7", 1), ("orders.7.paid", 1), ("order.7", 0), ("orders.8", 1)]
    {
        assert_eq!(publisher.publish(channel, channel).await.unwrap(), receivers, "{channel}");
    }
    for expected in ["orders.7", "orders.8"] {
        assert_eq!(next_text(&mut token).await, expected);
    }
    for expected in ["orders.7", "orders.7.paid", "orders.8"] {
        let message = next(&mut rest).await;
        assert_eq!(
            (message.channel_str().as_ref(), message.decode().unwrap()),
            (expected, expected.to_owned())
        );
    }
    assert_eq!(next_text(&mut exact).await, "orders.7");
    for subscription in [&mut token, &mut rest, &mut exact] {
        assert!(waiting(&reader, subscription).await.is_empty());
    }
    rest.unsubscribe().await.unwrap();
    assert_eq!(publisher.publish("orders.7.paid", "x").await.unwrap(), 0);
    let error = reader.subscribe_pattern("orders.>.x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidPattern);
}

/// `workyard sub` as a member of the group.
fn member(address: &str) -> Running {
    let arguments = ["sub", "tasks", "--group", "workers", "--server", address];
    Program::built("workyard").arguments(arguments).start()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_shared_by_members_in_several_processes() {
    const MESSAGES: usize = 300;
    let daemon = daemon();
    let [publisher, one, two] = clients(&daemon, 3).await.try_into().unwrap();
    let mut everybody = publisher.subscribe("tasks").await.unwrap();
    let mut others = publisher.subscribe_pattern_group("*", "others").await.unwrap();
    let mut first = one.subscribe_group("tasks", "workers").await.unwrap();
    let mut second = two.subscribe_pattern_group("*", "workers").await.unwrap();
    let there = [(); 2].map(|()| member(&address(&daemon).to_string()));
    // Those in other processes take a moment: each must have had a message.
    let all_there = || async {
        publisher.publish("tasks", "probe").await.unwrap();
        there.iter().all(|member| member.stdout().has("probe"))
    };
    until("all members take part", all_there).await;
    let probes = waiting(&publisher, &mut everybody).await.len();
    for number in 0..MESSAGES {
        assert_eq!(publisher.publish("tasks", &number).await.unwrap(), 3);
    }
    let numbers: Vec<String> = (0..MESSAGES).map(|number| number.to_string()).collect();
    assert_eq!(waiting(&publisher, &mut everybody).await, numbers);
    assert_eq!(waiting(&publisher, &mut others).await[probes..], numbers, "alone in its group");

    let mut shares = vec![waiting(&one, &mut first).await, waiting(&two, &mut second).await];
    let here: usize = shares.iter().map(Vec::len).sum();
    let lines = || there.iter().map(|member| member.stdout().lines());
    eventually("all has arrived", || {
        here + lines().map(|all| all.len()).sum::<usize>() >= MESSAGES + probes
    });
    shares.extend(lines());
    for share in &shares {
        assert!(share.len() >= MESSAGES / 4, "members take turns");
        assert!(share.is_sorted_by_key(|text| text.parse::<usize>().unwrap_or(0)));
    }
    let mut all: Vec<_> = shares.concat().into_iter().filter(|text| text != "probe").collect();
    all.sort_unstable_by_key(|text| text.parse::<usize>().unwrap());
    assert_eq!(all, numbers, "each went to one member");
}

#[tokio::test]
async fn one_subscriber_in_turn_receives_what_is_published_to_one() {
    let daemon = daemon();
    let publisher = client(&daemon).await;
    assert_eq!(publisher.publish_one("jobs", "nobody").await.unwrap(), 0);
    let clients = clients(&daemon, 4).await;
    let each = clients.iter().map(|client| client.subscribe("jobs"));
    let mut subscriptions = done(all(each).await);
    let mut in_group = clients[0].subscribe_group("jobs", "group").await.unwrap();
    for number in 0..40 {
        assert_eq!(publisher.publish_one("jobs", &number).await.unwrap(), 1);
    }
    let mut numbers = Vec::new();
    for (client, subscription) in clients.iter().zip(&mut subscriptions) {
        let share = waiting(client, subscription).await;
        assert_eq!(share.len(), 10, "each in its turn");
        numbers.extend(share.into_iter().map(|text| text.parse::<u32>().unwrap()));
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..40));
    assert!(waiting(&clients[0], &mut in_group).await.is_empty(), "groups are apart");
}

#[tokio::test]
async fn one_of_the_subscriptions_of_a_client_receives_what_is_published_to_one() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let each = (0..4).map(|_| client.subscribe("jobs"));
    let mut subscriptions = done(all(each).await);
    for number in 0..40 {
        assert_eq!(client.publish_one("jobs", &number).await.unwrap(), 1);
    }
    let mut counts = Vec::new();
    for subscription in &mut subscriptions {
        counts.push(waiting(&client, subscription).await.len());
    }
    assert_eq!(counts, [10; 4]);
}
