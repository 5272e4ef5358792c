//! Arguments of the commands about variables.

use super::{Fence, Kind};
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[arg(required = true)]
    pub(crate) key: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    pub(crate) key: String,
    /// What looks like a number is stored as a number; `-` reads standard input
    #[arg(allow_negative_numbers = true)]
    pub(crate) value: String,
    #[command(flatten)]
    pub(crate) lifetime: Lifetime,
    #[command(flatten)]
    pub(crate) kind: Kind,
}

/// What a write says of the lifetime.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Lifetime {
    /// Let it expire after this time, as in `30s`; without, it lives for ever
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Option<Duration>,
    /// Let it expire when it would have anyway
    #[arg(long, conflicts_with = "ttl")]
    pub(crate) keep_ttl: bool,
}

#[derive(Debug, Args)]
#[group(id = "expected", required = true, multiple = false)]
pub(crate) struct Expected {
    /// The revision that it must have
    #[arg(long, value_name = "NUMBER")]
    pub(crate) revision: Option<u64>,
    /// The value that it must have
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) expect: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Cas {
    pub(crate) key: String,
    /// What looks like a number is stored as a number; `-` reads standard input
    #[arg(allow_negative_numbers = true)]
    pub(crate) value: String,
    #[command(flatten)]
    pub(crate) expected: Expected,
    #[command(flatten)]
    pub(crate) lifetime: Lifetime,
    #[command(flatten)]
    pub(crate) kind: Kind,
    #[command(flatten)]
    pub(crate) fence: Fence,
}

#[derive(Debug, Args)]
pub(crate) struct Incr {
    pub(crate) key: String,
    /// What to add; negative to subtract, with a point for a float
    #[arg(default_value = "1", allow_negative_numbers = true)]
    pub(crate) by: String,
    /// What a variable that does not exist counts as
    #[arg(long, value_name = "NUMBER", default_value = "0", allow_hyphen_values = true)]
    pub(crate) initial: String,
    /// Refuse when it does not exist
    #[arg(long, conflicts_with = "initial")]
    pub(crate) existing: bool,
    /// Leave it alone if it would come below this
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, conflicts_with_all = ["initial", "existing"])]
    pub(crate) at_least: Option<String>,
    /// Leave it alone if it would come above this
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, conflicts_with_all = ["initial", "existing"])]
    pub(crate) at_most: Option<String>,
    /// Instead of leaving it alone, go as far as the bound
    #[arg(long)]
    pub(crate) clamp: bool,
    /// Let it expire after this time, as in `30s`; without, it does when it would have anyway
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Option<Duration>,
    /// Let it expire after this time if it did not exist
    #[arg(long, value_name = "TIME", conflicts_with = "ttl", value_parser = humantime::parse_duration)]
    pub(crate) ttl_if_new: Option<Duration>,
    /// Only if the lock is still held that `workyard lock` runs this under
    #[arg(long, conflicts_with_all = ["initial", "existing", "at_least", "at_most", "clamp"])]
    pub(crate) fenced: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Del {
    #[arg(required = true)]
    pub(crate) key: Vec<String>,
    #[command(flatten)]
    pub(crate) only: Only,
    #[command(flatten)]
    pub(crate) fence: Fence,
}

/// What a variable must be for it to be removed.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Only {
    /// Only if it has this revision
    #[arg(long, value_name = "NUMBER")]
    pub(crate) revision: Option<u64>,
    /// Only if it has this value: a number if it looks like one, else text
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) expect: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Append {
    pub(crate) key: String,
    /// The text, whatever it looks like; `-` reads standard input
    #[arg(allow_hyphen_values = true)]
    pub(crate) text: String,
    /// Let it expire after this time, as in `30s`; without, it does when it would have anyway
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct RateLimit {
    /// The variable that counts
    pub(crate) key: String,
    /// How many are allowed in one window
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) most: u32,
    /// How long a window is, as in `1m`
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) per: Duration,
    /// How many at once: all of them or none
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
}

#[derive(Debug, Args)]
pub(crate) struct OneNumber {
    pub(crate) key: String,
    /// With a point for a float
    #[arg(allow_negative_numbers = true)]
    pub(crate) number: String,
    /// Let it expire after this time, as in `30s`; without, it does when it would have anyway
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct Touch {
    pub(crate) key: String,
    /// How long it lives from now on, as in `30s`
    #[arg(value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct OneKey {
    pub(crate) key: String,
}

#[derive(Debug, Args)]
pub(crate) struct Count {
    /// Only keys that begin so
    #[arg(default_value = "")]
    pub(crate) prefix: String,
}

#[derive(Debug, Args)]
pub(crate) struct Keys {
    /// Only keys that begin so
    #[arg(default_value = "")]
    pub(crate) prefix: String,
    /// Also print size in bytes, kind, and how long they still live, before each key
    #[arg(long, short)]
    pub(crate) long: bool,
}
