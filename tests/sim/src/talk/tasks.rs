//! What goes on beside a program's steps: answering, asking, following.

use super::notes::Notes;
use crate::channel::{value, value_id};
use crate::world::{World, lock};
use fastrand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use workyard_channel::{ChannelClient, Error, PresenceEvents, Question, Responder};

/// What a client may take beyond what it was given: its timer wakes up once in a millisecond.
const SLACK: Duration = Duration::from_millis(5);

/// Answers, mostly; sometimes late, sometimes not at all.
pub(super) async fn serve(
    world: Arc<World>,
    notes: Arc<Mutex<Notes>>,
    mut rng: Rng,
    mut responder: Responder,
) {
    let mut forgotten = Vec::new();
    while let Some(question) = responder.next().await {
        let id = value_id(question.value().as_ref());
        lock(&notes).handed(id, question.attempt());
        tokio::time::sleep(Duration::from_millis(rng.u64(..150))).await;
        match rng.u8(..20) {
            0..=12 => answer(&world, id, question, rng.usize(..300)).await,
            13..=15 => decline(&world, id, question).await,
            16 => forgotten.push(question),
            17 => {
                let closed = responder.close().await;
                world.network.say(|| format!("close a responder: {closed:?}"));
            }
            _ => drop(question),
        }
    }
}

async fn answer(world: &World, id: u64, question: Question, padding: usize) {
    let number = question.id();
    let answered = question.answer_value(&value(id, padding)).await;
    world.network.say(|| format!("question {number}, value {id}: answer {answered:?}"));
}

async fn decline(world: &World, id: u64, question: Question) {
    let number = question.id();
    let declined = question.decline(&format!("no to {id}")).await;
    world.network.say(|| format!("question {number}, value {id}: decline {declined:?}"));
}

/// Asks, and looks at the answer.
pub(super) async fn ask(
    world: Arc<World>,
    notes: Arc<Mutex<Notes>>,
    client: ChannelClient,
    channel: &'static str,
    repeatable: bool,
    timeout: Duration,
) {
    let id = lock(&notes).ask(repeatable);
    let client = if repeatable { client.with_repeatable_requests() } else { client };
    let begun = Instant::now();
    let answer = client.request_value(channel, &value(id, 20), timeout).await;
    let took = begun.elapsed();
    world.network.say(|| format!("ask {channel}, value {id}: {answer:?}"));
    let findings = &lock(&notes).findings;
    findings.check(took <= timeout + SLACK, || {
        format!("value {id}: {took:?} for an answer that had {timeout:?}")
    });
    match answer {
        Ok(answer) => {
            let got = value_id(answer.value().as_ref());
            findings.check(got == id, || format!("value {id} was answered by {got}"));
        }
        Err(Error::Declined { value }) => {
            let why = value.to_string();
            let is_own = why == format!("no to {id}") || why.starts_with("the responder ");
            findings.check(is_own, || format!("value {id} was declined by {why:?}"));
        }
        // Everything else may be, on a network like this one.
        Err(_) => {}
    }
}

/// Notes who comes and goes.
pub(super) async fn follow(
    notes: Arc<Mutex<Notes>>,
    number: usize,
    pause: Duration,
    mut events: PresenceEvents,
) {
    while let Some(event) = events.next().await {
        lock(&notes).told(number, event);
        tokio::time::sleep(pause).await;
    }
    lock(&notes).remove_follower(number);
}
