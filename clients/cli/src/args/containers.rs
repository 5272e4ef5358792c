//! Arguments of the commands about lists, sets and maps.

use super::Kind;
use clap::{Args, Subcommand};
use std::time::Duration;

/// What becomes of the lifetime when an item changes.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Prolonged {
    /// Let it expire after this time, as in `30s`; without, it does when it would have anyway
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Option<Duration>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum List {
    /// Put items behind the last, and print how many there are
    Push(ListPush),
    /// Take items off the front and print them
    Pop(ListPop),
    /// Print some of the items, or all
    Range(ListRange),
    /// Print how many items there are
    Len(Container),
}

#[derive(Debug, Args)]
pub(crate) struct ListPush {
    pub(crate) key: String,
    /// What looks like a number is stored as a number
    #[arg(required = true, allow_negative_numbers = true)]
    pub(crate) item: Vec<String>,
    /// Put them before the first, one before the other
    #[arg(long)]
    pub(crate) front: bool,
    /// Keep so many items at most: those at the other end go
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep: Option<u32>,
    #[command(flatten)]
    pub(crate) prolonged: Prolonged,
    #[command(flatten)]
    pub(crate) kind: Kind,
}

#[derive(Debug, Args)]
pub(crate) struct ListPop {
    pub(crate) key: String,
    /// How many at most
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16_384))]
    pub(crate) count: u32,
    /// Take them off the end, the last one first
    #[arg(long)]
    pub(crate) back: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListRange {
    pub(crate) key: String,
    /// The first, counted from 0; from the end if negative: -1 is the last
    #[arg(default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) start: i64,
    /// How many at most
    #[arg(default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..=16_384))]
    pub(crate) count: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Members {
    /// Add items, and print how many are new
    Add(Items),
    /// Remove items, and print how many were there
    Remove(Items),
    /// Say which of the items it has
    Has(Items),
    /// Print how many items there are
    Len(Container),
}

#[derive(Debug, Args)]
pub(crate) struct Items {
    pub(crate) key: String,
    /// What looks like a number is a number
    #[arg(required = true, allow_negative_numbers = true)]
    pub(crate) item: Vec<String>,
    #[command(flatten)]
    pub(crate) prolonged: Prolonged,
    #[command(flatten)]
    pub(crate) kind: Kind,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Map {
    /// Give a field a value
    Set(MapSet),
    /// Print the values of fields
    Get(Fields),
    /// Remove fields
    Del(Fields),
    /// Add to a field
    Incr(MapIncr),
    /// Print how many fields there are
    Len(Container),
}

#[derive(Debug, Args)]
pub(crate) struct MapSet {
    pub(crate) key: String,
    pub(crate) field: String,
    /// What looks like a number is stored as a number; `-` reads standard input
    #[arg(allow_negative_numbers = true)]
    pub(crate) value: String,
    #[command(flatten)]
    pub(crate) prolonged: Prolonged,
    #[command(flatten)]
    pub(crate) kind: Kind,
}

#[derive(Debug, Args)]
pub(crate) struct Fields {
    pub(crate) key: String,
    #[arg(required = true)]
    pub(crate) field: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MapIncr {
    pub(crate) key: String,
    pub(crate) field: String,
    /// What to add; negative to subtract, with a point for a float
    #[arg(default_value = "1", allow_negative_numbers = true)]
    pub(crate) by: String,
    #[command(flatten)]
    pub(crate) prolonged: Prolonged,
}

#[derive(Debug, Args)]
pub(crate) struct Container {
    pub(crate) key: String,
}
