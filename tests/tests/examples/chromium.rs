//! A real browser without a window, told what to do by its debugging protocol.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_websockets::{ClientBuilder, Limits, MaybeTlsStream, Message, WebSocketStream};
use workyard_tests::clients::within;
use workyard_tests::{PATIENCE, Program, Running};

/// Without them it looks for its makers' hosts, which are not reached from everywhere.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
];

/// A picture of a page.
const SCREENSHOT_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(crate) struct Chromium {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    _running: Running,
    _folder: TempDir,
}

/// A page of it.
pub(crate) struct Page(String);

impl Chromium {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().display();
        let program = Program::at("chromium").arguments(FLAGS);
        let program = program.arguments([format!("--user-data-dir={own}/profile")]);
        let running = program.variable("HOME", own.to_string()).start();
        let line = running.stderr().expect("DevTools listening on ");
        let address = line.rsplit(' ').next().unwrap().to_owned();
        let limits = Limits::default().max_payload_len(Some(SCREENSHOT_BYTES_MAX));
        let connect = ClientBuilder::new().uri(&address).unwrap().limits(limits);
        let (socket, _) = within(async move { connect.connect().await.unwrap() }).await;
        Self { socket, last_id: 0, _running: running, _folder: folder }
    }

    pub(crate) async fn open(&mut self, url: &str) -> Page {
        let target = self.ask(None, "Target.createTarget", json!({ "url": url })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.ask(None, "Target.attachToTarget", attach).await;
        Page(session["sessionId"].as_str().unwrap().to_owned())
    }

    /// The value of an expression in a page.
    pub(crate) async fn value(&mut self, page: &Page, expression: &str) -> Json {
        let evaluate = json!({ "expression": expression, "returnByValue": true });
        let mut answer = self.ask(Some(page), "Runtime.evaluate", evaluate).await;
        answer["result"]["value"].take()
    }

    /// Waits until an expression has this value.
    pub(crate) async fn shows(&mut self, page: &Page, expression: &str, expected: &Json) {
        let begun = Instant::now();
        loop {
            let value = self.value(page, expression).await;
            if value == *expected {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{expression} is {value}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// What a page looks like, as PNG in base64.
    pub(crate) async fn screenshot(&mut self, page: &Page) -> String {
        let answer = self.ask(Some(page), "Page.captureScreenshot", json!({})).await;
        answer["data"].as_str().unwrap().to_owned()
    }

    async fn ask(&mut self, page: Option<&Page>, method: &str, parameters: Json) -> Json {
        self.last_id += 1;
        let mut request = json!({ "id": self.last_id, "method": method, "params": parameters });
        if let Some(Page(session)) = page {
            request["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(request.to_string())).await.unwrap();
        loop {
            let message = within(self.socket.next()).await.expect("it runs").unwrap();
            let mut answer: Json = serde_json::from_str(message.as_text().unwrap()).unwrap();
            if answer["id"] == self.last_id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }
}
