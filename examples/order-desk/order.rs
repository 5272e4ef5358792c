//! What is ordered, as it comes, as it is kept and as it is told.

use serde::{Deserialize, Serialize};

/// As it comes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    pub(crate) item: String,
    pub(crate) count: u32,
}

/// As it is stored, cached and told.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) item: String,
    pub(crate) count: u32,
}
