//! Looks after silent connections: asks whether they live, and ends those that do not answer.

use crate::driver::{Driver, Shared};
use crate::service::{Dialect, Service};
use std::time::Duration;
use workyard_engine::Time;
use workyard_protocol::{Reason, Refusal};

/// How often is often enough, and how seldom is seldom enough.
const SWEEP_MIN: Duration = Duration::from_millis(20);
const SWEEP_MAX: Duration = Duration::from_secs(1);

/// Runs as long as the daemon.
pub(crate) async fn sweep_forever<S: Service>(shared: Shared<S>) {
    loop {
        let heartbeat = shared.borrow().settings.heartbeat;
        tokio::time::sleep((heartbeat / 8).clamp(SWEEP_MIN, SWEEP_MAX)).await;
        sweep(&mut shared.borrow_mut());
    }
}

/// What is to be done about a connection.
#[derive(Debug, PartialEq, Eq)]
enum Care {
    Nothing,
    Ask,
    End,
}

/// Connections are asked after one interval of silence and ended well within two. Nobody is ended
/// unasked: after a pause of this process, what they said may still be waiting to be read.
fn care(silent: Duration, heartbeat: Duration, asked: bool) -> Care {
    if silent <= heartbeat {
        Care::Nothing
    } else if !asked {
        Care::Ask
    } else if silent > heartbeat * 7 / 4 {
        Care::End
    } else {
        Care::Nothing
    }
}

fn sweep<S: Service>(driver: &mut Driver<S>) {
    let now = driver.now();
    let mut recovering = Vec::new();
    let mut asking = Vec::new();
    let heartbeat = driver.settings.heartbeat;
    let hello_timeout = driver.settings.hello_timeout;
    for (slot, peer) in driver.delivery.peers.iter_mut() {
        if !peer.is_open() {
            continue;
        }
        if std::mem::take(&mut peer.reads) {
            peer.last_heard = now;
            peer.pinged = false;
        }
        let silent = since(peer.last_heard, now);
        let Some(dialect) = peer.dialect else {
            // Clients of other dialects have no hello, and may be silent for as long as they like.
            if peer.has_begun && silent > hello_timeout {
                let text = format!("no hello within {}", humantime::format_duration(hello_timeout));
                peer.doom(Refusal::new(Reason::HelloTimeout, text));
            }
            continue;
        };
        if peer.gaps.is_some() || peer.awaited {
            recovering.push(slot);
        }
        if !dialect.has_heartbeat() {
            continue;
        }
        match care(silent, heartbeat, peer.pinged) {
            Care::Nothing => {}
            Care::Ask => {
                peer.pinged = true;
                asking.push(peer.id);
            }
            Care::End => {
                let text = format!("silent for {}", humantime::format_duration(silent));
                peer.doom(Refusal::new(Reason::HeartbeatTimeout, text));
            }
        }
    }
    for session in asking {
        driver.delivery.send(session, |dialect, out| dialect.ping(out));
    }
    for slot in recovering {
        driver.delivery.recover(slot);
    }
    driver.schedule_turn();
}

fn since(then: Time, now: Time) -> Duration {
    Duration::from_millis(now.millis_since(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_met_by_a_question_and_then_by_the_end() {
        let second = Duration::from_secs(1);
        for (silent_ms, asked, expected) in [
            (0, false, Care::Nothing),
            (1000, false, Care::Nothing),
            (1001, false, Care::Ask),
            (1001, true, Care::Nothing),
            (1750, true, Care::Nothing),
            (1751, true, Care::End),
            (60_000, false, Care::Ask),
        ] {
            let silent = Duration::from_millis(silent_ms);
            assert_eq!(care(silent, second, asked), expected, "{silent_ms} {asked}");
        }
    }
}
