//! Jobs that come by HTTP and are pushed to whoever works, and a question that another program answers. To
//! try it: `JOBS=tcp://127.0.0.1:5557 UPPER=tcp://127.0.0.1:5558 zeromq-in-worker start`,
//! `curl -d 'wash the car' http://127.0.0.1:8080/jobs`.

use std::process::ExitCode;
use workyard_worker::http::{Request, Response, StatusCode};
use workyard_worker::{Worker, protocols::Http};
use workyard_zeromq::{Message, Push, Requester, Result};

fn main() -> ExitCode {
    let setting = |name, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let listen = setting("LISTEN", "http://0.0.0.0:8080");
    let jobs = setting("JOBS", "tcp://127.0.0.1:5557");
    let upper = setting("UPPER", "tcp://127.0.0.1:5558") + "?request_timeout=500ms";
    Worker::<Http>::bind(&listen)
        .name("jobs")
        .count(2)
        .on_worker_start(async move |worker| -> Result<()> {
            worker.provide(Push::open(&jobs)?);
            worker.provide(Requester::open(&upper)?);
            Ok(())
        })
        .on_message(async |connection, request| {
            let worker = connection.worker();
            let response = match request.path() {
                "/upper" => ask(&worker.resource::<Requester>(), &request).await,
                _ => give(&worker.resource::<Push>(), &request).await,
            };
            connection.send(response)
        })
        .on_worker_stop(async |worker| {
            worker.resource::<Requester>().close().await;
            // Jobs that were taken are given to somebody first.
            worker.resource::<Push>().close().await;
        })
        .run()
}

async fn give(jobs: &Push, request: &Request) -> Response {
    let job = Message::of([request.path().as_bytes().to_vec(), request.body().to_vec()]);
    match jobs.send(job).await {
        Ok(()) => (StatusCode::ACCEPTED, "taken\n".to_owned()).into(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into(),
    }
}

async fn ask(upper: &Requester, request: &Request) -> Response {
    match upper.request(request.body().to_vec()).await {
        Ok(reply) => reply.parts()[0].to_vec().into(),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error}\n")).into(),
    }
}
