//! The example, run as its user runs it: workers that move money.

use crate::support::Bed;
use tokio::task::JoinSet;
use workyard_testbed::Service;

#[tokio::test]
async fn workers_move_money_and_lose_none() {
    let bed = Bed::new().await;
    let url = bed.server.url(&bed.database);
    let service = Service::start("mysql-in-worker", &[("MYSQL", &url)]).await;
    assert_eq!(service.get("/accounts").await.body, "1: 100\n2: 100\n3: 100\n");
    let moved = service.post("/transfer?from=1&to=2&amount=30", "").await;
    assert_eq!((moved.status, &*moved.body), (200, "moved\n"));
    assert_eq!(service.get("/accounts").await.body, "1: 70\n2: 130\n3: 100\n");
    assert_eq!(service.post("/transfer?from=1&to=2&amount=71", "").await.status, 409);
    assert_eq!(service.post("/transfer?from=1&to=2", "").await.status, 400);

    // Both ways at once, in both processes.
    let service = std::sync::Arc::new(service);
    let mut callers = JoinSet::new();
    for number in 0..60 {
        let service = std::sync::Arc::clone(&service);
        let (from, to) = (number % 3 + 1, (number + number / 30 + 1) % 3 + 1);
        callers.spawn(async move {
            service.post(&format!("/transfer?from={from}&to={to}&amount=1"), "").await.status
        });
    }
    let statuses = callers.join_all().await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(bed.sql("SELECT SUM(credit), MIN(credit) >= 0 FROM accounts"), "300\t1");
    std::sync::Arc::into_inner(service).unwrap().stop().await;
}
