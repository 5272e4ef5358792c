//! Can mail be delivered to an address? For forms that ask for one. To try it: `dns-in-worker start`,
//! `curl '127.0.0.1:8080/check?address=ann@example.org'`.

use serde::Serialize;
use std::process::ExitCode;
use workyard_dns::{Dns, Error, ErrorKind, Result};
use workyard_worker::http::{Request, Response, StatusCode};
use workyard_worker::{Worker, protocols::Http};

#[derive(Serialize)]
struct Answer {
    deliverable: bool,
    /// The hosts that take mail and have an address, the one to try first at the front.
    servers: Vec<String>,
}

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "http://0.0.0.0:8080".to_owned());
    Worker::<Http>::bind(&listen)
        .name("addresses")
        .count(2)
        .on_worker_start(async |worker| {
            let dns = match std::env::var("DNS") {
                Ok(url) => Dns::open(&url)?,
                Err(_) => Dns::system()?,
            };
            worker.provide(dns);
            Ok::<(), Error>(())
        })
        .on_worker_stop(async |worker| {
            worker.resource::<Dns>().close().await;
        })
        .on_message(async |connection, request| {
            let dns = connection.worker().resource::<Dns>();
            connection.send(answer(&dns, &request).await)
        })
        .run()
}

async fn answer(dns: &Dns, request: &Request) -> Response {
    let address = request.query("address").unwrap_or_default();
    let Some((_, domain)) = address.rsplit_once('@') else {
        return (StatusCode::BAD_REQUEST, "an address has an @").into();
    };
    match check(dns, domain).await {
        Ok(answer) => {
            Response::json(&answer).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into())
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "not known at the moment").into(),
    }
}

async fn check(dns: &Dns, domain: &str) -> Result<Answer> {
    let mut servers = Vec::new();
    for server in or_nothing(dns.mail_servers(domain).await)? {
        if !or_nothing(dns.addresses(&server).await)?.is_empty() {
            servers.push(server);
        }
    }
    Ok(Answer { deliverable: !servers.is_empty(), servers })
}

/// That there are no such records is an answer, too.
fn or_nothing<T>(found: Result<Vec<T>>) -> Result<Vec<T>> {
    found.or_else(|error| match (error.kind(), error.code()) {
        (ErrorKind::Server, Some("0" | "3")) => Ok(Vec::new()),
        _ => Err(error),
    })
}
