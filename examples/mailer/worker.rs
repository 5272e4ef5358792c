//! What each process does.

use super::{GREETING, LEADER, MAILS, PROGRESS, is_address};
use std::time::Duration;
use tokio::time::sleep;
use workyard_channel::ChannelClient;
use workyard_globaldata::{Error, GlobalDataClient, RateLimit};

/// Sends mails until it is killed.
pub(crate) async fn work(
    channels: &ChannelClient,
    shared: &GlobalDataClient,
    worker: u32,
) -> anyhow::Result<()> {
    let leading = tokio::spawn(lead(shared.clone(), worker));
    // All processes together.
    let limit = shared.rate_limit("example.rate", 50, Duration::from_millis(100));
    let cached = shared.cached();
    let mut mails = channels.consume(MAILS, 5).await?;
    while let Some(mail) = mails.next().await {
        let user: u32 = mail.decode()?;
        if !is_address(user) {
            mail.nack_because("no such mailbox").await?;
            continue;
        }
        allowed(&limit).await?;
        // Read locally, until somebody sets it.
        let greeting: String = cached.get(GREETING).await?.unwrap_or_default();
        channels.publish(PROGRESS, &(user, greeting)).await?;
        mail.ack().await?;
    }
    leading.await??;
    Ok(())
}

/// Waits for the turn to lead, and leads as long as the process lives.
async fn lead(shared: GlobalDataClient, worker: u32) -> Result<(), Error> {
    loop {
        let guard = shared.lock(LEADER).ttl(Duration::from_secs(5)).acquire().await?;
        // Refused if the lock is another's by now: no late leader writes over the present one.
        shared.fenced_by(&guard).set(LEADER, &worker).await?;
        guard.lost().await;
    }
}

async fn allowed(limit: &RateLimit) -> Result<(), Error> {
    loop {
        let verdict = limit.check().await?;
        if verdict.allowed {
            return Ok(());
        }
        sleep(verdict.reset_in.unwrap_or(limit.window())).await;
    }
}
