//! What is published arrives as what it was, whatever the encodings of both sides.

use crate::support::{builder, client, daemon, next};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use workyard_channel::{Encoding, ErrorKind, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    items: Vec<String>,
    note: Option<String>,
    prices: BTreeMap<String, f64>,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum State {
    New,
    Paid { by: String },
}

fn order() -> Order {
    Order {
        id: u64::MAX,
        items: vec!["tea".into(), "käse ☃".into()],
        note: None,
        prices: [("tea".to_owned(), 2.5)].into(),
        state: State::Paid { by: "card".into() },
    }
}

#[tokio::test]
async fn structures_travel_in_the_encoding_of_who_publishes() {
    let daemon = daemon();
    let mut subscription = client(&daemon).await.subscribe("orders").await.unwrap();
    for encoding in [Encoding::Bincode, Encoding::Json] {
        let publisher = builder(&daemon).encoding(encoding).connect().await.unwrap();
        for order in [order(), Order { state: State::New, note: Some("x".into()), ..order() }] {
            assert_eq!(publisher.publish("orders", &order).await.unwrap(), 1);
            let message = next(&mut subscription).await;
            assert_eq!(message.value().as_ref().tag().name(), encoding.name());
            assert_eq!(message.decode::<Order>().unwrap(), order);
        }
    }
}

#[tokio::test]
async fn scalars_and_bytes_travel_as_themselves() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let mut subscription = client.subscribe("scalars").await.unwrap();
    macro_rules! travels {
        ($type:ty, $value:expr) => {
            client.publish("scalars", &$value).await.unwrap();
            assert_eq!(next(&mut subscription).await.decode::<$type>().unwrap(), $value);
        };
    }
    travels!(i64, i64::MIN);
    travels!(u8, 255);
    travels!(f64, -0.1);
    travels!(bool, true);
    travels!(String, String::new());
    travels!(String, "naïve ☃".to_owned());
    travels!((i32, String), (-5, "pair".to_owned()));
    travels!(Option<i64>, Some(5));
    for bytes in [vec![], vec![0, 255, 128], vec![7; 1 << 20]] {
        let value = Value::raw(bytes.clone());
        client.publish_value("scalars", &value).await.unwrap();
        let message = next(&mut subscription).await;
        assert_eq!(*message.value(), value);
        assert_eq!(message.decode::<Vec<u8>>().unwrap(), bytes);
    }
}

#[tokio::test]
async fn values_of_other_languages_pass_through_untouched() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let mut subscription = client.subscribe("any").await.unwrap();
    for encoding in [Encoding::Php, Encoding::MessagePack, Encoding::Json] {
        let value = Value::Encoded { encoding, bytes: b"\x00not what it says\xff"[..].into() };
        client.publish_value("any", &value).await.unwrap();
        assert_eq!(*next(&mut subscription).await.value(), value);
    }
}

#[tokio::test]
async fn a_wrong_type_is_an_error_of_that_message_alone() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let mut subscription = client.subscribe("orders").await.unwrap();
    client.publish("orders", "no order").await.unwrap();
    client.publish("orders", &order()).await.unwrap();
    let wrong = next(&mut subscription).await.decode::<Order>().unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Decode);
    assert_eq!(next(&mut subscription).await.decode::<Order>().unwrap(), order());
}

#[tokio::test]
async fn channels_are_named_by_any_bytes() {
    let daemon = daemon();
    let client = client(&daemon).await;
    for name in [&b""[..], b"\0\xff\n", "naïve ☃ name".as_bytes(), &[b'x'; 4096]] {
        let mut subscription = client.subscribe(name).await.unwrap();
        assert_eq!(client.publish(name, &1).await.unwrap(), 1);
        assert_eq!(next(&mut subscription).await.channel(), name);
    }
    let too_long = client.subscribe([b'x'; 4097]).await.unwrap_err();
    assert_eq!(too_long.kind(), ErrorKind::InvalidName);
    let too_large = Value::raw(vec![0; 10 << 20]);
    let error = client.publish_value("x", &too_large).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    client.ping().await.unwrap();
}
