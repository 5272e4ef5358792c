//! Plays many dialogues with several servers at once.

use super::{Case, Failure, Outcome, Pace, Summary, Wire, Witness, play};
use crate::Endpoint;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Plays every dialogue, with so many servers that `start` starts. It is called again when a dialogue
/// has done harm to the server.
///
/// # Panics
/// When a player does.
pub fn play_all<S>(
    wire: Wire,
    pace: Pace,
    cases: &[Case],
    servers: usize,
    start: impl Fn() -> (S, Endpoint) + Sync,
) -> Summary {
    let next = AtomicUsize::new(0);
    let take = || cases.get(next.fetch_add(1, Ordering::Relaxed));
    let play_some = || {
        let mut summary = Summary::default();
        let mut case = take();
        while case.is_some() {
            let (_server, endpoint) = start();
            let play =
                |case: &Case, witness: &mut Witness| play(wire, pace, case, &endpoint, witness);
            case = match Witness::open(wire, &endpoint) {
                Ok(witness) => play_with_one(witness, play, case, &take, &mut summary),
                // Who does not answer the witness answers nobody: the others are left to be missed.
                Err(failure) => {
                    summary.add("the witness", Err(failure));
                    None
                }
            };
        }
        summary
    };
    let mut summary = Summary::default();
    thread::scope(|scope| {
        let players: Vec<_> = (0..servers).map(|_| scope.spawn(play_some)).collect();
        for player in players {
            summary.append(player.join().expect("a player does not panic"));
        }
    });
    summary
}

/// Plays dialogues until the server has suffered harm, and returns the next one then.
fn play_with_one<'a>(
    mut witness: Witness,
    play: impl Fn(&Case, &mut Witness) -> Result<Outcome, Failure>,
    mut case: Option<&'a Case>,
    take: &impl Fn() -> Option<&'a Case>,
    summary: &mut Summary,
) -> Option<&'a Case> {
    while let Some(playing) = case {
        let outcome = play(playing, &mut witness);
        let harmed = outcome.is_err() && witness.check().is_err();
        summary.add(&playing.name, outcome);
        case = take();
        if harmed {
            break;
        }
    }
    case
}
