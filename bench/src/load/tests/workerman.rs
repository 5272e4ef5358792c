//! Runs against a small imitation of workerman/channel and workerman/globaldata.

use super::*;
use crate::wire::length_prefixed;
use md5::{Digest, Md5};
use std::collections::HashMap;

#[test]
fn events_are_told_and_nothing_else_is_awaited() {
    let server = Imitation::start();
    for (publishers, subscribers, pace) in
        [(1, 1, Pace::Saturated), (2, 3, Pace::Alone), (1, 2, Pace::PerSecond(500.0))]
    {
        let figures = fanout::run(&server, &spec(publishers, subscribers, pace)).unwrap();
        assert_eq!(figures.value("lost"), Some(0.0));
        assert_eq!(figures.value("out_of_order"), Some(0.0));
        assert!(figures.value("per_s").unwrap() > 100.0);
    }
    subscriptions(&server, 50, 5, true).unwrap();
    let spec = routed::Spec { subscriptions: 50, connections: 5, timing: TIMING };
    let figures = routed::run(&server, &spec).unwrap();
    assert_eq!(figures.value("lost"), Some(0.0));
}

#[test]
fn answers_are_told_from_each_other() {
    let server = Imitation::start();
    for operation in Operation::ALL {
        let figures = keys::run(&server, &asked(operation, 4, Pace::Saturated)).unwrap();
        assert_eq!(figures.value("declined"), Some(0.0), "{operation:?}");
        let spec = asked(operation, 1, Pace::PerSecond(1000.0));
        let figures = keys::run(&server, &spec).unwrap();
        assert_eq!(figures.value("declined"), Some(0.0), "{operation:?}");
        assert!(figures.value("per_s").unwrap() > 100.0);
    }
    let figures = fill(&server, 1000, true).unwrap();
    assert_eq!(figures.value("declined"), Some(0.0));
}

/// Both servers in one, with a thread per connection.
#[derive(Default)]
struct Imitation {
    /// Channel names with the sockets of their subscribers.
    subscribers: Mutex<Vec<(Vec<u8>, TcpStream)>>,
    /// Keys with the text of their values.
    values: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Imitation {
    fn start() -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let server = Arc::new(Self::default());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let server = Arc::clone(&server);
                thread::spawn(move || server.serve(stream.unwrap()));
            }
        });
        peer(Kind::Workerman, addr)
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut input = Vec::new();
        let mut buffer = vec![0; 65_536];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            input.extend_from_slice(&buffer[..count]);
            let mut taken = 0;
            while let Some(frame_bytes) = length_prefixed(&input[taken..]) {
                let body = &input[taken..][4..frame_bytes];
                taken += frame_bytes;
                if body != b"ping" && !body.is_empty() {
                    self.handle(body, &mut stream);
                }
            }
            input.drain(..taken);
        }
    }

    fn handle(&self, body: &[u8], stream: &mut TcpStream) {
        match strings(body)[..] {
            [b"type", b"subscribe", b"channels", name] => {
                let stream = stream.try_clone().unwrap();
                self.subscribers.lock().unwrap().push((name.to_vec(), stream));
            }
            [b"type", b"publish", b"channels", name, b"data", payload] => {
                let texts = [&b"event"[..], b"channel", name, b"data", payload].map(text).concat();
                let event = [b"a:3:{s:4:\"type\";", &texts[..], b"}"].concat();
                let mut subscribers = self.subscribers.lock().unwrap();
                for (_, subscriber) in subscribers.iter_mut().filter(|(wanted, _)| wanted == name) {
                    // Subscribers of runs before are gone.
                    let _ = subscriber.write_all(&framed(&event));
                }
            }
            _ => stream.write_all(&framed(&self.answer(body))).unwrap(),
        }
    }

    fn answer(&self, body: &[u8]) -> Vec<u8> {
        let mut values = self.values.lock().unwrap();
        match strings(body)[..] {
            [b"cmd", b"get", b"key", key] => values.get(key).map_or(b"N;".to_vec(), Vec::clone),
            [b"cmd", b"set", b"key", key, b"value", value] => {
                values.insert(key.to_vec(), text(value));
                b"b:1;".to_vec()
            }
            [b"cmd", b"set", b"key", key, b"value"] => {
                let digits = body.rsplit(|byte| *byte == b':').next().unwrap();
                let number = digits.strip_suffix(b";}").unwrap();
                values.insert(key.to_vec(), [b"i:", number, b";"].concat());
                b"b:1;".to_vec()
            }
            [b"cmd", b"increment", b"key", key, b"step"] => {
                assert!(body.ends_with(b"i:1;}"));
                let value = values.get_mut(key).unwrap();
                let number: u64 =
                    String::from_utf8_lossy(&value[2..value.len() - 1]).parse().unwrap();
                *value = format!("i:{};", number + 1).into_bytes();
                value.clone()
            }
            [b"cmd", b"cas", b"md5", md5, b"key", key, b"value", value] => {
                let is_old = values.get(key).is_some_and(|old| hex(&Md5::digest(old)) == md5);
                if is_old {
                    values.insert(key.to_vec(), text(value));
                }
                format!("b:{};", u8::from(is_old)).into_bytes()
            }
            _ => panic!("{:?}", String::from_utf8_lossy(body)),
        }
    }
}

/// What stands in the strings of a text, in their order.
fn strings(mut text: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some(at) = text.windows(2).position(|pair| pair == b"s:") {
        let (digits, rest) =
            text[at + 2..].split_at(text[at + 2..].iter().position(|byte| *byte == b':').unwrap());
        let length: usize = String::from_utf8_lossy(digits).parse().unwrap();
        let (string, rest) = rest[2..].split_at(length);
        found.push(string);
        text = rest;
    }
    found
}

fn text(string: &[u8]) -> Vec<u8> {
    [format!("s:{}:\"", string.len()).as_bytes(), string, b"\";"].concat()
}

fn framed(body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 4;
    [&length.to_be_bytes(), body].concat()
}

fn hex(hash: &[u8]) -> Vec<u8> {
    hash.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}
