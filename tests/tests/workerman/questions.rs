//! Questions are nothing to clients of the original servers: they are asked none, and lose none.

use std::time::Duration;
use workyard_channel::{ChannelClient, ErrorKind};
use workyard_tests::clients::{address, until, within};
use workyard_tests::workerman::{Connection, channel, integer, pushed};
use workyard_tests::{ChannelWire, Setup};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_cannot_answer_is_not_asked() {
    const LONG: Duration = Duration::from_secs(600);
    let daemon = Setup::<ChannelWire>::new().start();
    let mut php = Connection::open(daemon.endpoint()).unwrap();
    php.send(&channel("subscribe", b"sum", None));
    let client = within(ChannelClient::connect(address(&daemon))).await.unwrap();
    let heard = || async { client.publish("sum", &1).await.unwrap() == 1 };
    until("it subscribes", heard).await;
    php.expect(&pushed("event", b"sum", &integer(1))).unwrap();

    let nobody = within(client.request("sum", &2, LONG)).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::NoResponders);
    let mut responder = client.serve("sum").await.unwrap();
    for number in 0..10 {
        let answering = async {
            let question = within(responder.next()).await.unwrap();
            question.answer(&number).await.unwrap();
        };
        let (answer, ()) = tokio::join!(client.request("sum", &2, LONG), answering);
        assert_eq!(answer.unwrap().decode::<i64>().unwrap(), number);
    }
    client.publish("sum", &3).await.unwrap();
    php.expect(&pushed("event", b"sum", &integer(3))).unwrap();
}
