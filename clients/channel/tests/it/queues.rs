//! Listing queues.

use crate::dialogue::{connected, hear};
use crate::support::{FakeServer, Peer};
use workyard_channel::ErrorKind;
use workyard_protocol::channel::{QueueStats, Reply};
use workyard_protocol::{QueueName, Reason};

async fn page(peer: &mut Peer, expected: &str, cursor: u64, names: &[&str]) {
    let id = hear(peer, expected).await;
    let queues = names
        .iter()
        .map(|name| QueueStats {
            queue: QueueName::new(*name).unwrap(),
            ready: 3,
            leased: 2,
            delayed: 4,
            dead: 5,
            consumers: 1,
            oldest_ms: 1500,
        })
        .collect();
    peer.reply(id, Reply::Queues { cursor, queues }).await;
}

#[tokio::test]
async fn pages_come_as_one_stream() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        page(&mut peer, r#"queues "m" 0 1000"#, 7, &["m1", "m2"]).await;
        page(&mut peer, r#"queues "m" 7 1000"#, 9, &[]).await;
        page(&mut peer, r#"queues "m" 9 1000"#, 0, &["m3"]).await;
    };
    let listing = async {
        let mut queues = client.queues("m");
        let mut names = Vec::new();
        while let Some(stats) = queues.next().await.transpose().unwrap() {
            assert_eq!((stats.ready, stats.leased, stats.consumers), (3, 2, 1));
            assert_eq!((stats.delayed, stats.dead), (4, 5));
            assert_eq!(stats.oldest.as_millis(), 1500);
            names.push(stats.queue_str().into_owned());
        }
        names
    };
    let (names, ()) = tokio::join!(listing, serving);
    assert_eq!(names, ["m1", "m2", "m3"]);
}

#[tokio::test]
async fn an_error_ends_the_stream() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        let id = hear(&mut peer, r#"queues "" 0 1000"#).await;
        peer.refuse(id, Reason::ReplyTooLarge).await;
    };
    let mut queues = client.queues("");
    let (first, ()) = tokio::join!(queues.next(), serving);
    assert_eq!(first.unwrap().unwrap_err().kind(), ErrorKind::Refused);
    assert!(queues.next().await.is_none());
}
