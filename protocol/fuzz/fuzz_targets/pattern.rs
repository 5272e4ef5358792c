//! Names and patterns: what parses stays as it is, and matching does what its definition says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use workyard_protocol::{ChannelName, GroupName, Key, Pattern, QueueName};

// A pattern, a line end, a channel's name.
fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let (pattern, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    check_names(name);
    if let Ok(pattern) = Pattern::new(pattern) {
        assert_eq!(Pattern::new(pattern.as_bytes()), Ok(pattern));
        assert_eq!(pattern.matches(name), matches(&tokens(pattern.as_bytes()), &tokens(name)));
    }
});

fn check_names(bytes: &[u8]) {
    let kept = [
        ChannelName::new(bytes).map(ChannelName::as_bytes),
        QueueName::new(bytes).map(QueueName::as_bytes),
        GroupName::new(bytes).map(GroupName::as_bytes),
        Key::new(bytes).map(Key::as_bytes),
    ];
    for kept in kept.into_iter().flatten() {
        assert_eq!(kept, bytes);
    }
}

fn tokens(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|byte| *byte == b'.').collect()
}

/// The definition: `*` is any token, `>` at the end all that are left, of which there is one.
fn matches(pattern: &[&[u8]], name: &[&[u8]]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b">"], [_, ..]) => true,
        ([token, pattern @ ..], [part, name @ ..]) => {
            (*token == b"*" || token == part) && matches(pattern, name)
        }
        _ => false,
    }
}
