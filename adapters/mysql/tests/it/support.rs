//! A database of each test's own.

use std::time::Duration;
use workyard_mysql::{Mysql, Options};
use workyard_testbed::{MariaDb, Relay};

/// The table that most tests use.
pub(crate) const TABLE: &str = "CREATE TABLE items (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100), size INT) ENGINE=InnoDB";

/// A database on the server that all tests share.
pub(crate) struct Bed {
    pub(crate) server: &'static MariaDb,
    pub(crate) database: String,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let server = MariaDb::shared().await;
        let bed = Self { server, database: server.database() };
        let _ = bed.sql(TABLE);
        bed
    }

    /// Options that a test may change.
    pub(crate) fn options(&self) -> Options {
        Options::new(self.server.url(&self.database))
    }

    pub(crate) fn open(&self) -> Mysql {
        Mysql::with(self.options()).unwrap()
    }

    /// The same through a relay.
    pub(crate) async fn relayed(&self) -> (Relay, Options) {
        let relay = Relay::to(self.server.address()).await;
        let url = self.server.url_at(relay.address(), &self.database);
        (relay, Options::new(url))
    }

    /// Past the adapter.
    pub(crate) fn sql(&self, statements: &str) -> String {
        self.server.sql(&format!("USE {}; {statements}", self.database))
    }

    pub(crate) fn count(&self) -> usize {
        self.sql("SELECT COUNT(*) FROM items").parse().unwrap()
    }

    /// How many connections of clients to this database the server has.
    pub(crate) fn connections(&self) -> usize {
        let list =
            "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'worker' AND db";
        self.sql(&format!("{list} = '{}'", self.database)).parse().unwrap()
    }
}

/// Fills the table with so many rows, named `item-N`, of size N.
pub(crate) async fn fill(mysql: &Mysql, rows: usize) {
    let sql = format!(
        "INSERT INTO items (name, size) SELECT CONCAT('item-', seq), seq FROM seq_1_to_{rows}"
    );
    let answer = mysql.query(&sql).await.unwrap();
    assert_eq!(answer.done.affected_rows, rows as u64);
}

/// A time that is short for people and long for a server.
pub(crate) const MOMENT: Duration = Duration::from_millis(200);
