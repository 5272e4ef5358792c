//! Topics and filters: what they may be, and which filter matches which topic.

use workyard_adapter_kit::{Error, ErrorKind};

/// As the protocol writes its length in two bytes.
const BYTES_MAX: usize = 65_535;
const SHARED: &str = "$share/";

/// Whether a message on `topic` is one that `filter` asks for. Both are taken to be sound.
///
/// `+` is any one level, `#` is any number of them, also none. A filter that begins with a wildcard
/// does not match topics that begin with `$`, such as those below `$SYS`. Of `$share/GROUP/FILTER`
/// the last part counts.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    let filter = own_part(filter);
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// Refuses what no message can be published to.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`], with what is wrong.
pub fn check_topic(topic: &str) -> Result<(), Error> {
    check_text("topic", topic)?;
    if topic.contains(['+', '#']) {
        return Err(invalid("topic", topic, "wildcards are for filters only"));
    }
    Ok(())
}

/// Refuses what nobody can subscribe to.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`], with what is wrong.
pub fn check_filter(filter: &str) -> Result<(), Error> {
    check_text("filter", filter)?;
    if let Some(shared) = filter.strip_prefix(SHARED) {
        let sound = shared.split_once('/').is_some_and(|(group, rest)| {
            !group.is_empty() && !group.contains(['+', '#']) && !rest.is_empty()
        });
        if !sound {
            return Err(invalid("filter", filter, "a shared one is $share/GROUP/FILTER"));
        }
    }
    let mut levels = own_part(filter).split('/').peekable();
    while let Some(level) = levels.next() {
        let last = levels.peek().is_none();
        if level.contains('#') && !(level == "#" && last) {
            return Err(invalid("filter", filter, "# stands alone, as the last level"));
        }
        if level.contains('+') && level != "+" {
            return Err(invalid("filter", filter, "+ stands for a whole level"));
        }
    }
    Ok(())
}

fn own_part(filter: &str) -> &str {
    let shared = filter.strip_prefix(SHARED).and_then(|shared| shared.split_once('/'));
    shared.map_or(filter, |(_, rest)| rest)
}

fn check_text(what: &str, text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(invalid(what, text, "it is empty"));
    }
    if text.len() > BYTES_MAX {
        let message = format!("a {what} of {} bytes: {BYTES_MAX} is the most", text.len());
        return Err(Error::new(ErrorKind::InvalidRequest, message));
    }
    if text.contains('\0') {
        return Err(invalid(what, text, "it contains a NUL"));
    }
    Ok(())
}

fn invalid(what: &str, text: &str, why: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("{text:?} is no {what}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_topics() {
        let cases = [
            ("a", "a", true),
            ("a", "b", false),
            ("a", "a/b", false),
            ("a/b", "a", false),
            ("A", "a", false),
            ("a/", "a/", true),
            ("a/", "a", false),
            ("/a", "/a", true),
            ("/a", "a", false),
            ("+", "a", true),
            ("+", "", true),
            ("+", "a/b", false),
            ("+/+", "a/b", true),
            ("+/+", "/b", true),
            ("/+", "/b", true),
            ("+", "/b", false),
            ("a/+/c", "a/b/c", true),
            ("a/+/c", "a//c", true),
            ("a/+/c", "a/b/d", false),
            ("a/+", "a/", true),
            ("a/+", "a", false),
            ("a/+", "a/b/c", false),
            ("#", "a/b/c", true),
            ("#", "/", true),
            ("a/#", "a", true),
            ("a/#", "a/", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("+/#", "a", true),
            ("a/+/#", "a/b", true),
            ("a/+/#", "a", false),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("$SYS/+", "$SYS/uptime", true),
            ("$SYS/uptime", "$SYS/uptime", true),
            ("a/+", "a/$SYS", true),
            ("$share/g/a/+", "a/b", true),
            ("$share/g/a/+", "g/a/b", false),
            ("$share/g/#", "$SYS/uptime", false),
            ("$share/g/$SYS/#", "$SYS/uptime", true),
            ("ü/+", "ü/é", true),
        ];
        for (filter, topic, expected) in cases {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for filter in ["a", "a/b", "/", "+", "#", "a/+/#", "$SYS/#", "$share/g/a/#", "$share/g//a"]
        {
            check_filter(filter).unwrap();
        }
        let long = "a".repeat(BYTES_MAX + 1);
        let filters = [
            "",
            "a#",
            "#/a",
            "a/#/b",
            "a+",
            "+a/b",
            "a/b+/c",
            "\0",
            "$share/g",
            "$share//a",
            "$share/g/",
            "$share/g+/a",
            "$share/g/a#",
            &long,
        ];
        for filter in filters {
            let error = check_filter(filter).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{filter}");
        }
        for topic in ["", "a/+", "#", "a\0", &long] {
            let error = check_topic(topic).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{topic}");
        }
        for topic in ["a", "/", "$SYS/x", "ü", " "] {
            check_topic(topic).unwrap();
        }
    }
}
