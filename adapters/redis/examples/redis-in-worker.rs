//! Short links, with Redis: made by a POST, counted when they are followed, and looked at by a queue's
//! consumer in the same process. To try it: `REDIS=redis://127.0.0.1 redis-in-worker start`,
//! `curl -d https://example.org http://127.0.0.1:8080/`.

use std::process::ExitCode;
use std::time::Duration;
use workyard_redis::queue::{Consumer, Failure, Job, Queue};
use workyard_redis::redis::{self, Cmd};
use workyard_redis::{Error, Redis, Result};
use workyard_worker::{Worker, protocols::Http};

const WEEK_SECONDS: u64 = 7 * 24 * 60 * 60;

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "http://0.0.0.0:8080".to_owned());
    let url = std::env::var("REDIS").unwrap_or_else(|_| "redis://127.0.0.1".to_owned());
    Worker::<Http>::bind(&listen)
        .name("links")
        .count(2)
        .on_worker_start(async move |worker| {
            let redis = Redis::open(&url)?;
            worker.provide(look_at_links(&redis));
            worker.provide(redis);
            Ok::<_, Error>(())
        })
        .on_message(async |connection, request| {
            let redis = connection.worker().resource::<Redis>();
            let answer = match request.method().as_str() {
                "POST" => make(&redis, request.text().unwrap_or_default()).await,
                _ => follow(&redis, request.path().trim_start_matches('/')).await,
            };
            connection.send(answer.unwrap_or_else(|error| format!("not now: {error}\n")))
        })
        .on_worker_stop(async |worker| {
            worker.resource::<Consumer>().stop(Duration::from_secs(1)).await;
            worker.resource::<Redis>().close().await;
        })
        .run()
}

/// Makes a link, and has somebody look at it.
async fn make(redis: &Redis, address: &str) -> Result<String> {
    let number: u64 = redis.query(&Cmd::incr("links", 1)).await?;
    redis.query::<()>(&Cmd::set_ex(format!("link:{number}"), address, WEEK_SECONDS)).await?;
    Queue::new(redis).send("new-links", number, Duration::ZERO).await?;
    Ok(format!("/{number}\n"))
}

/// Where the link leads, and how often it was followed: one journey.
async fn follow(redis: &Redis, number: &str) -> Result<String> {
    let mut pipeline = redis::pipe();
    pipeline.get(format!("link:{number}")).incr(format!("followed:{number}"), 1);
    pipeline.get(format!("verdict:{number}"));
    let (address, count, verdict): (Option<String>, u64, Option<String>) =
        redis.pipeline(&pipeline).await?;
    let Some(address) = address else { return Ok("there is no such link\n".to_owned()) };
    let verdict = verdict.unwrap_or_else(|| "not looked at".to_owned());
    Ok(format!("{address}, followed {count} times, {verdict}\n"))
}

fn look_at_links(redis: &Redis) -> Consumer {
    let redis = redis.clone();
    Queue::new(&redis).consumer("new-links").jobs_max(4).start(move |job| {
        let redis = redis.clone();
        async move { look_at(&redis, &job).await }
    })
}

async fn look_at(redis: &Redis, job: &Job) -> Result<(), Failure> {
    let number: u64 = job.read()?;
    let address: Option<String> = redis.query(&Cmd::get(format!("link:{number}"))).await?;
    let address = address.ok_or_else(|| Failure::give_up("the link has gone"))?;
    let verdict = if address.starts_with("https://") { "safe" } else { "not encrypted" };
    redis.query::<()>(&Cmd::set_ex(format!("verdict:{number}"), verdict, WEEK_SECONDS)).await?;
    Ok(())
}
