//! A site: the files of a folder, a form at `/greet`, and a clock at `/clock` for pages to listen to
//! (`new EventSource("/clock")`). To try it: `FOLDER=/srv/www http-site start`, `curl -d name=Ann http://127.0.0.1:8080/greet`.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use workyard_worker::http::{Method, Request, Response, StatusCode, static_files};
use workyard_worker::{Connection, Worker, protocols::Http};

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "http://0.0.0.0:8080".to_owned());
    let folder = std::env::var("FOLDER").unwrap_or_else(|_| ".".to_owned());
    Worker::<Http>::bind(&listen)
        .name("site")
        .count(2)
        .on_message(async move |connection, request| match (request.method(), request.path()) {
            (&Method::GET, "/clock") => tick(connection).await,
            (&Method::POST, "/greet") => {
                connection.send(greet(&request));
            }
            _ => {
                connection.send(static_files(&folder, &request).await);
            }
        })
        .run()
}

/// Tells the time until nobody listens.
async fn tick(connection: Connection<Http>) {
    let (response, events) = Response::events();
    connection.send(response);
    loop {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if events.send(now.as_secs().to_string()).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn greet(request: &Request) -> Response {
    let form = match request.form() {
        Ok(form) => form,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into(),
    };
    let sizes = form.uploads().iter().map(|upload| format!(" ({} bytes)", upload.bytes.len()));
    let text =
        format!("hello, {}{}", form.field("name").unwrap_or("you"), sizes.collect::<String>());
    Response::from(text).header("Content-Type", "text/plain;charset=utf-8")
}
