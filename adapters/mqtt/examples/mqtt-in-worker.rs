//! Machines report their state by MQTT; people ask for it, and give orders, by HTTP. To try it:
//! `MQTT=mqtt://127.0.0.1 mqtt-in-worker start`, `mosquitto_pub -t plant/7/state -m running -r`,
//! `curl http://127.0.0.1:8080/plant/7`, `curl -d stop http://127.0.0.1:8080/plant/7`.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use workyard_mqtt::{Error, Handler, Mqtt, Qos};
use workyard_worker::http::Method;
use workyard_worker::{Worker, protocols::Http};

/// What each topic said last. Every process has all of it: the broker keeps the states for who comes
/// later.
#[derive(Clone, Default)]
struct States(Arc<Mutex<HashMap<String, String>>>);

impl States {
    fn set(&self, topic: String, state: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(topic, state);
    }

    fn of(&self, topic: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(topic).cloned()
    }
}

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "http://0.0.0.0:8080".to_owned());
    let url = std::env::var("MQTT").unwrap_or_else(|_| "mqtt://127.0.0.1".to_owned());
    Worker::<Http>::bind(&listen)
        .name("plant")
        .count(2)
        .on_worker_start(async move |worker| {
            let (mqtt, states) = (Mqtt::open(&url)?, States::default());
            worker.provide(follow(&mqtt, states.clone()).await?);
            worker.provide(mqtt);
            worker.provide(states);
            Ok::<_, Error>(())
        })
        .on_message(async |connection, request| {
            let worker = connection.worker();
            let (mqtt, states) = (worker.resource::<Mqtt>(), worker.resource::<States>());
            let name = request.path().trim_start_matches('/').to_owned();
            let answer = match *request.method() {
                Method::POST => order(&mqtt, &name, request.body().to_vec()).await,
                _ => states.of(&format!("{name}/state")).unwrap_or_else(|| "unknown".to_owned()),
            };
            connection.send(answer + "\n")
        })
        .on_worker_stop(async |worker| worker.resource::<Mqtt>().close().await)
        .run()
}

/// Keeps up with what the machines say, as long as what it returns is kept.
async fn follow(mqtt: &Mqtt, states: States) -> Result<Handler, Error> {
    let handle = move |message: workyard_mqtt::Message| {
        states.set(message.topic.clone(), message.text());
        async { Ok::<_, Error>(()) }
    };
    mqtt.on("plant/+/state", Qos::AtLeastOnce, handle).await
}

/// An order that must not be followed twice. Returned, the broker has it.
async fn order(mqtt: &Mqtt, name: &str, what: Vec<u8>) -> String {
    match mqtt.publish(format!("{name}/order"), what, Qos::ExactlyOnce, false).await {
        Ok(()) => "ordered".to_owned(),
        Err(error) if error.outcome_unknown() => {
            "maybe ordered: look before you repeat it".to_owned()
        }
        Err(error) => format!("not ordered: {error}"),
    }
}
