//! RabbitMQ brokers.

use crate::left::processes_in;
use crate::secure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workyard_testbed::{Authority, RabbitMq, eventually};

const AMQP: &[u8] = b"AMQP\0\0\x09\x01";
/// Whether it is the server's first frame: on channel 0, `connection.start`.
fn is_start(frame: &[u8]) -> bool {
    frame[..3] == [1, 0, 0] && frame[7..] == [0, 10, 0, 10]
}

fn stomp(vhost: &str) -> Vec<u8> {
    let head = format!("CONNECT\naccept-version:1.2\nhost:{vhost}\n");
    format!("{head}login:worker\npasscode:secret\n\n\0").into_bytes()
}

async fn ask(stream: &mut TcpStream, question: &[u8], length: usize) -> Vec<u8> {
    let mut answer = vec![0; length];
    stream.write_all(question).await.unwrap();
    stream.read_exact(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn forgets_nothing_durable_and_leaves_nothing() {
    let mut broker = RabbitMq::start().await;
    let mut stream = TcpStream::connect(broker.address()).await.unwrap();
    assert!(is_start(&ask(&mut stream, AMQP, 11).await));
    let vhost = broker.vhost().await;
    let path = format!("/api/queues/{vhost}/jobs");
    broker.manage("PUT", &path, "{\"durable\":true}").await;
    broker.process.restart().await;
    assert!(broker.manage("GET", &path, "").await.contains("\"durable\":true"));
    broker.process.kill().await;
    broker.process.start_again().await;
    assert!(broker.manage("GET", &path, "").await.contains("\"durable\":true"));
    let folder = broker.process.place().folder().to_owned();
    assert!(!processes_in(&folder).is_empty());
    drop(broker);
    // What watches its disk ends a moment after it.
    eventually("nothing runs in the end", async || processes_in(&folder).is_empty()).await;
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_shared_one_has_many_virtual_hosts() {
    let broker = RabbitMq::shared().await;
    let (one, two) = (broker.vhost().await, broker.vhost().await);
    assert_ne!(one, two);
    let address = broker.address();
    assert_eq!(broker.url(&one), format!("amqp://worker:secret@{address}/{one}"));
    for vhost in [one, two] {
        let mut stream = TcpStream::connect(broker.stomp_address()).await.unwrap();
        assert_eq!(ask(&mut stream, &stomp(&vhost), 9).await, b"CONNECTED");
        let path = format!("/api/vhosts/{vhost}/connections");
        let seen = async || broker.manage("GET", &path, "").await.contains("STOMP 1.2");
        eventually("the connection is listed", seen).await;
    }
    let mut stream = TcpStream::connect(broker.stomp_address()).await.unwrap();
    assert_eq!(ask(&mut stream, &stomp("none"), 5).await, b"ERROR");
}

#[tokio::test]
async fn speaks_tls_to_those_who_trust_it() {
    let authority = Authority::new();
    let broker = RabbitMq::setup().tls(&authority).start().await;
    let vhost = broker.vhost().await;
    let mut stream = secure::connect(broker.tls_address(), &authority).await.unwrap();
    assert!(is_start(&secure::ask(&mut stream, AMQP, 11).await.unwrap()));
    let mut stream = secure::connect(broker.stomp_tls_address(), &authority).await.unwrap();
    assert_eq!(secure::ask(&mut stream, &stomp(&vhost), 9).await.unwrap(), b"CONNECTED");
    assert!(secure::connect(broker.tls_address(), &Authority::new()).await.is_err());
    assert!(broker.tls_url("x").starts_with("amqps://worker:secret@127.0.0.1:"));
}

#[tokio::test]
async fn may_ask_for_certificates() {
    let authority = Authority::new();
    let broker = RabbitMq::setup().tls(&authority).client_certificates().start().await;
    let mut stream = secure::connect_as_client(broker.tls_address(), &authority).await.unwrap();
    assert!(is_start(&secure::ask(&mut stream, AMQP, 11).await.unwrap()));
    let refused = async {
        let mut stream = secure::connect(broker.tls_address(), &authority).await?;
        secure::ask(&mut stream, AMQP, 11).await
    };
    assert!(refused.await.is_err());
}
