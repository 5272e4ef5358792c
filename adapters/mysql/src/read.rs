//! What is said to the driver, and what is read from it.

use crate::answer::{Answer, Collected, Done};
use crate::limits::{ROW_BYTES, VALUE_BYTES};
use crate::options::Options;
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::{FromRow, Protocol, Queryable};
use mysql_async::{BinaryProtocol, Conn, Params, QueryResult, Row, Value};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The driver failed before the statement was sent.
    Unsent(mysql_async::Error),
    /// The driver failed afterwards.
    Sent(mysql_async::Error),
    /// There is more than may be collected.
    TooLarge(String),
}

/// How much may be collected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    rows_max: usize,
    answer_bytes_max: usize,
}

impl Bounds {
    pub(crate) fn of(options: &Options) -> Self {
        Self { rows_max: options.rows_max, answer_bytes_max: options.answer_bytes_max }
    }
}

/// Sends a text that may be several statements, and collects the rows of the first.
pub(crate) async fn text(conn: &mut Conn, sql: &str, bounds: Bounds) -> Result<Answer, Failure> {
    let result = conn.query_iter(sql).await.map_err(Failure::Sent)?;
    let Collected { rows, done, .. } = collect(result, bounds).await?;
    Ok(Answer { rows, done })
}

/// Prepares a statement, if it is not yet, sends it with its values, and collects the rows.
pub(crate) async fn prepared<T: FromRow>(
    conn: &mut Conn,
    sql: &str,
    params: Params,
    bounds: Bounds,
) -> Result<Collected<T>, Failure> {
    collect(execute(conn, sql, params).await?, bounds).await
}

/// The same, for the first row alone. What follows is thrown away.
pub(crate) async fn first(
    conn: &mut Conn,
    sql: &str,
    params: Params,
) -> Result<Option<Row>, Failure> {
    let mut result = execute(conn, sql, params).await?;
    let row = result.next().await.map_err(Failure::Sent)?;
    result.drop_result().await.map_err(Failure::Sent)?;
    Ok(row)
}

/// The same, before any row was read: [`next_row`] does that.
pub(crate) async fn open(conn: &mut Conn, sql: &str, params: Params) -> Result<(), Failure> {
    execute(conn, sql, params).await.map(drop)
}

/// The next row of what was opened.
pub(crate) async fn next_row(conn: &mut Conn) -> Result<Option<Row>, Failure> {
    let mut result = QueryResult::<BinaryProtocol>::new(conn);
    let row = result.next().await.map_err(Failure::Sent)?;
    if row.is_none() {
        result.drop_result().await.map_err(Failure::Sent)?;
    }
    Ok(row)
}

/// Whether the connection is within a transaction, as the server said with its last answer.
pub(crate) fn in_transaction(conn: &Conn) -> bool {
    let within = StatusFlags::SERVER_STATUS_IN_TRANS;
    conn.last_ok_packet().is_some_and(|answer| answer.status_flags().contains(within))
}

async fn execute<'a>(
    conn: &'a mut Conn,
    sql: &str,
    params: Params,
) -> Result<QueryResult<'a, 'static, BinaryProtocol>, Failure> {
    let statement = conn.prep(sql).await.map_err(Failure::Unsent)?;
    conn.exec_iter(statement, params).await.map_err(Failure::Sent)
}

async fn collect<T: FromRow, P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
    bounds: Bounds,
) -> Result<Collected<T>, Failure> {
    let mut collected = Collected::new(Done::of(&result));
    let (mut count, mut bytes) = (0, 0);
    while let Some(row) = result.next().await.map_err(Failure::Sent)? {
        count += 1;
        bytes += row_bytes(&row);
        if count > bounds.rows_max {
            let most = bounds.rows_max;
            return Err(too_large(&format!("{most} rows, as many as rows_max allows")));
        }
        if bytes > bounds.answer_bytes_max {
            let most = bounds.answer_bytes_max;
            return Err(too_large(&format!("{most} bytes, as many as answer_bytes_max allows")));
        }
        collected.push(row);
    }
    result.drop_result().await.map_err(Failure::Sent)?;
    Ok(collected)
}

fn too_large(most: &str) -> Failure {
    Failure::TooLarge(format!(
        "there are more than {most}; ask for fewer with LIMIT, or read them one by one with `stream`"
    ))
}

/// What a row takes in memory, roughly.
fn row_bytes(row: &Row) -> usize {
    let values = (0..row.len()).filter_map(|index| row.as_ref(index));
    ROW_BYTES + values.map(value_bytes).sum::<usize>()
}

/// What a value takes, in memory as on the wire, roughly.
pub(crate) fn value_bytes(value: &Value) -> usize {
    VALUE_BYTES + if let Value::Bytes(bytes) = value { bytes.len() } else { 0 }
}
