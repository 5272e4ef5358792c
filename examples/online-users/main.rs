//! Data that the processes of a worker share: how many users are online in all of them, and who. A connection sends its
//! name, and is told both; `who` asks again.
//!
//! ```text
//! cargo run --release -- up                                          # the daemons
//! cargo run -p workyard-examples --example online-users -- start    # 4 processes, text://127.0.0.1:2364
//! ```

use std::process::ExitCode;
use workyard_globaldata::{Error, GlobalDataClient};
use workyard_worker::protocols::Text;
use workyard_worker::{Connection, Worker};

const VISITS: &str = "online-users.visits";
const NAMES: &str = "online-users.names";

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "text://127.0.0.1:2364".to_owned());
    Worker::<Text>::bind(&listen)
        .name("online-users")
        .count(4)
        .reuse_port(true)
        .on_worker_start(async |worker| {
            let address = std::env::var("WORKYARD_GLOBALDATA");
            let address = address.unwrap_or_else(|_| "127.0.0.1:2207".to_owned());
            worker.provide(GlobalDataClient::connect(address.as_str()).await?);
            Ok::<_, Error>(())
        })
        .on_message(async |connection, line| {
            if connection.user().is_none() {
                connection.set_user(&line);
                let shared = connection.worker().resource::<GlobalDataClient>();
                shared.increment(VISITS, 1).await?;
                change(&shared, |names| names.push(line.clone())).await?;
            }
            tell(&connection).await
        })
        .on_close(async |connection| {
            let Some(user) = connection.user() else { return Ok(()) };
            let shared = connection.worker().resource::<GlobalDataClient>();
            change(&shared, |names| {
                let own = names.iter().position(|name| *name == user);
                own.map(|at| names.remove(at));
            })
            .await
        })
        .run()
}

async fn tell(connection: &Connection<Text>) -> Result<(), Error> {
    let shared = connection.worker().resource::<GlobalDataClient>();
    let visits: i64 = shared.get(VISITS).await?.unwrap_or_default();
    let names: Vec<String> = shared.get(NAMES).await?.unwrap_or_default();
    connection.send(format!("{visits} visits, online: {}", names.join(", ")));
    Ok(())
}

/// Changes the list of names as if nobody else did: again, if somebody has.
async fn change(shared: &GlobalDataClient, how: impl Fn(&mut Vec<String>)) -> Result<(), Error> {
    let update = |names: Option<Vec<String>>| {
        let mut names = names.unwrap_or_default();
        how(&mut names);
        names.sort();
        names
    };
    shared.update(NAMES, update).await.map(drop)
}
