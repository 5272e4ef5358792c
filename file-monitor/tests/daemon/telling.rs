//! Others are told of changes: subscribers of a channel, and who takes a POST.

use crate::support::{Folder, free_port, until};
use serde_json::Value;
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
