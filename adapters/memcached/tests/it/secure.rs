//! Who may use a server, and whom a client trusts.

use crate::common::FOREVER;
use workyard_memcached::{ErrorKind, Memcached, Options};
use workyard_testbed::{Authority, Memcached as Server};

#[tokio::test]
async fn credentials_are_checked_and_never_shown() {
    let server = Server::setup().login("app", "secret:x").start().await;
    let address = server.address();
    let open = |login: &str| Memcached::open(&format!("memcached://{login}{address}")).unwrap();
    let memcached = open("app:secret:x@");
    memcached.ready().await.unwrap();
    memcached.set("key", "v", FOREVER).await.unwrap();
    assert_eq!(memcached.get("key").await.unwrap(), Some("v".into()));
    for login in ["app:secret:y@", "ann:secret:x@", ""] {
        let memcached = open(login);
        let error = memcached.ready().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{login}: {error}");
        let error = memcached.set("key", "flush_all", FOREVER).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Refused, false));
        let shown = format!("{error} {error:?} {memcached:?}");
        assert!(!shown.contains("cret"), "{shown}");
    }
    assert!(memcached.get("key").await.unwrap().is_some());
}

#[tokio::test]
async fn a_server_that_wants_no_login_keeps_nothing_of_one() {
    let server = Server::start().await;
    let address = server.address();
    let direct = Memcached::open(&format!("memcached://{address}")).unwrap();
    direct.set("login", "of the application", FOREVER).await.unwrap();
    let memcached = Memcached::open(&format!("memcached://app:secret@{address}")).unwrap();
    memcached.ready().await.unwrap();
    memcached.set("key", "v", FOREVER).await.unwrap();
    let kept = direct.get_many(&["login", "workyard-memcached-login", "key"]).await.unwrap();
    assert_eq!(kept, [Some("of the application".into()), None, Some("v".into())]);
}

#[tokio::test]
async fn with_tls_only_those_are_trusted_that_are_to_be() {
    let authority = Authority::new();
    let server = Server::setup().tls(&authority).start().await;
    let url = format!("memcacheds://localhost:{}", server.address().port());
    let trusting = |authority: &Authority| {
        let mut options = Options::new(&*url);
        options.tls.ca = Some(authority.certificate());
        Memcached::with(options).unwrap()
    };
    let memcached = trusting(&authority);
    memcached.ready().await.unwrap();
    let large = vec![7; 500_000];
    memcached.set("key", large.clone(), FOREVER).await.unwrap();
    for _ in 0..20 {
        assert_eq!(memcached.get("key").await.unwrap().unwrap().data, large);
    }
    assert_eq!(memcached.stats().connected, 1);

    let stranger = trusting(&Authority::new());
    for error in [stranger.ready().await.unwrap_err(), stranger.get("key").await.unwrap_err()] {
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Refused, false), "{error}");
    }
    let other_name = url.replace("localhost", "127.0.0.2");
    let mut options = Options::new(other_name);
    options.tls.ca = Some(authority.certificate());
    let error = Memcached::with(options).unwrap().ready().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unreachable), "{error}");
}

#[tokio::test]
async fn with_tls_a_server_may_want_to_know_who_it_is() {
    let authority = Authority::new();
    let server = Server::setup().tls(&authority).argument("-o").argument("ssl_verify_mode=2");
    let server = server.start().await;
    let mut options = Options::new(format!("memcacheds://{}", server.address()));
    options.tls.ca = Some(authority.certificate());
    let error = Memcached::with(options.clone()).unwrap().ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    options.tls.certificate = Some(authority.client().certificate.clone());
    options.tls.key = Some(authority.client().key.clone());
    Memcached::with(options).unwrap().ready().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_restarted_is_used_again_with_tls() {
    let authority = Authority::new();
    let mut server = Server::setup().tls(&authority).start().await;
    let mut options = Options::new(format!("memcacheds://{}", server.address()));
    options.tls.ca = Some(authority.certificate());
    let memcached = Memcached::with(options).unwrap();
    memcached.set("key", "v", FOREVER).await.unwrap();
    server.process.restart().await;
    memcached.set("key", "v", FOREVER).await.unwrap();
    assert_eq!(memcached.stats().connected, 2);
}
