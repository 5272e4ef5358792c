//! Credentials that are wrong.

use crate::support::Bed;
use workyard_mysql::{ErrorKind, Mysql};

#[tokio::test]
async fn whoever_the_server_does_not_want_is_refused() {
    let bed = Bed::new().await;
    let address = bed.server.address();
    let cases = [
        (format!("mysql://worker:wrong-secret@{address}/{}", bed.database), "1045"),
        (format!("mysql://nobody:wrong-secret@{address}/{}", bed.database), "1045"),
        (format!("mysql://worker:secret@{address}/no_such_database"), "1049"),
    ];
    for (url, code) in cases {
        let mysql = Mysql::open(&url).unwrap();
        for error in [mysql.ready().await.unwrap_err(), mysql.exec("DO 1", ()).await.unwrap_err()] {
            assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some(code)), "{error}");
            assert!(!error.is_transient() && !error.outcome_unknown());
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
        // It is not the service that is ill.
        let stats = mysql.stats();
        assert_eq!((stats.repeated, stats.circuit_open), (0, false));
    }
}

#[tokio::test]
async fn a_user_without_a_right_to_the_database_is_refused() {
    let bed = Bed::new().await;
    let (server, user) = (bed.server, &bed.database);
    let _ = server.sql(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'p'"));
    let url = format!("mysql://{user}:p@{}/{}", server.address(), bed.database);
    let error = Mysql::open(&url).unwrap().ready().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("1044")));
}
