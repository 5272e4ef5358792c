//! Others are told of changes: subscribers of a channel, and who takes a POST.

use crate::support::{Folder, free_port, until};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;
use workyard_channel::ChannelClient;
use workyard_channel_server::{ChannelService, Limits};
use workyard_daemon::{Server, Settings};

#[tokio::test]
async fn subscribers_of_a_channel_are_told() {
    let folder = Folder::new();
    let settings = Settings::listening_on(vec!["127.0.0.1:0".parse().unwrap()]);
    let server =
        Server::<ChannelService>::bind(settings, Limits::default()).unwrap().start().unwrap();
    let address = server.addresses()[0].to_string();
    let client = ChannelClient::connect(address.as_str()).await.unwrap();
    let mut files = client.subscribe("files").await.unwrap();
    let action = format!(
        "paths = [\"p\"]\n[[actions]]\npublish = {{ channel = \"files\", server = \"{address}\" }}\n"
    );
    folder.write("../m.toml", &action);
    let config = folder.at("../m.toml");
    let mut daemon = folder.follow(&["--config", config.to_str().unwrap()]);
    for text in ["one", "two"] {
        folder.write("a", text);
        assert_eq!(daemon.until("acted")["text"], "1 subscribers were told");
        let message = tokio::time::timeout(Duration::from_secs(30), files.next()).await.unwrap();
        let told: Value = message.unwrap().decode().unwrap();
        assert_eq!(told["count"], 1);
        assert_eq!(told["changes"][0]["path"], folder.at("a").to_str().unwrap());
    }
    server.stop();
    let _ = server.wait();
    folder.write("a", "three");
    daemon.until("action-failed");
}

#[test]
fn a_post_has_the_changes_and_must_be_welcome() {
    let folder = Folder::new();
    let port = free_port();
    folder.write("../router.php", "<?php file_put_contents('posted', file_get_contents('php://input')); http_response_code($_SERVER['REQUEST_URI'] === '/well?x=1' ? 204 : 500);");
    let mut command = Command::new("php");
    command.args(["-S", &format!("127.0.0.1:{port}"), "router.php"]).current_dir(folder.at("../"));
    let mut server = command.spawn().unwrap();
    until(|| std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    for (path, event) in [("/well?x=1", "acted"), ("/ill", "action-failed")] {
        let action = format!(
            "paths = [\"p\"]\n[[actions]]\npost = {{ url = \"http://127.0.0.1:{port}{path}\" }}\n"
        );
        folder.write("../m.toml", &action);
        let config = folder.at("../m.toml");
        let mut daemon = folder.follow(&["--config", config.to_str().unwrap()]);
        folder.write("a", path);
        daemon.expect("changed");
        let said = daemon.expect(event);
        assert!(said.to_string().contains(if event == "acted" { "204" } else { "500" }), "{said}");
        let posted: Value = serde_json::from_str(&folder.read("../posted")).unwrap();
        assert_eq!(posted["changes"][0]["path"], folder.at("a").to_str().unwrap());
    }
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Takes one request, and gives this answer.
fn answer(listener: &TcpListener, status: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    while !String::from_utf8_lossy(&request).contains("\"count\":1}") {
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&request));
        request.extend_from_slice(&bytes[..length]);
    }
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    String::from_utf8(request).unwrap().to_lowercase()
}

#[test]
fn what_is_secret_in_the_address_of_a_post_is_sent_and_never_said() {
    let folder = Folder::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("http://user:se%40cret@127.0.0.1:{port}/a?token=abc");
    folder.write(
        "../m.toml",
        &format!("paths = [\"p\"]\n[[actions]]\npost = {{ url = \"{url}\" }}\n"),
    );
    let config = folder.at("../m.toml");
    let mut daemon = folder.follow(&["--config", config.to_str().unwrap(), "--backoff", "1ms"]);
    let mut said = Vec::new();
    for (status, event) in [("204 No Content", "acted"), ("500 Oh", "action-failed")] {
        folder.write("a", status);
        let request = answer(&listener, status);
        assert!(request.starts_with("post /a?token=abc http/1.1\r\n"), "{request}");
        for part in [
            format!("\r\nhost: 127.0.0.1:{port}\r\n"),
            "\r\nauthorization: basic dxnlcjpzzubjcmv0\r\n".to_owned(),
        ] {
            assert!(request.contains(&part), "{part}: {request}");
        }
        said.push(daemon.until(event).to_string());
    }
    drop(listener);
    folder.write("a", "nobody listens");
    said.push(daemon.until("action-failed").to_string());
    for said in said {
        assert!(said.contains(&format!("POST to http://127.0.0.1:{port}/a")), "{said}");
        assert!(!["user", "cret", "token", "abc"].iter().any(|part| said.contains(part)), "{said}");
    }
}
