//! Where is a book cheapest? Asks several shops at once, and answers without those that do not answer in time. To try it:
//! `SHOPS=http://127.0.0.1:9001,http://127.0.0.1:9002 http-in-worker start`, `curl '127.0.0.1:8080/cheapest?book=7'`.

use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use std::time::Duration;
use workyard_http::{Error, Http, Options};
use workyard_worker::http::{Response, StatusCode};
use workyard_worker::{Worker, protocols};

/// How many shops are asked at the same time.
const AT_ONCE: usize = 8;

/// What a shop says.
#[derive(Deserialize)]
struct Price {
    price: u64,
}

#[derive(Serialize)]
struct Answer<'a> {
    cheapest: Option<Offer<'a>>,
    failed: Vec<String>,
}

#[derive(Serialize)]
struct Offer<'a> {
    shop: &'a str,
    price: u64,
}

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "http://0.0.0.0:8080".to_owned());
    let shops = std::env::var("SHOPS").unwrap_or_default();
    let shops: Vec<String> = shops.split(',').map(str::to_owned).collect();
    Worker::<protocols::Http>::bind(&listen)
        .name("prices")
        .count(2)
        .on_worker_start(async |worker| {
            worker.provide(Http::with(options())?);
            Ok::<(), Error>(())
        })
        .on_worker_stop(async |worker| {
            worker.resource::<Http>().close().await;
        })
        .on_message(async move |connection, request| match request.path() {
            "/health" => connection.send("well"),
            "/cheapest" => {
                let http = connection.worker().resource::<Http>();
                let book = request.query("book").unwrap_or_default();
                connection.send(cheapest(&http, &shops, &book).await)
            }
            _ => connection.send(StatusCode::NOT_FOUND),
        })
        .run()
}

/// A shop that takes longer is not worth waiting for.
fn options() -> Options {
    let mut options = Options::default();
    options.calls.request_timeout = Duration::from_millis(500);
    options.calls.call_timeout = Duration::from_secs(1);
    options.response_bytes_max = 64 << 10;
    options
}

async fn cheapest(http: &Http, shops: &[String], book: &str) -> Response {
    let ask = |shop: &String| http.get(format!("{shop}/price")).query([("book", book)]);
    let responses = http.batch(shops.iter().map(ask), AT_ONCE).await;
    let mut answer = Answer { cheapest: None, failed: Vec::new() };
    for (shop, response) in shops.iter().zip(responses) {
        let price = response.and_then(|it| it.error_for_status()?.json::<Price>());
        match (price, &answer.cheapest) {
            (Err(error), _) => answer.failed.push(error.to_string()),
            (Ok(Price { price }), Some(best)) if best.price <= price => {}
            (Ok(Price { price }), _) => answer.cheapest = Some(Offer { shop, price }),
        }
    }
    Response::json(&answer).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into())
}
