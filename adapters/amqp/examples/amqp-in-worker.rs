//! Pictures are taken over HTTP, and made small by whichever process has time. To try it:
//! `AMQP=amqp://127.0.0.1 amqp-in-worker start`, `curl -d cat http://127.0.0.1:8080/pictures`, `curl http://127.0.0.1:8080/waiting`.

use std::process::ExitCode;
use workyard_amqp::{Amqp, Consume, Publish, Queue, Result};
use workyard_worker::http::{Method, Response, StatusCode};
use workyard_worker::{Worker, protocols::Http, spawn};

const PICTURES: &str = "pictures";
const SMALL: &str = "small";

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "http://0.0.0.0:8080".to_owned());
    let url = std::env::var("AMQP").unwrap_or_else(|_| "amqp://127.0.0.1".to_owned());
    Worker::<Http>::bind(&listen)
        .name("pictures")
        .count(2)
        .on_worker_start(async move |worker| {
            let amqp = worker.provide(Amqp::open(&url)?);
            for queue in [PICTURES, SMALL] {
                amqp.declare_queue(&Queue::named(queue)).await?;
            }
            spawn(async move { while make_small(&amqp).await.is_err() {} });
            Ok::<(), workyard_amqp::Error>(())
        })
        .on_worker_stop(async |worker| worker.resource::<Amqp>().close().await)
        .on_message(async |connection, request| {
            let amqp = connection.worker().resource::<Amqp>();
            let answer = match (request.method(), request.path()) {
                (&Method::POST, "/pictures") => {
                    let picture = Publish::to_queue(PICTURES).body(request.body().clone());
                    amqp.publish(&picture.mandatory()).await.map(|()| StatusCode::ACCEPTED.into())
                }
                (&Method::GET, "/waiting") => waiting(&amqp).await,
                _ => Ok(StatusCode::NOT_FOUND.into()),
            };
            connection.send(answer.unwrap_or_else(|error| {
                (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into()
            }))
        })
        .run()
}

/// Makes pictures small until the adapter is closed. Should the process die, another one does it.
async fn make_small(amqp: &Amqp) -> Result<()> {
    let mut pictures = amqp.consume(Consume::from(PICTURES).prefetch(4)).await?;
    while let Some(picture) = pictures.next().await {
        let picture = picture?;
        let small = Publish::to_queue(SMALL).body(picture.body()[..1].to_vec());
        amqp.publish(&small.mandatory()).await?;
        picture.ack().await?;
    }
    Ok(())
}

async fn waiting(amqp: &Amqp) -> Result<Response> {
    let waiting = amqp.declare_queue(&Queue::named(PICTURES)).await?.messages;
    let small = amqp.declare_queue(&Queue::named(SMALL)).await?.messages;
    Ok(format!("{waiting} wait, {small} are small\n").into())
}
