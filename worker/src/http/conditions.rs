//! Which part of a file a request wants, and whether it has it already.

use super::{Method, Request};
use hyper::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a request says of what it wants. Only `GET` and `HEAD` have a say.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    pub(super) is_head: bool,
    none_match: Option<String>,
    modified_since: Option<SystemTime>,
    range: Option<String>,
    if_range: Option<String>,
}

/// One version of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) bytes: u64,
    /// In whole seconds, as HTTP has it.
    pub(super) modified: SystemTime,
    pub(super) tag: String,
}

/// What it is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// It has this version.
    Nothing,
    /// A range that is not there.
    Impossible,
}

impl Conditions {
    pub(super) fn of(request: &Request) -> Self {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return Self::default();
        }
        let text = |name: HeaderName| request.header(name.as_str()).map(str::to_owned);
        let modified_since = request.header(IF_MODIFIED_SINCE.as_str());
        Self {
            is_head: request.method() == Method::HEAD,
            none_match: text(IF_NONE_MATCH),
            modified_since: modified_since.and_then(|date| httpdate::parse_http_date(date).ok()),
            range: text(RANGE),
            if_range: text(IF_RANGE),
        }
    }

    pub(super) fn wanted(&self, version: &Version) -> Wanted {
        let is_known = match (&self.none_match, self.modified_since) {
            (Some(tags), _) => has_tag(tags, &version.tag),
            (None, Some(since)) => version.modified <= since,
            (None, None) => false,
        };
        if is_known {
            return Wanted::Nothing;
        }
        let is_other = |condition: &String| {
            *condition != version.tag
                && httpdate::parse_http_date(condition).ok() != Some(version.modified)
        };
        match &self.range {
            Some(range) if !self.if_range.as_ref().is_some_and(is_other) => {
                range_of(range, version.bytes)
            }
            _ => Wanted::Whole,
        }
    }
}

impl Version {
    pub(super) fn new(bytes: u64, modified: SystemTime) -> Self {
        let since_1970 = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            bytes,
            modified: UNIX_EPOCH + Duration::from_secs(since_1970.as_secs()),
            tag: format!("\"{:x}-{bytes:x}\"", since_1970.as_nanos()),
        }
    }
}

/// Whether one of the tags in a list is this, be it weak or not.
fn has_tag(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

/// One range of bytes. Whatever else is wanted, and more than one, is answered with the whole.
fn range_of(range: &str, bytes: u64) -> Wanted {
    let Some(("bytes", range)) = range.split_once('=') else { return Wanted::Whole };
    let Some((first, last)) = range.trim().split_once('-') else { return Wanted::Whole };
    let number = |text: &str| match text {
        "" => Some(None),
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(Some(text.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    let (first, end) = match (number(first), number(last)) {
        (Some(Some(first)), Some(Some(last))) if first <= last => (first, last.saturating_add(1)),
        (Some(Some(first)), Some(None)) => (first, bytes),
        (Some(None), Some(Some(last))) => (bytes.saturating_sub(last), bytes),
        _ => return Wanted::Whole,
    };
    match first < bytes && first < end {
        true => Wanted::Part(first..end.min(bytes)),
        false => Wanted::Impossible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version() -> Version {
        Version::new(100, UNIX_EPOCH + Duration::from_millis(784_111_777_500))
    }

    #[test]
    fn ranges() {
        for (range, wanted) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=10-19", Wanted::Part(10..20)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=90-500", Wanted::Part(90..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-500", Wanted::Part(0..100)),
            ("bytes=0-99999999999999999999999999", Wanted::Part(0..100)),
            ("bytes=100-", Wanted::Impossible),
            ("bytes=99999999999999999999999999-", Wanted::Impossible),
            ("bytes=-0", Wanted::Impossible),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-5", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            let conditions = Conditions { range: Some(range.to_owned()), ..Conditions::default() };
            assert_eq!(conditions.wanted(&version()), wanted, "{range}");
        }
    }

    #[test]
    fn what_is_known_is_not_wanted() {
        let version = version();
        let weak = format!("\"x\", W/{}", version.tag);
        let since = |seconds: u64| Some(UNIX_EPOCH + Duration::from_secs(784_111_000 + seconds));
        for (none_match, modified_since, wanted) in [
            (Some(version.tag.clone()), None, Wanted::Nothing),
            (Some(weak), None, Wanted::Nothing),
            (Some("*".to_owned()), None, Wanted::Nothing),
            (Some("\"x\"".to_owned()), since(777), Wanted::Whole),
            (None, since(777), Wanted::Nothing),
            (None, since(776), Wanted::Whole),
        ] {
            let conditions = Conditions { none_match, modified_since, ..Conditions::default() };
            assert_eq!(conditions.wanted(&version), wanted, "{conditions:?}");
        }
    }

    #[test]
    fn a_part_of_another_version_is_not_wanted() {
        let version = version();
        for (if_range, wanted) in [
            (version.tag.as_str(), Wanted::Part(0..1)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Wanted::Part(0..1)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", Wanted::Whole),
            ("\"x\"", Wanted::Whole),
        ] {
            let range = Some("bytes=0-0".to_owned());
            let if_range = Some(if_range.to_owned());
            let conditions = Conditions { range, if_range, ..Conditions::default() };
            assert_eq!(conditions.wanted(&version), wanted, "{conditions:?}");
        }
    }
}
