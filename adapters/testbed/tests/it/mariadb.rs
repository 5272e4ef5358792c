//! MariaDB servers.

use crate::left::starts_again_and_leaves_nothing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workyard_testbed::{Authority, MariaDb, Program};

/// Runs a statement as the user, over TCP.
fn sql(server: &MariaDb, arguments: &[&str], statement: &str) -> String {
    let port = format!("--port={}", server.address().port());
    let client = Program::new("mariadb").arguments(["--no-defaults", "-N", "-B"]);
    let user = ["--host=127.0.0.1", &port, "--user=worker", "--password=secret"];
    let output = client.arguments(user).arguments(arguments).arguments(["-e", statement]).output();
    output.trim_end().to_owned()
}

#[tokio::test]
async fn lets_the_user_in_and_leaves_nothing() {
    let server = MariaDb::setup().argument("--max-connections=17").start().await;
    assert_eq!(sql(&server, &[], "SELECT CURRENT_USER(), @@max_connections"), "worker@%\t17");
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let mut greeting = [0; 5];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(greeting[4], 10);
    stream.shutdown().await.unwrap();
    starts_again_and_leaves_nothing(server, |server| &mut server.process).await;
}

#[tokio::test]
async fn what_was_committed_survives_a_kill() {
    let mut server = MariaDb::start().await;
    let database = server.database();
    let make = format!("CREATE TABLE {database}.t (n INT); INSERT INTO {database}.t VALUES (7)");
    assert_eq!(server.sql(&make), "");
    server.process.kill().await;
    server.process.start_again().await;
    assert_eq!(sql(&server, &[&database], "SELECT n FROM t"), "7");
}

#[tokio::test]
async fn a_shared_one_has_many_databases() {
    let server = MariaDb::shared().await;
    let (one, two) = (server.database(), server.database());
    assert_ne!(one, two);
    let address = server.address();
    assert_eq!(server.url(&one), format!("mysql://worker:secret@{address}/{one}"));
    assert_eq!(server.sql(&format!("SHOW TABLES IN {two}")), "");
    assert_eq!(MariaDb::shared().await.process.id(), server.process.id());
}

#[tokio::test]
async fn speaks_tls_to_those_who_trust_it() {
    let authority = Authority::new();
    let server =
        MariaDb::setup().tls(&authority).argument("--require-secure-transport").start().await;
    let trusted = format!("--ssl-ca={}", authority.certificate().display());
    let arguments = [trusted.as_str(), "--ssl-verify-server-cert"];
    let cipher = "SHOW STATUS LIKE 'Ssl_version'";
    assert_eq!(sql(&server, &arguments, cipher), "Ssl_version\tTLSv1.3");
    let stranger = format!("--ssl-ca={}", Authority::new().certificate().display());
    let arguments = [stranger.as_str(), "--ssl-verify-server-cert"];
    let refused = std::panic::catch_unwind(|| sql(&server, &arguments, cipher));
    assert!(refused.is_err());
}
