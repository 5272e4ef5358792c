//! What the adapter costs on top of its driver: processor time per statement, in turns within one run, against a MariaDB
//! server that it starts. `cargo run --release -p workyard-mysql --example mysql-overhead [ROUNDS]`.
#![expect(clippy::print_stdout, reason = "it is a program for people")]

use std::hint::black_box;
use tokio::task::JoinSet;
use workyard_mysql::mysql_async::prelude::Queryable;
use workyard_mysql::mysql_async::{self, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use workyard_mysql::{Mysql, Options};
use workyard_testbed::{Cost, MariaDb};

const ROUNDS: usize = 300;
const STATEMENTS: usize = 100;
const AT_ONCE: usize = 8;

/// What is measured, by the driver and by the adapter.
const KINDS: [&str; 3] = ["first row", "write", "100 rows"];
const FIRST: &str = "SELECT id, name FROM items WHERE id = ?";
const WRITE: &str = "UPDATE items SET size = size + 1 WHERE id = ?";
const ROWS: &str = "SELECT id, name FROM items WHERE id > ? LIMIT 100";

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let rounds = std::env::args().nth(1).map_or(Ok(ROUNDS), |text| text.parse())?;
    let server = MariaDb::start().await;
    let url = server.url(&server.database());
    let mut options = Options::new(&url);
    options.calls.calls_max = AT_ONCE;
    let mysql = Mysql::with(options)?;
    mysql
        .query("CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(100), size INT) ENGINE=MEMORY")
        .await?;
    mysql.query("INSERT INTO items SELECT seq, CONCAT('item-', seq), 0 FROM seq_1_to_1000").await?;
    let pool = bare(&url)?;
    for kind in KINDS {
        compare(kind, &pool, &mysql, rounds).await?;
    }
    Ok(())
}

/// The driver's pool, as large, and as little asked of it.
fn bare(url: &str) -> Result<Pool, Failure> {
    let constraints = PoolConstraints::new(AT_ONCE, AT_ONCE).ok_or("no constraints")?;
    let pool = PoolOpts::new().with_constraints(constraints).with_reset_connection(false);
    let opts = OptsBuilder::from_opts(Opts::from_url(url)?).prefer_socket(false);
    Ok(Pool::new(opts.pool_opts(pool).stmt_cache_size(100)))
}

async fn compare(
    kind: &'static str,
    pool: &Pool,
    mysql: &Mysql,
    rounds: usize,
) -> Result<(), Failure> {
    let by_driver = async || callers(|| with_driver(kind, pool.clone())).await;
    let by_adapter = async || callers(|| with_adapter(kind, mysql.clone())).await;
    let cost = Cost::measure(rounds, STATEMENTS * AT_ONCE, by_driver, by_adapter).await?;
    println!("{kind:10} {cost}");
    Ok(())
}

/// Each is a task of its own, as in a worker.
async fn callers<E, F>(call: impl Fn() -> F) -> Result<(), Failure>
where
    E: std::error::Error + Send + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
{
    let mut callers: JoinSet<Result<(), E>> = (0..AT_ONCE).map(|_| call()).collect();
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(())
}

async fn with_driver(kind: &'static str, pool: Pool) -> mysql_async::Result<()> {
    for number in 0..STATEMENTS {
        let mut conn = pool.get_conn().await?;
        match kind {
            "first row" => {
                black_box(conn.exec_first::<(u32, String), _, _>(FIRST, (number + 1,)).await?);
            }
            "write" => {
                conn.exec_drop(WRITE, (number + 1,)).await?;
                black_box(conn.affected_rows());
            }
            _ => {
                black_box(conn.exec::<(u32, String), _, _>(ROWS, (number,)).await?);
            }
        }
    }
    Ok(())
}

async fn with_adapter(kind: &'static str, mysql: Mysql) -> workyard_mysql::Result<()> {
    for number in 0..STATEMENTS {
        match kind {
            "first row" => {
                black_box(mysql.first::<(u32, String)>(FIRST, (number + 1,)).await?);
            }
            "write" => {
                black_box(mysql.exec(WRITE, (number + 1,)).await?.affected_rows);
            }
            _ => {
                black_box(mysql.rows::<(u32, String)>(ROWS, (number,)).await?);
            }
        }
    }
    Ok(())
}
