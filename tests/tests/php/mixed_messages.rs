//! PHP and Rust programs publish to each other.

use crate::support::{channel_client, finish, ready, run};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use workyard_channel::{ChannelClient, Encoding, Value};
use workyard_tests::clients::{address, within};
use workyard_tests::{ChannelWire, Setup};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    customer: String,
    items: Vec<Item>,
    prices: BTreeMap<String, f64>,
    note: Option<String>,
    paid: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    name: String,
    count: i32,
}

const ORDER: &str = concat!(
    r#"{"id":17,"customer":"Zoë","items":[{"name":"tea","count":2},{"name":"广播","count":1}],"#,
    r#""prices":{"tea":2.5,"广播":0.5},"note":null,"paid":true}"#
);

fn order() -> Order {
    serde_json::from_str(ORDER).expect("it is an order")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_array_that_php_publishes_is_a_struct_to_rust() {
    let daemon = Setup::<ChannelWire>::new().start();
    let client = channel_client(&daemon).await;
    let mut orders = within(client.subscribe("orders")).await.unwrap();
    run("push.php", &daemon, &["all", "orders", ORDER]);
    let message = within(orders.next()).await.unwrap();
    assert_eq!(message.channel(), b"orders");
    assert_eq!(message.decode::<Order>().unwrap(), order());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scalars_that_php_publishes_are_scalars_to_rust() {
    let daemon = Setup::<ChannelWire>::new().start();
    let client = channel_client(&daemon).await;
    let mut scalars = within(client.subscribe("5")).await.unwrap();
    for json in ["-3", "2.5", "\"text\"", "true", "null"] {
        run("push.php", &daemon, &["all", "5", json]);
    }
    let mut values = Vec::new();
    for _ in 0..3 {
        values.push(within(scalars.next()).await.unwrap().into_value());
    }
    assert_eq!(values, [Value::Int(-3), Value::Float(2.5), Value::raw("text")]);
    assert!(within(scalars.next()).await.unwrap().decode::<bool>().unwrap());
    assert_eq!(within(scalars.next()).await.unwrap().decode::<Option<i64>>().unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_struct_that_rust_publishes_as_json_is_an_array_to_php() {
    a_struct_is_an_array_to_php(Encoding::Json).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_struct_that_rust_publishes_as_php_does_is_an_array_to_php() {
    a_struct_is_an_array_to_php(Encoding::Php).await;
}

async fn a_struct_is_an_array_to_php(encoding: Encoding) {
    let daemon = Setup::<ChannelWire>::new().start();
    let builder = ChannelClient::builder(address(&daemon)).encoding(encoding);
    let client = within(builder.connect()).await.expect("the daemon does it");
    let worker = ready("worker.php", &daemon, &["8", "5"]);
    assert_eq!(within(client.publish("8", &order())).await.expect("the daemon does it"), 1);
    assert_eq!(within(client.publish("8", "text")).await.expect("the daemon does it"), 1);
    assert_eq!(within(client.publish("8", &-7)).await.expect("the daemon does it"), 1);
    assert_eq!(within(client.publish("8", &0.5)).await.expect("the daemon does it"), 1);
    assert_eq!(within(client.publish("广播", &[1, 2])).await.expect("the daemon does it"), 1);
    // What Rust calls 8 is what the worker subscribed to as an integer.
    let order = format!("string 8 {ORDER}");
    let said = [
        "ready",
        &order,
        "string 8 \"text\"",
        "string 8 -7",
        "string 8 0.5",
        "string 广播 [1,2]",
        "done",
    ];
    assert_eq!(finish(worker), said);
}
