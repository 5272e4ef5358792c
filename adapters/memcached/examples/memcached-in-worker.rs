//! Pages that are made once a minute, and counted, with memcached; and without it, when it is gone. To try
//! it: `MEMCACHED=memcached://127.0.0.1 memcached-in-worker start`, `curl http://127.0.0.1:8080/page/1`.

use std::process::ExitCode;
use std::time::Duration;
use workyard_memcached::{Memcached, Result};
use workyard_worker::{Worker, protocols::Http};

const MINUTE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "http://0.0.0.0:8080".to_owned());
    let url = std::env::var("MEMCACHED").unwrap_or_else(|_| "memcached://127.0.0.1".to_owned());
    Worker::<Http>::bind(&listen)
        .name("pages")
        .count(2)
        .on_worker_start(async move |worker| {
            // It connects when it is used first: pages are served without it, too.
            Memcached::open(&url).map(|cache| worker.provide(cache)).map(drop)
        })
        .on_message(async |connection, request| {
            let cache = connection.worker().resource::<Memcached>();
            connection.send(page(&cache, request.path()).await)
        })
        .on_worker_stop(async |worker| worker.resource::<Memcached>().close().await)
        .run()
}

/// The page, whatever the cache says.
async fn page(cache: &Memcached, path: &str) -> String {
    let (page, origin) = match cache.get(format!("page:{path}")).await {
        Ok(Some(item)) => (item.text().unwrap_or_default().to_owned(), "from the cache"),
        Ok(None) | Err(_) => (make(cache, path).await, "made now"),
    };
    match seen(cache, path).await {
        Ok(count) => format!("{page}, {origin}, seen {count} times\n"),
        Err(_) => format!("{page}, {origin}, seen by somebody\n"),
    }
}

/// Makes it, and keeps it for a minute where that can be done.
async fn make(cache: &Memcached, path: &str) -> String {
    let page = format!("the page {path}");
    let _ = cache.set(format!("page:{path}"), page.clone(), MINUTE).await;
    page
}

/// Counts, however many do so at the same time.
async fn seen(cache: &Memcached, path: &str) -> Result<u64> {
    let key = format!("seen:{path}");
    loop {
        if let Some(count) = cache.incr(&key, 1).await? {
            return Ok(count);
        }
        cache.add(&key, 0_u64, Duration::ZERO).await?;
    }
}
