//! The README's second snippet, whole: shared variables.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use workyard_globaldata::{Bounds, GlobalDataClient, OutOfBounds, WatchEvent};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let shared = GlobalDataClient::connect("127.0.0.1:2207").await?;

    let visits = shared.increment("visits", 1).await?;
    shared.set("users", &vec!["tom"]).await?;
    // Read, change, write if nobody else wrote meanwhile, else again.
    let users = shared
        .update("users", |users: Option<Vec<String>>| {
            let mut users = users.unwrap_or_default();
            users.push("ann".to_owned());
            users
        })
        .await?;
    println!("visit {visits}, users {:?}", users.value);

    // What needs no loop is done in one step by the server.
    shared.list("recent").keep(10).push_front("ann").await?;
    match shared.increment_within("stock", -1, Bounds::at_least(0)).await? {
        Ok(left) => println!("sold: {left} left"),
        Err(OutOfBounds { current }) => println!("sold out: {current}"),
    }
    // One at a time, in all processes; a write that comes after the lock was lost is refused.
    let guard = shared.lock("report").acquire().await?;
    shared.fenced_by(&guard).set("report", "done").await?;
    // Whoever must know what changes watches it, or all whose names begin alike.
    let mut settings = shared.watch_prefix("config.").await?;
    while let Some(event) = settings.next().await {
        println!("{event:?}");
        if event == WatchEvent::CaughtUp {
            break;
        }
    }
    // What is read far more often than it changes is read here; a watch keeps it right.
    let cached = shared.cached();
    let colour: Option<String> = cached.get("config.colour").await?;
    println!("{colour:?}");
    Ok(())
}
