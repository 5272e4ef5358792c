//! `workyard queue stats`.

use super::channel_client;
use crate::args::{Global, QueueStats};
use crate::exit::Status;
use crate::output::Output;
use comfy_table::Table;
use serde_json::json;

pub(super) async fn stats(
    global: &Global,
    args: &QueueStats,
    output: Output,
) -> anyhow::Result<Status> {
    let client = channel_client(global).await?;
    let mut queues = client.queues(&args.prefix);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["queue", "ready", "leased", "delayed", "dead", "consumers", "oldest"]);
    while let Some(stats) = queues.next().await.transpose()? {
        let oldest = humantime::format_duration(stats.oldest).to_string();
        table.add_row([
            stats.queue_str().into_owned(),
            stats.ready.to_string(),
            stats.leased.to_string(),
            stats.delayed.to_string(),
            stats.dead.to_string(),
            stats.consumers.to_string(),
            oldest,
        ]);
        if output.is_json() {
            output.say(String::new, || {
                json!({
                    "queue": stats.queue_str(), "ready": stats.ready, "leased": stats.leased,
                    "delayed": stats.delayed, "dead": stats.dead, "consumers": stats.consumers,
                    "oldest_ms": stats.oldest.as_millis() as u64,
                })
            })?;
        }
    }
    if !output.is_json() {
        output.say(|| table.to_string(), || json!(null))?;
    }
    Ok(Status::Done)
}
