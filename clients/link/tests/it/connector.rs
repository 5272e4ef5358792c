//! Connections over streams that the program makes.

use crate::support::a_welcome;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use workyard_link::{Connector, Error, Link, Options, Stateless, Unread};
use workyard_protocol::ToClient;
use workyard_protocol::control::ServiceKind;

fn options(connector: Connector) -> Options {
    let mut options = Options::default();
    options.connector = Some(connector);
    options
}

#[tokio::test]
async fn a_connection_runs_over_what_the_connector_makes_each_time_anew() {
    let (made, mut others) = tokio::sync::mpsc::unbounded_channel();
    let connector = Connector::new(move |address| {
        assert_eq!(address.to_string(), "unix:///nowhere");
        let (near, far) = tokio::io::duplex(4096);
        made.send(far).unwrap();
        async { Ok(near) }
    });
    let address = "unix:///nowhere".parse().unwrap();
    let link = Link::connect_lazy(address, options(connector), Stateless(ServiceKind::Channel));
    let link = link.unwrap();
    for connection in 1..=2 {
        let mut far = others.recv().await.unwrap();
        assert_ne!(far.read(&mut [0; 4096]).await.unwrap(), 0, "a hello");
        let mut welcome = Vec::new();
        ToClient::<Unread<'_>, Unread<'_>>::Welcome(a_welcome()).encode(&mut welcome);
        far.write_all(&welcome).await.unwrap();
        while link.server().is_none_or(|server| server.connection != connection) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn what_the_connector_fails_with_is_the_cause() {
    static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);
    let connector = Connector::new(|_| async {
        ATTEMPTS.fetch_add(1, Ordering::Relaxed);
        Err::<tokio::io::DuplexStream, _>(io::Error::other("the tunnel is flooded"))
    });
    let mut options = options(connector);
    options.call_timeout = Duration::from_millis(300);
    let address = "somewhere:1".parse().unwrap();
    let failed = Link::connect(address, options, Stateless(ServiceKind::Channel)).await;
    let Err(Error::Unreachable { cause, .. }) = failed else { panic!("{failed:?}") };
    assert_eq!(cause, "tcp://somewhere:1: the tunnel is flooded");
    assert_ne!(ATTEMPTS.load(Ordering::Relaxed), 0);
}
