//! `order-desk`: one order, five services, and what becomes of it while two of them are away.

use crate::service::free_port;
use futures_util::StreamExt;
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, MaybeTlsStream, WebSocketStream};
use workyard_mqtt::{Mqtt, Qos};
use workyard_testbed::{MariaDb, Mosquitto, Redis, Service, eventually};
use workyard_tests::Up;
use workyard_tests::clients::within;

/// The example, and all that it uses.
struct Shop {
    service: Service,
    mysql: MariaDb,
    database: String,
    redis: Redis,
    broker: Mosquitto,
    push: u16,
    _daemons: Up,
}

impl Shop {
    async fn open() -> Self {
        let daemons = Up::start();
        let (mysql, redis, broker) =
            tokio::join!(MariaDb::start(), Redis::start(), Mosquitto::start());
        let (database, push) = (mysql.database(), free_port());
        // Orders wait for those who are told, so this is short.
        let soon = "request_timeout=500ms&call_timeout=1s";
        let environment = [
            ("MYSQL_URL", mysql.url(&database)),
            ("REDIS_URL", format!("{}?{soon}", redis.url())),
            ("MQTT_URL", format!("{}?{soon}", broker.url())),
            ("WORKYARD_CHANNEL", daemons.channel().to_owned()),
            ("WORKYARD_GLOBALDATA", daemons.globaldata().to_owned()),
            ("PUSH_LISTEN", format!("websocket://127.0.0.1:{push}")),
        ];
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        let service = Service::start("order-desk", &environment).await;
        Self { service, mysql, database, redis, broker, push, _daemons: daemons }
    }

    /// Orders, and returns the order's id and how many were taken by all desks so far.
    async fn order(&self, item: &str) -> (u64, Json) {
        let wish = json!({ "item": item, "count": 2 }).to_string();
        let answer = self.service.post("/orders", &wish).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let mut told: Json = serde_json::from_str(&answer.body).unwrap();
        (told["id"].as_u64().unwrap(), told["taken"].take())
    }

    async fn shown(&self, id: u64) -> String {
        let answer = self.service.get(&format!("/orders/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    async fn screen(&self) -> Screen {
        let connect = ClientBuilder::new().uri(&format!("ws://127.0.0.1:{}", self.push)).unwrap();
        Screen(within(async move { connect.connect().await.unwrap() }).await.0)
    }

    fn stored(&self) -> String {
        self.mysql.sql(&format!("SELECT * FROM {}.orders ORDER BY id", self.database))
    }
}

struct Screen(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Screen {
    async fn next(&mut self) -> String {
        let message = within(self.0.next()).await.expect("the connection goes on").unwrap();
        message.as_text().expect("a text").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_stored_cached_counted_told_and_pushed() {
    let shop = Shop::open().await;
    let mqtt = Mqtt::open(&shop.broker.url()).unwrap();
    let mut told = mqtt.subscribe("orders/+", Qos::AtLeastOnce).await.unwrap();
    let mut screens = [shop.screen().await, shop.screen().await, shop.screen().await];

    assert_eq!(shop.order("tea").await, (1, json!(1)));
    let order = r#"{"id":1,"item":"tea","count":2}"#;
    for screen in &mut screens {
        assert_eq!(screen.next().await, order);
    }
    let message = within(told.next()).await.unwrap().unwrap();
    assert_eq!((message.topic.as_str(), message.text()), ("orders/1", order.to_owned()));
    assert_eq!(shop.stored(), "1\ttea\t2");
    assert_eq!(shop.redis.command(["GET", "order:1"]), order);

    // Whichever process is asked: it counts on, and shows what is cached, or else what is stored.
    for count in 2..=10 {
        assert_eq!(shop.order("cake").await, (count, json!(count)));
    }
    assert_eq!(shop.shown(1).await, order);
    let _ = shop.redis.command(["SET", "order:1", "from the cache"]);
    assert_eq!(shop.shown(1).await, "from the cache");
    let _ = shop.redis.command(["DEL", "order:1"]);
    assert_eq!(shop.shown(1).await, order);
    assert_eq!(shop.redis.command(["GET", "order:1"]), order);
    assert_eq!(shop.service.get("/orders/11").await.status, 404);
    shop.service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_taken_while_those_who_are_told_are_away() {
    let mut shop = Shop::open().await;
    let mut screen = shop.screen().await;
    assert_eq!(shop.order("tea").await.0, 1);
    assert_eq!(screen.next().await, r#"{"id":1,"item":"tea","count":2}"#);
    shop.redis.process.kill().await;
    shop.broker.process.kill().await;
    assert_eq!(shop.order("cake").await, (2, json!(2)));
    assert_eq!(screen.next().await, r#"{"id":2,"item":"cake","count":2}"#);
    assert_eq!(shop.shown(2).await, r#"{"id":2,"item":"cake","count":2}"#);
    for what in ["cached", "told over MQTT"] {
        let said = format!("an order was not {what}");
        assert!(shop.service.log().contains(&said), "{}", shop.service.log());
    }

    shop.redis.process.start_again().await;
    shop.broker.process.start_again().await;
    let mqtt = Mqtt::open(&shop.broker.url()).unwrap();
    let mut told = mqtt.subscribe("orders/+", Qos::AtLeastOnce).await.unwrap();
    assert_eq!(shop.order("pie").await, (3, json!(3)));
    let told = async {
        loop {
            let message = told.next().await.unwrap().unwrap();
            if message.topic == "orders/3" {
                break;
            }
        }
    };
    within(told).await;
    let redis = &shop.redis;
    eventually("orders are cached again", async || {
        shop.shown(3).await;
        redis.command(["EXISTS", "order:3"]) == "1"
    })
    .await;
    assert_eq!(shop.stored(), "1\ttea\t2\n2\tcake\t2\n3\tpie\t2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_order_is_refused_and_nothing_is_stored() {
    let shop = Shop::open().await;
    let wrong = [
        ("", "EOF"),
        (r#"{"item":"tea"}"#, "missing field `count`"),
        (r#"{"item":"tea","count":-1}"#, "invalid value: integer `-1`"),
        (r#"{"item":"tea","count":1,"price":0}"#, "unknown field `price`"),
    ];
    for (body, why) in wrong {
        let answer = shop.service.post("/orders", body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.body.contains(why), "{body}: {}", answer.body);
    }
    assert_eq!(shop.service.get("/orders").await.status, 404);
    assert_eq!(shop.stored(), "");
}
