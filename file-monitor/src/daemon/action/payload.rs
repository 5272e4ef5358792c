//! A set of changes as others get it: JSON, bounded.

use crate::change::ChangeSet;
use serde_json::{Value, json};

/// Changes that are listed; there may be more, which are counted.
const CHANGES_MAX: usize = 1000;

/// `{"count": 1, "changes": [{"kind": "modified", "path": "/a.php"}]}`. What a path has that is no
/// text is shown as U+FFFD.
pub(crate) fn changes_as_json(set: &ChangeSet) -> Value {
    let change = |(path, kind): (&std::path::Path, crate::ChangeKind)| json!({ "kind": kind.name(), "path": path.to_string_lossy() });
    let changes: Vec<Value> = set.iter().take(CHANGES_MAX).map(change).collect();
    json!({ "count": set.len(), "changes": changes })
}
