//! The example, as its user starts it.

use crate::peer::{address, peer};
use workyard_testbed::{Port, Service};

#[tokio::test]
async fn jobs_are_given_to_libzmq_and_answered() {
    let (jobs, upper) = (Port::free(), Port::free());
    let mut pull = peer("PULL", "bind", address(&jobs), &[]).await;
    let mut reply = peer("REP", "bind", address(&upper), &[]).await;
    let service = Service::start(
        "zeromq-in-worker",
        &[
            ("JOBS", &format!("tcp://{}", address(&jobs))),
            ("UPPER", &format!("tcp://{}", address(&upper))),
        ],
    )
    .await;
    let answer = service.post("/jobs", "wash the car").await;
    assert_eq!((answer.status, &*answer.body), (202, "taken\n"));
    assert_eq!(pull.ask("recv").await, "/jobs|wash the car");
    reply.tell("echo 1");
    assert_eq!(service.post("/upper", "hello").await.body, "HELLO");
    reply.process.kill().await;
    let answer = service.post("/upper", "hello").await;
    assert_eq!(answer.status, 502);
    service.stop().await;
}
