//! Accounts, and money that moves between them. To try it:
//! `MYSQL=mysql://root@127.0.0.1/test mysql-in-worker start`, `curl -d '' '127.0.0.1:8080/transfer?from=1&to=2&amount=5'`,
//! `curl 127.0.0.1:8080/accounts`.

use std::process::ExitCode;
use workyard_mysql::{
    Error, ErrorKind, FromRow, Mysql, Result, TransactionOptions, mysql_async, params, select,
    update,
};
use workyard_worker::http::{Request, Response, StatusCode};
use workyard_worker::{Worker, protocols::Http};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS accounts (id INT PRIMARY KEY, credit INT NOT NULL); \
                     INSERT IGNORE INTO accounts VALUES (1, 100), (2, 100), (3, 100)";

/// How often money is moved again when others were in the way.
const CONFLICTS_MAX: u32 = 10;

#[derive(FromRow)]
#[mysql(crate_name = "mysql_async")]
struct Account {
    id: u32,
    credit: i64,
}

/// Why money was not moved.
enum Refusal {
    /// The account has less.
    Short,
    Mysql(Error),
}

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "http://0.0.0.0:8080".to_owned());
    let url = std::env::var("MYSQL").unwrap_or_else(|_| "mysql://root@127.0.0.1/test".to_owned());
    Worker::<Http>::bind(&listen)
        .name("accounts")
        .count(2)
        .on_worker_start(async move |worker| {
            let mysql = worker.provide(Mysql::open(&url)?);
            mysql.query(TABLE).await.map(drop)
        })
        .on_message(async |connection, request| {
            let mysql = connection.worker().resource::<Mysql>();
            connection.send(answer(&mysql, &request).await)
        })
        .on_worker_stop(async |worker| {
            worker.resource::<Mysql>().close().await;
        })
        .run()
}

async fn answer(mysql: &Mysql, request: &Request) -> Response {
    let number = |name| request.query(name).and_then(|text| text.parse().ok());
    let done = match request.path() {
        "/accounts" => accounts(mysql).await.map_err(Refusal::Mysql),
        "/transfer" => match (number("from"), number("to"), number("amount")) {
            (Some(from), Some(to), Some(amount)) if amount > 0 => {
                transfer(mysql, from, to, amount).await.map(|()| "moved\n".to_owned())
            }
            _ => return StatusCode::BAD_REQUEST.into(),
        },
        _ => return StatusCode::NOT_FOUND.into(),
    };
    match done {
        Ok(text) => text.into(),
        Err(Refusal::Short) => StatusCode::CONFLICT.into(),
        Err(Refusal::Mysql(error)) if error.kind() == ErrorKind::Busy => {
            StatusCode::TOO_MANY_REQUESTS.into()
        }
        Err(Refusal::Mysql(_)) => StatusCode::SERVICE_UNAVAILABLE.into(),
    }
}

async fn accounts(mysql: &Mysql) -> Result<String> {
    let all = select(["id", "credit"]).from("accounts").order_by(["id"]);
    let accounts: Vec<Account> = mysql.rows(all, ()).await?;
    Ok(accounts.iter().map(|Account { id, credit }| format!("{id}: {credit}\n")).collect())
}

/// All of it or nothing: whatever fails, no money is made or lost.
async fn transfer(mysql: &Mysql, from: i64, to: i64, amount: i64) -> Result<(), Refusal> {
    let options = TransactionOptions::new().retrying_deadlocks(CONFLICTS_MAX);
    let moving = mysql.transaction_with(options, async |tx| {
        let take = update("accounts").set_raw("credit", "credit - :amount").is("id", from);
        let take = take.where_("credit >= :amount").bind("amount", amount);
        if tx.exec(take, ()).await?.affected_rows == 0 {
            return Err(Refusal::Short);
        }
        let give = "UPDATE accounts SET credit = credit + :amount WHERE id = :id";
        tx.exec(give, params! { "amount" => amount, "id" => to }).await?;
        Ok(())
    });
    moving.await
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Mysql(error)
    }
}
