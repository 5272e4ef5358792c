//! Orders are taken over HTTP, kept by a queue, and packed one after the other by whichever process has time. To try it:
//! `STOMP=stomp://127.0.0.1 stomp-in-worker start`, `curl -d 'two books' http://127.0.0.1:8080/orders`.

use std::process::ExitCode;
use workyard_stomp::{Ack, Result, Stomp, Subscribe};
use workyard_worker::http::{Method, Response, StatusCode};
use workyard_worker::{Worker, protocols::Http, spawn};

const ORDERS: &str = "/queue/orders";
const PACKED: &str = "/queue/packed";

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "http://0.0.0.0:8080".to_owned());
    let url = std::env::var("STOMP").unwrap_or_else(|_| "stomp://127.0.0.1".to_owned());
    Worker::<Http>::bind(&listen)
        .name("orders")
        .count(2)
        .on_worker_start(async move |worker| {
            // It connects when it is used first, and again whenever that is needed.
            let stomp = worker.provide(Stomp::open(&url)?);
            spawn(async move { while pack(&stomp).await.is_err() {} });
            Ok::<(), workyard_stomp::Error>(())
        })
        .on_worker_stop(async |worker| worker.resource::<Stomp>().close().await)
        .on_message(async |connection, request| {
            let stomp = connection.worker().resource::<Stomp>();
            connection.send(match (request.method(), request.path()) {
                (&Method::POST, "/orders") => take(&stomp, request.body().clone()).await,
                (&Method::GET, "/packed") => packed(&stomp).await,
                _ => StatusCode::NOT_FOUND.into(),
            })
        })
        .run()
}

/// The customer hears of it when the server has it for good.
async fn take(stomp: &Stomp, order: bytes::Bytes) -> Response {
    match stomp.send(ORDERS, order, [("persistent", "true")]).await {
        Ok(()) => StatusCode::ACCEPTED.into(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into(),
    }
}

/// Packs until the adapter is closed. An order is done and its parcel sent, or neither.
async fn pack(stomp: &Stomp) -> Result<()> {
    let wish = Subscribe::to(ORDERS).ack(Ack::ClientIndividual).prefetch(4);
    let mut orders = stomp.subscribe(wish).await?;
    while let Some(order) = orders.next().await {
        let order = order?;
        let parcel = format!("a parcel with {}", order.text()?);
        let transaction = stomp.begin().await?;
        transaction.send(PACKED, parcel, [("persistent", "true")]).await?;
        transaction.ack(&order).await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// The next parcel, once there is one.
async fn packed(stomp: &Stomp) -> Response {
    let parcel = async {
        let mut parcels = stomp.subscribe(Subscribe::to(PACKED).prefetch(1)).await?;
        parcels.next().await.transpose()
    };
    match parcel.await {
        Ok(Some(parcel)) => parcel.body().clone().into(),
        Ok(None) => StatusCode::SERVICE_UNAVAILABLE.into(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into(),
    }
}
