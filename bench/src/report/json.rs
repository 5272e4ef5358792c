//! One JSON line per run, for those who want to compute something else.

use crate::figures::Figures;
use crate::peer::Kind;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) struct JsonLines {
    file: File,
    /// Tells the runs of this process from others in the same file: seconds since 1970.
    session: u64,
}

impl JsonLines {
    pub(super) fn append_to(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Ok(Self { file, session: since.map_or(0, |since| since.as_secs()) })
    }

    pub(super) fn write(
        &mut self,
        row: &str,
        kind: Kind,
        round: u32,
        outcome: &Result<Figures>,
    ) -> Result<()> {
        let line = line(self.session, row, (kind, round), outcome);
        writeln!(self.file, "{line}").context("cannot write the JSON file")
    }
}

fn line(session: u64, row: &str, (kind, round): (Kind, u32), outcome: &Result<Figures>) -> Value {
    let mut fields = Map::new();
    fields.insert("session".to_owned(), json!(session));
    fields.insert("row".to_owned(), json!(row));
    fields.insert("peer".to_owned(), json!(kind.name()));
    fields.insert("round".to_owned(), json!(round));
    match outcome {
        Ok(figures) => {
            let figures = figures.iter();
            fields.extend(figures.map(|(name, value)| (name.to_owned(), json!(value))));
        }
        Err(error) => {
            fields.insert("error".to_owned(), json!(format!("{error:#}")));
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_flat_object() {
        let mut figures = Figures::default();
        figures.add("per_s", 2.5);
        let value = line(7, "kv/get/1x1", (Kind::Redis, 1), &Ok(figures));
        let expected = json!({
            "session": 7, "row": "kv/get/1x1", "peer": "redis", "round": 1, "per_s": 2.5
        });
        assert_eq!(value, expected);
        let failed = line(7, "connects", (Kind::Nats, 0), &Err(anyhow::anyhow!("gone")));
        assert_eq!(failed["error"], json!("gone"));
    }
}
