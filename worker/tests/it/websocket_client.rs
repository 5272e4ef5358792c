//! WebSockets that a worker process opens itself.

use crate::peer::{PATIENCE, until};
use crate::websocket_peer::{CLOSE, FIN, TEXT, code, masked, plain};
use bytes::Bytes;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use workyard_worker::protocols::WebSocket;
use workyard_worker::websocket::{Close, CloseCode, Message, Reply};
use workyard_worker::{Client, ConnectionState, Worker, embedded::serve_while};

type Log<T> = Rc<RefCell<Vec<T>>>;

fn server() -> Worker<WebSocket> {
    Worker::<WebSocket>::bind("websocket://127.0.0.1:0")
        .on_websocket_connect(async |connection, handshake| {
            if handshake.path() == "/refused" {
                return handshake.refuse(403, "Not you.");
            }
            let protocol = handshake.choose_protocol(&["v2"]);
            let name = handshake.header("x-name").unwrap_or_default().to_owned();
            let query = handshake.query("a").unwrap_or_default();
            connection.send(format!("{} {query} {protocol:?} {name}", handshake.path()));
        })
        .on_message(async |connection, message| match message.as_text() {
            Some("close") => connection.close_because(CloseCode::POLICY, "you said so"),
            _ => drop(connection.send(message)),
        })
}

#[test]
fn a_client_opens_a_websocket_and_speaks() {
    let served = serve_while(server(), async |address| {
        let log: Log<Message> = Log::default();
        let keep = Rc::clone(&log);
        let client = Client::<WebSocket>::to(&format!("ws://{}/chat?a=b", address.endpoint))
            .protocols(["v1", "v2"])
            .header("X-Name", "value")
            .on_message(async move |_, message| keep.borrow_mut().push(message))
            .connect()
            .unwrap();
        let large = Bytes::from(vec![7; 1 << 20]);
        client.send("first");
        assert!(client.send(Reply::ping("ping")).is_accepted());
        client.send(large.clone());
        until(|| log.borrow().len() == 3).await;
        let text = |text: &str| Message::Text(text.to_owned());
        let greeting = text(r#"/chat b Some("v2") value"#);
        assert!(*log.borrow() == [greeting, text("first"), Message::Binary(large)]);
        client.send("close");
        until(|| client.state() == ConnectionState::Closed).await;
        let close = Close { code: Some(1008), reason: "you said so".to_owned() };
        assert_eq!(client.closed_by_peer(), Some(close));
    });
    served.unwrap();
}

#[test]
fn a_client_that_closes_says_why() {
    let told: Log<Option<Close>> = Log::default();
    let tell = Rc::clone(&told);
    let server = server()
        .on_close(async move |connection| tell.borrow_mut().push(connection.closed_by_peer()));
    let served = serve_while(server, async |address| {
        for by_itself in [true, false] {
            let client =
                Client::<WebSocket>::to(&format!("ws://{}", address.endpoint)).connect().unwrap();
            until(|| client.traffic().read > 130).await;
            match by_itself {
                true => client.close(),
                false => client.close_because(CloseCode::new(4000).unwrap(), "mine"),
            }
            until(|| client.state() == ConnectionState::Closed).await;
        }
        until(|| told.borrow().len() == 2).await;
    });
    served.unwrap();
    let close = |code, reason: &str| Some(Close { code: Some(code), reason: reason.to_owned() });
    assert_eq!(*told.borrow(), [close(1000, ""), close(4000, "mine")]);
}

#[test]
fn a_client_that_is_refused_is_told() {
    let served = serve_while(server(), async |address| {
        let log: Log<String> = Log::default();
        let (error, close) = (Rc::clone(&log), Rc::clone(&log));
        let client = Client::<WebSocket>::to(&format!("ws://{}/refused", address.endpoint))
            .on_error(async move |_, failed| error.borrow_mut().push(failed.to_string()))
            .on_message(async |_, message| assert_eq!(message.as_text(), Some("nothing")))
            .on_close(async move |_| close.borrow_mut().push("close".to_owned()))
            .connect()
            .unwrap();
        client.send("never sent");
        until(|| log.borrow().len() == 2).await;
        let expected = "bad message: no handshake: the answer is 403 Forbidden";
        assert_eq!(*log.borrow(), [expected, "close"]);
    });
    served.unwrap();
}

/// What a client that sends a message at once sends to a server that answers it like this.
async fn exchange(answer: impl AsyncFnOnce(&mut TcpStream, String)) -> Client<WebSocket> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::<WebSocket>::to(&format!("ws://{address}")).connect().unwrap();
    client.send("message");
    let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    let request = String::from_utf8(request).unwrap();
    let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap();
    let mut sha = sha1_smol::Sha1::new();
    sha.update(key.split("\r\n").next().unwrap().as_bytes());
    sha.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let accept =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, sha.digest().bytes());
    let accepted = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    answer(&mut stream, accepted).await;
    client
}

#[test]
fn frames_of_clients_are_masked_and_wait_for_the_answer() {
    let served = serve_while(server(), async |_| {
        exchange(async |stream, accepted| {
            let early = timeout(Duration::from_millis(100), stream.read_u8()).await;
            assert!(early.is_err(), "nothing is sent before the answer");
            for byte in accepted.bytes() {
                stream.write_all(&[byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
            let mut frame = [0; 13];
            timeout(PATIENCE, stream.read_exact(&mut frame)).await.unwrap().unwrap();
            assert_eq!(frame[..2], [FIN | TEXT, 0x80 | 7]);
            let mask = frame[2..6].to_vec();
            let held: Vec<_> =
                frame[6..].iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
            assert_eq!(held, b"message");
        })
        .await;
    });
    served.unwrap();
}

#[test]
fn a_server_that_masks_or_does_not_prove_itself_is_left() {
    let served = serve_while(server(), async |_| {
        let client = exchange(async |stream, accepted| {
            let masked = masked(FIN | TEXT, "masked");
            stream.write_all(&[accepted.as_bytes(), &masked].concat()).await.unwrap();
            let mut seen = Vec::new();
            timeout(PATIENCE, stream.read_to_end(&mut seen)).await.unwrap().unwrap();
            let (first, close) = seen.split_at(13);
            assert_eq!(first[..2], [FIN | TEXT, 0x80 | 7]);
            let code: Vec<_> = close[6..8].iter().zip(&close[2..4]).map(|(a, b)| a ^ b).collect();
            assert_eq!((close[0], code), (FIN | CLOSE, code_of(1002)));
        })
        .await;
        until(|| client.state() == ConnectionState::Closed).await;
        exchange(async |stream, accepted| {
            let wrong = accepted.replace("Accept: ", "Accept: A");
            let early = plain(FIN | TEXT, "early");
            stream.write_all(&[wrong.as_bytes(), &early].concat()).await.unwrap();
            let mut seen = Vec::new();
            timeout(PATIENCE, stream.read_to_end(&mut seen)).await.unwrap().unwrap();
            assert_eq!(seen, b"");
        })
        .await;
    });
    served.unwrap();
}

fn code_of(number: u16) -> Vec<u8> {
    code(number, "")
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let served = serve_while(server(), async |_| {
        let to = || Client::<WebSocket>::to("ws://127.0.0.1:1/");
        for (client, expected) in [
            (to().header("a b", ""), "a b"),
            (to().header("X", "a\r\nY: b"), "control characters"),
            (to().header("Host", "a"), "by the handshake itself"),
            (to().protocols(["a b"]), "is no sub-protocol"),
            (Client::to("wss://127.0.0.1:1/"), "TLS needs whom to trust"),
            (Client::to("text://127.0.0.1:1"), "does not go with the protocol"),
        ] {
            let error = client.connect().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    });
    served.unwrap();
}
