//! When callbacks are called, and what their failures cost.

use crate::peer::{Peer, until};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use workyard_worker::protocols::Text;
use workyard_worker::{OnFailure, Sent, Worker, embedded::serve_while};

type Log = Rc<RefCell<Vec<String>>>;

#[test]
fn callbacks_come_in_order() {
    let log = Log::default();
    let note = |text: &'static str| {
        let log = Rc::clone(&log);
        move || log.borrow_mut().push(text.to_owned())
    };
    let (start, stop) = (note("start"), note("stop"));
    let (connect, close) = (note("connect"), note("close"));
    let messages = Rc::clone(&log);
    let worker = Worker::<Text>::bind("text://127.0.0.1:0")
        .on_worker_start(async move |_| start())
        .on_worker_stop(async move |_| stop())
        .on_connect(async move |connection| {
            connect();
            connection.send("welcome")
        })
        .on_message(async move |connection, line| {
            messages.borrow_mut().push(line.clone());
            connection.send(line)
        })
        .on_close(async move |connection| {
            close();
            assert!(!connection.send("too late").is_accepted());
        });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.sees("welcome\n").await;
        peer.send("one\n").await;
        peer.sees("one\n").await;
    });
    served.unwrap();
    assert_eq!(*log.borrow(), ["start", "connect", "one", "stop", "close"]);
}

#[test]
fn a_callback_that_waits_holds_up_its_own_connection_only() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0").on_message(async |connection, line| {
        connection.send(format!("{line} begins"));
        if line == "slow" {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        connection.send(format!("{line} ends"))
    });
    let served = serve_while(worker, async |address| {
        let (mut slow, mut quick) = (Peer::connect(&address).await, Peer::connect(&address).await);
        slow.send("slow\nquick\n").await;
        // What is sent before a wait goes out before it.
        slow.sees("slow begins\n").await;
        let begun = std::time::Instant::now();
        quick.send("quick\n").await;
        quick.sees("quick begins\nquick ends\n").await;
        assert!(begun.elapsed() < Duration::from_millis(250));
        slow.sees("slow ends\nquick begins\nquick ends\n").await;
    });
    served.unwrap();
}

#[test]
fn a_failure_costs_its_connection_and_no_other() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0").on_message(async |connection, line| {
        connection.send("tried");
        match line.as_str() {
            "panic" => panic!("as it was told"),
            "error" => Err("as it was told"),
            _ => Ok(connection.send(line)),
        }
    });
    let served = serve_while(worker, async |address| {
        let mut other = Peer::connect(&address).await;
        for bad in ["panic\n", "error\n"] {
            let mut peer = Peer::connect(&address).await;
            peer.send(bad).await;
            assert_eq!(peer.rest().await, b"tried\n");
        }
        other.send("well\n").await;
        other.sees("tried\nwell\n").await;
    });
    served.unwrap();
}

#[test]
fn a_failure_may_cost_the_process_if_that_is_wanted() {
    let stopped = Rc::new(Cell::new(false));
    let is_stopped = Rc::clone(&stopped);
    let worker = Worker::<Text>::bind("text://127.0.0.1:0")
        .on_failure(OnFailure::StopWorker)
        .on_worker_stop(async move |_| is_stopped.set(true))
        .on_message(async |_, _| Err::<Sent, _>("as it was told"));
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("x\n").await;
        peer.ends().await;
        until(|| stopped.get()).await;
    });
    assert_eq!(served.unwrap_err().to_string(), "on_message: as it was told");
}

#[test]
fn a_worker_that_cannot_start_says_why() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0")
        .on_worker_start(async |_| Err::<(), _>("no database"));
    let error = serve_while(worker, async |_| ()).unwrap_err();
    assert_eq!(error.to_string(), "on_worker_start: no database");
}

#[test]
fn each_connection_has_data_and_the_process_has_resources() {
    #[derive(Default)]
    struct User {
        name: Option<String>,
    }
    let worker = Worker::<Text>::bind("text://127.0.0.1:0")
        .data::<User>()
        .on_worker_start(async |worker| {
            worker.provide(Cell::new(0_u32));
        })
        .on_message(async |connection, line| {
            let count = connection.worker().resource::<Cell<u32>>();
            count.set(count.get() + 1);
            let known = connection.data().name.clone();
            match known {
                None => {
                    connection.data_mut().name = Some(line);
                    connection.send(format!("{} is {}", connection.id(), count.get()))
                }
                Some(name) => connection.send(format!("{name} said {line}, {}", count.get())),
            }
        });
    let served = serve_while(worker, async |address| {
        let (mut one, mut two) = (Peer::connect(&address).await, Peer::connect(&address).await);
        one.send("ann\n").await;
        one.sees("1 is 1\n").await;
        two.send("tom\n").await;
        two.sees("2 is 2\n").await;
        one.send("hello\n").await;
        one.sees("ann said hello, 3\n").await;
    });
    served.unwrap();
}

#[test]
fn a_silent_connection_ends_and_one_that_speaks_does_not() {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0")
        .heartbeat(Duration::from_millis(300), Duration::from_millis(20))
        .on_message(async |connection, line| connection.send(line));
    let served = serve_while(worker, async |address| {
        let (mut silent, mut lively) =
            (Peer::connect(&address).await, Peer::connect(&address).await);
        for _ in 0..10 {
            lively.send("ping\n").await;
            lively.sees("ping\n").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        silent.ends().await;
        lively.send("still there\n").await;
        lively.sees("still there\n").await;
    });
    served.unwrap();
}
