//! TLS.

use crate::support::{ask, open};
use workyard_redis::{ErrorKind, Options, Redis};
use workyard_testbed::{Authority, Redis as Server};

#[tokio::test]
async fn whom_a_private_authority_signed_is_trusted_and_a_stranger_refused() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let server = Server::setup().tls(&authority).password("secret").start().await;
    let with = |authority: &Authority| {
        open(&format!("{}?tls_ca={}", server.url(), authority.certificate().display()))
    };
    let redis = with(&authority);
    ask::<()>(&redis, "SET a 1").await;
    assert_eq!(ask::<u32>(&redis, "GET a").await, 1);
    let subscription = redis.subscribe(&["c"]).await.unwrap();
    subscription.ready().await.unwrap();
    let error = with(&stranger).ready().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    let error = with(&stranger).subscribe(&["c"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_one() {
    let authority = Authority::new();
    let server = Server::setup().tls(&authority).client_certificates().start().await;
    let mut options = Options::new(server.url());
    options.tls.ca = Some(authority.certificate());
    let error = Redis::with(options.clone()).unwrap().ready().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Refused | ErrorKind::Unreachable), "{error}");
    options.tls.certificate = Some(authority.client().certificate.clone());
    options.tls.key = Some(authority.client().key.clone());
    Redis::with(options).unwrap().ready().await.unwrap();
}
