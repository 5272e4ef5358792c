//! TLS: whom to trust, and who to be.

use workyard_mysql::{ErrorKind, Mysql, Options};
use workyard_testbed::{Authority, MariaDb};

#[tokio::test]
async fn only_whoever_is_trusted_is_talked_to() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let setup = MariaDb::setup().tls(&authority).argument("--require-secure-transport=ON");
    let server = setup.start().await;
    let database = server.database();
    let plain = server.url(&database);
    let open = |ca: &Authority| {
        let mut options = Options::new(plain.replace("mysql://", "mysqls://"));
        options.tls.ca = Some(ca.certificate());
        options
    };
    let mysql = Mysql::with(open(&authority)).unwrap();
    let find = "SHOW SESSION STATUS LIKE 'Ssl_version'";
    let rows = mysql.query(find).await.unwrap().into_rows::<(String, String)>().unwrap();
    assert_eq!(rows[0].1, "TLSv1.3");
    for round in 0..20 {
        assert_eq!(mysql.first::<i32>("SELECT ?", (round,)).await.unwrap(), Some(round));
    }
    assert!(mysql.stats().connected < 5);

    let error = Mysql::with(open(&stranger)).unwrap().ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    // Nor is the machine's own trust enough.
    let mut machine = open(&authority);
    machine.tls.ca = None;
    if let Ok(mysql) = Mysql::with(machine) {
        assert_eq!(mysql.ready().await.unwrap_err().kind(), ErrorKind::Refused);
    }
    // The server wants TLS.
    let error = Mysql::open(&plain).unwrap().ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

#[tokio::test]
async fn a_client_may_have_to_show_a_certificate() {
    let authority = Authority::new();
    let server = MariaDb::setup().tls(&authority).start().await;
    let database = server.database();
    let _ = server.sql(
        "CREATE USER shown IDENTIFIED BY 'p' REQUIRE X509; GRANT ALL ON *.* TO shown; \
         CREATE USER plain IDENTIFIED BY 'p'; GRANT ALL ON *.* TO plain",
    );
    let mut options = Options::new(format!("mysqls://shown:p@{}/{database}", server.address()));
    options.tls.ca = Some(authority.certificate());
    let error = Mysql::with(options.clone()).unwrap().ready().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("1045")));
    options.tls.certificate = Some(authority.client().certificate.clone());
    options.tls.key = Some(authority.client().key.clone());
    Mysql::with(options).unwrap().ready().await.unwrap();
}

#[tokio::test]
async fn a_server_without_tls_is_refused() {
    let bed = crate::support::Bed::new().await;
    let authority = Authority::new();
    let url = bed.server.url(&bed.database).replace("mysql://", "mysqls://");
    let mut options = Options::new(url);
    options.tls.ca = Some(authority.certificate());
    let error = Mysql::with(options).unwrap().ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}
