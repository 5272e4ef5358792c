//! Connections that nobody else can read, and whom to trust.

use crate::peer::{VERSIONS, client_at, next};
use workyard_mqtt::{ErrorKind, Qos};
use workyard_testbed::{Authority, Mosquitto};

#[tokio::test]
async fn it_speaks_over_tls() {
    let authority = Authority::new();
    let broker = Mosquitto::setup().user("app", "secret").tls(&authority).start().await;
    for (url, version) in [
        (broker.url(), VERSIONS[0]),
        (broker.url(), VERSIONS[1]),
        (broker.web_socket_url(), VERSIONS[0]),
        (broker.web_socket_url(), VERSIONS[1]),
    ] {
        let mqtt = client_at(&url, |options| {
            options.version = version;
            options.tls.ca = Some(authority.certificate());
        });
        let mut subscription = mqtt.subscribe("a", Qos::ExactlyOnce).await.unwrap();
        let payload = vec![7; 300_000];
        mqtt.publish("a", payload.clone(), Qos::ExactlyOnce, false).await.unwrap();
        assert_eq!(next(&mut subscription).await.payload, payload);
        mqtt.close().await;
    }
}

#[tokio::test]
async fn who_is_a_stranger_is_refused() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let broker = Mosquitto::setup().tls(&authority).start().await;
    for url in [broker.url(), broker.web_socket_url()] {
        let mqtt = client_at(&url, |options| options.tls.ca = Some(stranger.certificate()));
        let error = mqtt.publish("a", "x", Qos::AtLeastOnce, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}

#[tokio::test]
async fn a_broker_that_wants_a_certificate_gets_one() {
    let authority = Authority::new();
    let broker = Mosquitto::setup().tls(&authority).client_certificates().start().await;
    let client = |shown: bool| {
        client_at(&broker.url(), |options| {
            options.tls.ca = Some(authority.certificate());
            if shown {
                options.tls.certificate = Some(authority.client().certificate.clone());
                options.tls.key = Some(authority.client().key.clone());
            }
        })
    };
    client(true).ready().await.unwrap();
    let error = client(false).ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}
