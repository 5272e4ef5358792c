//! Datagrams that a worker process sends itself.

use crate::peer::until;
use std::cell::RefCell;
use std::rc::Rc;
use workyard_worker::protocols::Text;
use workyard_worker::{UdpClient, Worker, embedded::serve_while};

#[test]
fn datagrams_are_sent_and_heard_until_the_client_ends() {
    let echo = Worker::<Text>::bind("udp://127.0.0.1:0")
        .on_message(async |connection, line| connection.send(format!("<{line}>")));
    let served = serve_while(echo, async |address| {
        let log: Rc<RefCell<Vec<String>>> = Rc::default();
        let (message, close) = (Rc::clone(&log), Rc::clone(&log));
        let client = UdpClient::to(&address.to_string())
            .on_message(async move |client, bytes| {
                message.borrow_mut().push(String::from_utf8(bytes.into()).unwrap());
                if message.borrow().len() == 3 {
                    client.close();
                }
            })
            .on_close(async move |_| close.borrow_mut().push("close".to_owned()))
            .connect()
            .await
            .unwrap();
        assert_eq!(client.remote().to_string(), address.endpoint.to_string());
        client.send("one\ntwo\n").unwrap();
        assert!(client.send(vec![0; 65_508]).is_err());
        client.send("three\n").unwrap();
        until(|| log.borrow().len() == 4).await;
        assert_eq!(*log.borrow(), ["<one>\n", "<two>\n", "<three>\n", "close"]);
        assert!(client.send("late\n").is_err());
    });
    served.unwrap();
}

#[test]
fn a_client_outlives_that_nobody_listens_and_a_failure_ends_it() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0");
    let served = serve_while(worker, async |_| {
        let peer = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = peer.local_addr().unwrap();
        drop(peer);
        let closed = Rc::new(RefCell::new(false));
        let close = Rc::clone(&closed);
        let client = UdpClient::to(&format!("udp://{address}"))
            .on_message(async |_, _| Err::<(), _>("a failure"))
            .on_close(async move |_| *close.borrow_mut() = true)
            .connect()
            .await
            .unwrap();
        for _ in 0..3 {
            // It may hear that nobody listened to the one before.
            let _ = client.send("anybody?");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(!*closed.borrow());
        let peer = tokio::net::UdpSocket::bind(address).await.unwrap();
        peer.send_to(b"yes", client_address(&client)).await.unwrap();
        until(|| *closed.borrow()).await;
    });
    served.unwrap();
}

fn client_address(client: &UdpClient) -> String {
    format!("127.0.0.1:{}", client.local().port())
}

#[test]
fn what_is_no_address_for_datagrams_is_refused() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0");
    let served = serve_while(worker, async |_| {
        let error = UdpClient::to("tcp://127.0.0.1:1").connect().await.unwrap_err();
        assert!(error.to_string().contains("write udp://HOST:PORT"), "{error}");
    });
    served.unwrap();
}
