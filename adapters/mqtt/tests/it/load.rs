//! Many at the same time.

use crate::peer::{VERSIONS, client, next};
use workyard_mqtt::{Qos, Subscribe};
use workyard_testbed::Mosquitto;

#[tokio::test]
async fn a_thousand_at_once_are_all_acknowledged_though_few_may_be_under_way() {
    for version in VERSIONS {
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let broker = Mosquitto::start().await;
            let mqtt = client(&broker, |options| {
                options.version = version;
                options.inflight_max = 7;
            });
            let how = Subscribe::new(qos).buffer_max(1000);
            let mut subscription = mqtt.subscribe("n", how).await.unwrap();
            let publishing: Vec<_> = (0..1000)
                .map(|number: usize| {
                    let mqtt = mqtt.clone();
                    let text = number.to_string();
                    tokio::spawn(async move { mqtt.publish("n", text, qos, false).await })
                })
                .collect();
            for published in publishing {
                published.await.unwrap().unwrap();
            }
            let mut numbers = Vec::new();
            for _ in 0..1000 {
                numbers.push(next(&mut subscription).await.text().parse::<usize>().unwrap());
            }
            numbers.sort_unstable();
            assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
            assert_eq!((mqtt.queued(), mqtt.stats().connected), (0, 1));
        }
    }
}
