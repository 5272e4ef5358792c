//! What MQTT 5 has beside the payload.

use crate::peer::{VERSIONS, client, next, publish};
use std::time::Duration;
use workyard_mqtt::{ErrorKind, Publish, Qos};
use workyard_testbed::{Authority, Mosquitto};

#[tokio::test]
async fn properties_arrive_as_they_were_sent() {
    let broker = Mosquitto::start().await;
    let mqtt = client(&broker, |options| {
        options.version = VERSIONS[1];
        options.user_properties = vec![("instance".into(), "7".into())];
    });
    let mut subscription = mqtt.subscribe("p", Qos::ExactlyOnce).await.unwrap();
    let message = Publish::new("p", "x")
        .qos(Qos::ExactlyOnce)
        .user_property("a", "1")
        .user_property("a", "2")
        .answer_to("answers", &b"\0\xFF"[..])
        .expires_after(Duration::from_secs(100))
        .content_type("text/plain");
    mqtt.send(message.clone()).await.unwrap();
    let mut arrived = next(&mut subscription).await.properties;
    let left = arrived.message_expiry.take().unwrap();
    assert!((95..=100).contains(&left.as_secs()), "{left:?}");
    let mut expected = message.properties;
    expected.message_expiry = None;
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn properties_of_another_client_arrive() {
    let broker = Mosquitto::start().await;
    let mqtt = client(&broker, |options| options.version = VERSIONS[1]);
    let mut subscription = mqtt.subscribe("p", Qos::AtLeastOnce).await.unwrap();
    let arguments = ["-V", "5", "-t", "p", "-m", "x", "-D", "publish", "content-type", "text/html"];
    let more = ["-D", "publish", "user-property", "name", "value"];
    publish(broker.address(), &[&arguments[..], &more].concat()).await;
    let properties = next(&mut subscription).await.properties;
    assert_eq!(properties.content_type.as_deref(), Some("text/html"));
    assert_eq!(properties.user, [("name".to_owned(), "value".to_owned())]);
}

#[tokio::test]
async fn a_message_that_has_expired_does_not_come() {
    let broker = Mosquitto::start().await;
    let mqtt = client(&broker, |options| options.version = VERSIONS[1]);
    let kept = |text: &str, seconds| {
        let message = Publish::new(format!("e/{text}"), text.to_owned()).retain(true);
        message.expires_after(Duration::from_secs(seconds))
    };
    mqtt.send(kept("short", 1)).await.unwrap();
    mqtt.send(kept("long", 100)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let mut subscription = mqtt.subscribe("e/+", Qos::AtLeastOnce).await.unwrap();
    assert_eq!(next(&mut subscription).await.text(), "long");
    assert!(crate::peer::is_silent(&mut subscription).await);
}

#[tokio::test]
async fn a_message_that_the_broker_does_not_want_is_an_error_with_its_reason() {
    let folder = Authority::new();
    let path = folder.certificate().with_file_name("acl");
    std::fs::write(&path, "topic readwrite open/#\n").unwrap();
    let broker = Mosquitto::setup().line(&format!("acl_file {}", path.display())).start().await;
    let mqtt = client(&broker, |options| options.version = VERSIONS[1]);
    let error = mqtt.publish("shut", "x", Qos::AtLeastOnce, false).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("NotAuthorized")), "{error}");
    assert!(!error.outcome_unknown() && !error.is_transient());
    let error = mqtt.publish("shut", "x", Qos::ExactlyOnce, false).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("NotAuthorized")), "{error}");
    mqtt.publish("open/x", "x", Qos::ExactlyOnce, false).await.unwrap();
}
