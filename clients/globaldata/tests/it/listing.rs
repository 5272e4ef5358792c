//! Listing keys.

use crate::dialogue::{answer, connected};
use crate::support::FakeServer;
use std::time::Duration;
use workyard_globaldata::ValueTag;
use workyard_protocol::Key;
use workyard_protocol::globaldata::{KeyInfo, Reply};

pub(crate) fn page<'a>(cursor: u64, names: &[&'a str]) -> Reply<'a> {
    let info = |name: &&'a str| KeyInfo {
        key: Key::new(*name).unwrap(),
        revision: 3,
        tag: ValueTag::Int,
        size: 8,
        ttl_ms: Some(1500),
    };
    Reply::Keys { cursor, keys: names.iter().map(info).collect() }
}

#[tokio::test]
async fn portions_are_counted_together() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        answer(&mut peer, r#"count "u" 0"#, Reply::Counted { cursor: 7, count: 3 }).await;
        answer(&mut peer, r#"count "u" 7"#, Reply::Counted { cursor: 9, count: 0 }).await;
        answer(&mut peer, r#"count "u" 9"#, Reply::Counted { cursor: 0, count: 2 }).await;
    };
    let (count, ()) = tokio::join!(client.count("u"), serving);
    assert_eq!(count.unwrap(), 5);
}

#[tokio::test]
async fn pages_come_as_one_stream() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        answer(&mut peer, r#"keys "u" 0 1000"#, page(7, &["u1", "u2"])).await;
        answer(&mut peer, r#"keys "u" 7 1000"#, page(9, &[])).await;
        answer(&mut peer, r#"keys "u" 9 1000"#, page(0, &["u3"])).await;
    };
    let listing = async {
        let mut keys = client.keys("u");
        let mut names = Vec::new();
        while let Some(info) = keys.next().await.transpose().unwrap() {
            assert_eq!((info.revision, info.tag, info.size), (3, ValueTag::Int, 8));
            assert_eq!(info.ttl, Some(Duration::from_millis(1500)));
            names.push(info.key_str().into_owned());
        }
        names
    };
    let (names, ()) = tokio::join!(listing, serving);
    assert_eq!(names, ["u1", "u2", "u3"]);
}
