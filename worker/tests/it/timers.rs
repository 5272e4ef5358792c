//! Timers of a worker process.

use crate::peer::until;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use workyard_worker::protocols::Text;
use workyard_worker::{Timer, Worker, embedded::serve_while};

fn while_serving(main: impl AsyncFnOnce()) {
    let worker = Worker::<Text>::bind("text://127.0.0.1:0");
    serve_while(worker, async |_| main().await).unwrap();
}

#[test]
fn timers_run_until_they_are_cancelled() {
    while_serving(async || {
        let count = Rc::new(Cell::new(0));
        let counter = Rc::clone(&count);
        let timer = Timer::every(Duration::from_millis(5), async move || {
            counter.set(counter.get() + 1);
        });
        until(|| count.get() >= 3).await;
        assert!(timer.cancel());
        assert!(!timer.cancel());
        let seen = count.get();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(count.get(), seen);
    });
}

#[test]
fn one_that_runs_once_is_gone_then_and_may_be_cancelled_before() {
    while_serving(async || {
        let count = Rc::new(Cell::new(0));
        let (first, second) = (Rc::clone(&count), Rc::clone(&count));
        let once = Timer::once(Duration::from_millis(5), async move || first.set(first.get() + 1));
        let never = Timer::once(Duration::from_millis(20), async move || second.set(100));
        assert!(never.cancel());
        until(|| count.get() == 1).await;
        assert!(!once.cancel());
        tokio::time::sleep(Duration::from_millis(40)).await;
        assert_eq!(count.get(), 1);
    });
}

#[test]
fn a_slow_run_is_not_made_up_for() {
    while_serving(async || {
        let starts: Rc<RefCell<Vec<Instant>>> = Rc::default();
        let log = Rc::clone(&starts);
        let timer = Timer::every(Duration::from_millis(50), async move || {
            log.borrow_mut().push(Instant::now());
            if log.borrow().len() == 1 {
                tokio::time::sleep(Duration::from_millis(220)).await;
            }
        });
        until(|| starts.borrow().len() >= 4).await;
        timer.cancel();
        let starts = starts.borrow();
        let gaps: Vec<_> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps[0] >= Duration::from_millis(220), "{gaps:?}");
        assert!(gaps[1..].iter().all(|gap| *gap >= Duration::from_millis(45)), "{gaps:?}");
    });
}

#[test]
fn a_run_that_fails_does_not_end_its_timer_and_a_timer_can_cancel_itself() {
    while_serving(async || {
        let count = Rc::new(Cell::new(0));
        let own = Rc::new(Cell::new(None::<Timer>));
        let (counter, me) = (Rc::clone(&count), Rc::clone(&own));
        own.set(Some(Timer::every(Duration::from_millis(5), async move || {
            counter.set(counter.get() + 1);
            match counter.get() {
                1 => panic!("as it was told"),
                2 => Err("as it was told"),
                _ => {
                    me.get().unwrap().cancel();
                    Ok(())
                }
            }
        })));
        until(|| count.get() == 3).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(count.get(), 3);
    });
}
