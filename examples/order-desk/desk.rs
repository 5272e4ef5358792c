//! Processes that take orders and show them.

use crate::order::{Order, Wish};
use crate::{CHANNEL, channel, setting};
use serde::Serialize;
use serde_json::json;
use std::fmt::Display;
use workyard_channel::ChannelClient;
use workyard_globaldata::{GlobalDataClient, Number};
use workyard_mqtt::{Mqtt, Qos};
use workyard_mysql::{Mysql, insert, select};
use workyard_redis::Redis;
use workyard_redis::redis::Cmd;
use workyard_worker::http::{Request, Response, StatusCode};
use workyard_worker::protocols::Http;
use workyard_worker::{CallbackError, Worker, WorkerProcess};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS orders (
    id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
    item VARCHAR(100) NOT NULL,
    count INT UNSIGNED NOT NULL
)";
const TAKEN: &str = "orders.taken";
const CACHED_SECONDS: u64 = 60;

pub(crate) fn desk() -> Worker<Http> {
    Worker::<Http>::bind(&setting("LISTEN", "http://127.0.0.1:2125"))
        .name("desk")
        .count(2)
        .on_worker_start(open)
        .on_message(async |connection, request| {
            let desk = connection.worker().resource::<Desk>();
            let answer = desk.answer(&request).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "an order was not taken or not shown");
                answered(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": error.to_string() }))
            });
            connection.send(answer)
        })
        .on_worker_stop(async |worker| {
            let desk = worker.resource::<Desk>();
            desk.mqtt.close().await;
            desk.redis.close().await;
            desk.mysql.close().await;
        })
}

/// What each process has of its own.
struct Desk {
    mysql: Mysql,
    redis: Redis,
    mqtt: Mqtt,
    shared: GlobalDataClient,
    channels: ChannelClient,
}

async fn open(worker: WorkerProcess<Http>) -> Result<(), CallbackError> {
    let globaldata = setting("WORKYARD_GLOBALDATA", "127.0.0.1:2207");
    let desk = Desk {
        mysql: Mysql::open(&setting("MYSQL_URL", "mysql://root@127.0.0.1/test?calls_max=10"))?,
        // An order waits for these, so this is short.
        redis: Redis::open(setting("REDIS_URL", "redis://127.0.0.1?call_timeout=1s"))?,
        mqtt: Mqtt::open(&setting("MQTT_URL", "mqtt://127.0.0.1?call_timeout=1s"))?,
        shared: GlobalDataClient::connect(globaldata.as_str()).await?,
        channels: ChannelClient::connect(channel().as_str()).await?,
    };
    // Without a place to store orders there is no use in starting; the others may come later.
    desk.mysql.query(TABLE).await?;
    worker.provide(desk);
    Ok(())
}

impl Desk {
    async fn answer(&self, request: &Request) -> Result<Response, CallbackError> {
        let id = request.path().strip_prefix("/orders/").and_then(|id| id.parse().ok());
        match (request.method().as_str(), request.path(), id) {
            ("POST", "/orders", _) => match request.json::<Wish>() {
                Ok(wish) => self.take(wish).await,
                Err(error) => {
                    let error = json!({ "error": format!("not an order: {error}") });
                    Ok(answered(StatusCode::BAD_REQUEST, &error))
                }
            },
            ("GET", _, Some(id)) => self.show(id).await,
            _ => Ok(StatusCode::NOT_FOUND.into()),
        }
    }

    async fn take(&self, wish: Wish) -> Result<Response, CallbackError> {
        let Wish { item, count } = wish;
        let row = insert("orders").set("item", item.as_str()).set("count", count);
        let id = self.mysql.exec(row, ()).await?.last_insert_id.unwrap_or_default();
        let order = Order { id, item, count };
        let text = serde_json::to_string(&order)?;
        let remember = self.remember(id, &text);
        let taken = self.shared.increment(TAKEN, 1);
        let tell = self.mqtt.publish(format!("orders/{id}"), text.clone(), Qos::AtLeastOnce, false);
        let push = self.channels.publish(CHANNEL, &text);
        let (remembered, taken, told, pushed) = tokio::join!(remember, taken, tell, push);
        warn("cached", remembered.err());
        warn("told over MQTT", told.err());
        warn("pushed", pushed.err());
        let taken = match taken.inspect_err(|error| warn("counted", Some(error))) {
            Ok(Number::Int(taken)) => Some(taken),
            _ => None,
        };
        Ok(answered(StatusCode::CREATED, &json!({ "id": id, "taken": taken })))
    }

    async fn show(&self, id: u64) -> Result<Response, CallbackError> {
        let cached: Result<Option<String>, _> = self.redis.query(&Cmd::get(key(id))).await;
        if let Ok(Some(text)) = cached {
            return Ok(shown("hit", text));
        }
        let wanted = select(["item", "count"]).from("orders").is("id", id);
        let Some((item, count)) = self.mysql.first::<(String, u32)>(wanted, ()).await? else {
            return Ok(answered(StatusCode::NOT_FOUND, &json!({ "error": "no such order" })));
        };
        let text = serde_json::to_string(&Order { id, item, count })?;
        warn("cached", self.remember(id, &text).await.err());
        Ok(shown("miss", text))
    }

    async fn remember(&self, id: u64, text: &str) -> workyard_redis::Result<()> {
        self.redis.query(&Cmd::set_ex(key(id), text, CACHED_SECONDS)).await
    }
}

fn key(id: u64) -> String {
    format!("order:{id}")
}

fn warn(what: &str, error: Option<impl Display>) {
    if let Some(error) = error {
        tracing::warn!(%error, "an order was not {what}");
    }
}

fn shown(cache: &str, text: String) -> Response {
    let response = Response::new().header("Content-Type", "application/json");
    response.header("X-Cache", cache).body(text)
}

fn answered(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_string(body).unwrap_or_default();
    Response::new().status(status).header("Content-Type", "application/json").body(body)
}
