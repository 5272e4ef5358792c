//! Patterns of row names.

/// Whether `name` is what `pattern` says: `*` stands for any characters, `?` for one. A pattern that
/// is the start of a name up to a `/` selects all below it.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let is_above = name.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('/'));
    is_above || is_match(pattern.as_bytes(), name.as_bytes())
}

fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|skipped| is_match(rest, &name[skipped..])),
        ([b'?', pattern @ ..], [_, name @ ..]) => is_match(pattern, name),
        ([one, pattern @ ..], [other, name @ ..]) if one == other => is_match(pattern, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_globs_and_sections() {
        for (pattern, is_found) in [
            ("kv/get/50x16", true),
            ("kv", true),
            ("kv/get", true),
            ("k", false),
            ("kv/*/50x16", true),
            ("*x16", true),
            ("*x1", false),
            ("kv/???/50x16", true),
            ("kv/??/50x16", false),
            ("*", true),
            ("", false),
        ] {
            assert_eq!(matches(pattern, "kv/get/50x16"), is_found, "{pattern}");
        }
    }
}
