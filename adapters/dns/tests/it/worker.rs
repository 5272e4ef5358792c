//! The example, run as its user runs it: workers that ask where mail goes.

use std::net::Ipv4Addr;
use workyard_testbed::{Dnsmasq, Service};

#[tokio::test]
async fn workers_say_whether_mail_can_be_delivered() {
    let server = Dnsmasq::setup()
        .mx("shop.test", "mail.test", 10)
        .mx("shop.test", "gone.test", 20)
        .host("mail.test", Ipv4Addr::new(192, 0, 2, 1))
        .mx("broken.test", "gone.test", 10)
        .ttl(60)
        .start()
        .await;
    let url = format!("dns://{}?hosts=false", server.address());
    let service = Service::start("dns-in-worker", &[("DNS", &url)]).await;
    let cases = [
        ("ann@shop.test", 200, r#"{"deliverable":true,"servers":["mail.test"]}"#),
        ("ann@broken.test", 200, r#"{"deliverable":false,"servers":[]}"#),
        ("ann@nobody.test", 200, r#"{"deliverable":false,"servers":[]}"#),
        ("ann", 400, "an address has an @"),
        ("ann@elsewhere.example", 503, "not known at the moment"),
    ];
    for (address, status, body) in cases {
        let answer = service.get(&format!("/check?address={address}")).await;
        assert_eq!((answer.status, &*answer.body), (status, body), "{address}");
    }
    for _ in 0..20 {
        assert_eq!(service.get("/check?address=bob@shop.test").await.status, 200);
    }
    // Two processes, each with what it keeps.
    assert!(server.queries("MX", "shop.test") <= 2);
    service.stop().await;
}
