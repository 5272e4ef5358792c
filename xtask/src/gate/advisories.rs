//! Known flaws in dependencies: a failure when there is one, a warning when the list is out of reach.

use std::path::Path;

use anyhow::{Result, bail};

use crate::command::Invocation;

/// What to type to run this check by itself.
pub(crate) const LINE: &str = "cargo deny check advisories";

/// What cargo-deny says when it could not get at the database.
const OUT_OF_REACH: &str = "failed to fetch advisory database";

/// Asks cargo-deny, and says clearly when there was nothing to ask.
pub(crate) fn run(root: &Path) -> Result<()> {
    let captured = Invocation::new(LINE)
        // A network that swallows packets must not hold up the gate.
        .variable("GIT_HTTP_LOW_SPEED_LIMIT", "1000")
        .variable("GIT_HTTP_LOW_SPEED_TIME", "20")
        .captured(root)?;
    eprint!("{}", captured.text);
    match verdict(captured.status.success(), &captured.text) {
        Verdict::Passed => Ok(()),
        Verdict::OutOfReach => {
            println!("NOT CHECKED: the database of advisories cannot be fetched from here");
            Ok(())
        }
        Verdict::Failed => bail!("`{LINE}` ended with {}", captured.status),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    OutOfReach,
    Failed,
}

fn verdict(success: bool, text: &str) -> Verdict {
    if success {
        Verdict::Passed
    } else if text.contains(OUT_OF_REACH) {
        Verdict::OutOfReach
    } else {
        Verdict::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_database_out_of_reach_is_forgiven() {
        let cases = [
            (true, "advisories ok\n", Verdict::Passed),
            (
                false,
                "[ERROR] failed to fetch advisory database https://… with cli: failed to clone\n",
                Verdict::OutOfReach,
            ),
            (false, "error[vulnerability]: …\nadvisories FAILED\n", Verdict::Failed),
            (false, "[ERROR] failed to parse deny.toml\n", Verdict::Failed),
        ];
        for (success, text, expected) in cases {
            assert_eq!(verdict(success, text), expected, "{text}");
        }
    }
}
