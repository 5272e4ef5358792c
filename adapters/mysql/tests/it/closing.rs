//! The end.

use crate::support::{Bed, MOMENT};
use tokio::time::sleep;
use workyard_mysql::ErrorKind;
use workyard_testbed::eventually;

#[tokio::test]
async fn what_is_under_way_ends_and_nothing_else_begins() {
    let bed = Bed::new().await;
    let mysql = bed.open();
    let under_way = mysql.first::<i32>("SELECT SLEEP(0.4)", ());
    let close = async {
        sleep(MOMENT).await;
        mysql.close().await
    };
    let late = async {
        sleep(MOMENT * 3 / 2).await;
        mysql.exec("DO 1", ()).await
    };
    let (answer, closed, late) = tokio::join!(under_way, close, late);
    assert_eq!((answer.unwrap(), closed), (Some(0), true));
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Closed);
    eventually("the connections are closed", async || bed.connections() == 0).await;
    assert!(mysql.close().await);
}

#[tokio::test]
async fn one_that_was_never_used_can_be_closed() {
    assert!(Bed::new().await.open().close().await);
}
