//! Examples whose processes share something: groups, and data.

use crate::service::{Service, free_port};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use workyard_tests::{PATIENCE, Up, eventually};

struct LinePeer(BufReader<TcpStream>);

impl LinePeer {
    fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a line, and returns the next one.
    fn asks(&mut self, line: &str) -> String {
        writeln!(self.0.get_mut(), "{line}").unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

fn start(name: &str, up: &Up) -> (Service, u16) {
    let port = free_port();
    let environment = [
        ("LISTEN", format!("text://127.0.0.1:{port}")),
        ("WORKYARD_CHANNEL", up.channel().to_owned()),
        ("WORKYARD_GLOBALDATA", up.globaldata().to_owned()),
    ];
    (Service::start(name, &environment), port)
}

/// How many of the processes of a service have connections.
fn in_use(service: &Service) -> usize {
    let listed = service.says(&["connections", "--json"]);
    let processes: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let processes = processes.as_array().unwrap().iter();
    processes.filter(|process| !process["connections"].as_array().unwrap().is_empty()).count()
}

#[test]
fn a_group_is_reached_in_every_process() {
    let up = Up::start();
    let (service, port) = start("group-send", &up);
    // Enough to be spread over several processes.
    let mut members: Vec<_> = (0..12).map(|_| LinePeer::connect(port)).collect();
    for member in &mut members {
        assert_eq!(member.asks("join red"), "in red");
    }
    assert!(in_use(&service) > 1);
    let mut other = LinePeer::connect(port);
    assert_eq!(other.asks("join blue"), "in blue");
    assert_eq!(other.asks("red: hello"), "sent by 4 processes");
    for member in &mut members {
        assert_eq!(member.line(), "red: hello");
    }
    assert_eq!(members[0].asks("leave red"), "in");
    assert_eq!(other.asks("red: again"), "sent by 4 processes");
    assert_eq!(members[1].line(), "red: again");
    assert_eq!(members[0].asks("join blue"), "in blue");
    assert_eq!(other.asks("nothing"), "join GROUP, leave GROUP or GROUP: TEXT");
}

#[test]
fn who_is_online_is_known_in_every_process() {
    let up = Up::start();
    let (service, port) = start("online-users", &up);
    let names: Vec<String> = (10..22).map(|number| format!("user{number}")).collect();
    let mut users: Vec<_> = names.iter().map(|_| LinePeer::connect(port)).collect();
    for (at, (user, name)) in users.iter_mut().zip(&names).enumerate() {
        let expected = format!("{} visits, online: {}", at + 1, names[..=at].join(", "));
        assert_eq!(user.asks(name), expected);
    }
    assert!(in_use(&service) > 1);
    let mut last = users.pop().unwrap();
    drop(users);
    let expected = format!("{} visits, online: {}", names.len(), names[names.len() - 1]);
    eventually("all others are gone", || last.asks("who") == expected);
}
