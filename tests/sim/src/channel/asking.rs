//! Programs that ask, and programs that answer: mostly soon, sometimes late, sometimes never.

use super::{value, value_id};
use crate::world::World;
use fastrand::Rng;
use std::sync::Arc;
use std::time::Duration;
use workyard_channel::{ChannelClient, Responder};

/// What is served.
pub(crate) const SERVED: [&str; 2] = ["ask.a", "ask.b"];

/// Asks one question, whose answer must be its own.
pub(crate) async fn ask(world: Arc<World>, client: ChannelClient, id: u64, mut rng: Rng) {
    let channel = rng.choice(SERVED).expect("there are channels");
    let client = if rng.bool() { client.with_repeatable_requests() } else { client };
    let timeout = Duration::from_millis(rng.u64(1..4000));
    let question = value(id, rng.usize(..200));
    let answer = client.request_value(channel, &question, timeout).await;
    world.network.say(|| {
        let told = answer.as_ref().map(|answer| value_id(answer.value().as_ref()));
        format!("question, value {id}: {told:?}")
    });
    if let Ok(answer) = answer {
        let told = value_id(answer.value().as_ref());
        world.findings.check(told == id, || format!("question {id} was answered as {told}"));
    }
}

/// Answers with the question.
pub(crate) async fn serve(world: Arc<World>, mut responder: Responder, mut rng: Rng) {
    while let Some(question) = responder.next().await {
        tokio::time::sleep(Duration::from_millis(rng.u64(..60))).await;
        let id = value_id(question.value().as_ref());
        let settled = match rng.u8(..8) {
            0 => question.decline(&id).await,
            1 => {
                drop(question);
                continue;
            }
            2 => {
                tokio::time::sleep(Duration::from_millis(rng.u64(..3000))).await;
                question.answer_value(&value(id, 0)).await
            }
            _ => question.answer_value(&value(id, 3)).await,
        };
        world.network.say(|| format!("answer, value {id}: {settled:?}"));
    }
}
