//! The example, as its user starts it.

use crate::broker::{place, url};
use workyard_testbed::Service;

#[tokio::test]
async fn what_is_ordered_is_packed() {
    let (address, vhost) = place().await;
    let url = url(address, &vhost, "");
    let service = Service::start("stomp-in-worker", &[("STOMP", &url)]).await;
    for order in ["two books", "a lamp", "two books"] {
        assert_eq!(service.post("/orders", order).await.status, 202);
        let parcel = service.get("/packed").await;
        assert_eq!((parcel.status, parcel.body), (200, format!("a parcel with {order}")));
    }
    service.stop().await;
}
