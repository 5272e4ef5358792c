//! Many callers, those that give up among them.

use crate::relay::{Mode, Relay};
use crate::{dns, options};
use futures_util::future::join_all;
use std::net::Ipv4Addr;
use std::time::Duration;
use workyard_dns::{Dns, ErrorKind};
use workyard_testbed::{Dnsmasq, DnsmasqSetup, eventually};

/// Where an answer is slow to come, the driver sends a question again, three times at most.
const DATAGRAMS_MAX: usize = 4;

fn address(number: u16) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 + u32::from(number))
}

fn many(count: u16) -> DnsmasqSetup {
    (0..count).fold(Dnsmasq::setup(), |setup, number| {
        setup.host(&format!("h{number}.test"), address(number))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_who_ask_the_same_ask_once() {
    let server = many(1).ttl(60).start().await;
    let relay = Relay::to(server.address()).await;
    relay.set(Mode::Delay(Duration::from_millis(100)));
    let dns = Dns::with(options(relay.address)).unwrap();
    let calls = (0..1000).map(|number: usize| {
        let dns = dns.clone();
        tokio::spawn(async move { dns.resolve(["h0.test", "H0.TEST"][number % 2]).await.unwrap() })
    });
    for answer in join_all(calls).await {
        assert_eq!(answer.unwrap(), address(0));
    }
    assert_eq!((dns.stats().succeeded, dns.stats().repeated), (1, 0));
    assert!((1..=DATAGRAMS_MAX).contains(&relay.questions()), "{}", relay.questions());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_who_ask_different_things_get_their_own_answers() {
    let server = many(1000).start().await;
    let dns = dns(&server);
    let calls = (0..1000).map(|number| {
        let dns = dns.clone();
        tokio::spawn(async move {
            let answer = dns.resolve(&format!("h{number}.test")).await.unwrap();
            assert_eq!(answer, address(number));
        })
    });
    for call in join_all(calls).await {
        call.unwrap();
    }
    assert_eq!((dns.stats().succeeded, dns.stats().calls), (1000, 0));
}

#[tokio::test]
async fn more_than_may_wait_are_turned_away_at_once() {
    let server = many(10).start().await;
    let relay = Relay::to(server.address()).await;
    relay.set(Mode::Delay(Duration::from_millis(100)));
    let mut options = options(relay.address);
    options.calls.calls_max = 2;
    options.calls.waiting_max = 3;
    let dns = Dns::with(options).unwrap();
    let names: Vec<String> = (0..10).map(|number| format!("h{number}.test")).collect();
    let results = join_all(names.iter().map(|name| dns.resolve(name))).await;
    let busy: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert_eq!(busy.len(), 5);
    assert!(busy.iter().all(|error| error.kind() == ErrorKind::Busy), "{busy:?}");
}

#[tokio::test]
async fn who_gives_up_takes_the_answer_from_nobody() {
    let server = many(1).start().await;
    let relay = Relay::to(server.address()).await;
    relay.set(Mode::Delay(Duration::from_millis(200)));
    let dns = Dns::with(options(relay.address)).unwrap();
    let first = tokio::time::timeout(Duration::from_millis(50), dns.resolve("h0.test"));
    let (first, second) = tokio::join!(first, dns.resolve("h0.test"));
    first.unwrap_err();
    assert_eq!(second.unwrap(), address(0));
    assert_eq!((dns.stats().succeeded, dns.stats().cancelled), (1, 0));
    assert!((1..=DATAGRAMS_MAX).contains(&relay.questions()), "{}", relay.questions());
    tokio::time::timeout(Duration::from_millis(50), dns.resolve("h0.test")).await.unwrap_err();
    assert_eq!((dns.stats().cancelled, dns.stats().calls), (1, 0), "nobody waited any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_given_up_poison_nothing() {
    let server = many(50).start().await;
    let relay = Relay::to(server.address()).await;
    relay.set(Mode::Delay(Duration::from_millis(2)));
    let mut options = options(relay.address);
    options.calls.calls_max = 8;
    let dns = Dns::with(options).unwrap();
    let calls = (0..600_u64).map(|number| {
        let (dns, host) = (dns.clone(), u16::try_from(number % 50).unwrap());
        let patience = Duration::from_micros(number * 3571 % 200_000);
        tokio::spawn(async move {
            let name = format!("h{host}.test");
            match tokio::time::timeout(patience, dns.resolve(&name)).await {
                Ok(answer) => assert_eq!(answer.unwrap(), address(host)),
                Err(_) => return 0,
            }
            1
        })
    });
    let answered: usize = join_all(calls).await.into_iter().map(Result::unwrap).sum();
    assert!((1..600).contains(&answered), "{answered}");
    eventually("no place is taken", async || dns.stats().calls == 0).await;
    relay.set(Mode::Pass);
    for number in 0..50 {
        let answer = dns.resolve(&format!("h{number}.test")).await.unwrap();
        assert_eq!(answer, address(number));
    }
}
