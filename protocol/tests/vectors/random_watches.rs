//! What globaldata-server might send unasked, and the topics that it tells of.

use crate::random::{key, value, wide};
use proptest::option;
use proptest::prelude::*;
use workyard_protocol::globaldata::{Change, Push, WatchTopic};

pub(crate) fn globaldata_push() -> impl Strategy<Value = Push<'static>> {
    let watch = || option::of(any::<u32>());
    let change = prop_oneof![
        (option::of(wide()), option::of(value()))
            .prop_map(|(ttl_ms, value)| Change::Set { ttl_ms, value }),
        Just(Change::Deleted),
        Just(Change::Expired),
    ];
    prop_oneof![
        (watch(), key(), wide(), any::<bool>(), change).prop_map(
            |(watch, key, revision, more, change)| Push::Changed {
                watch,
                key,
                revision,
                more,
                change
            }
        ),
        (watch(), wide(), any::<bool>()).prop_map(|(watch, revision, live)| Push::Reached {
            watch,
            revision,
            live
        }),
        (watch(), wide()).prop_map(|(watch, oldest)| Push::Compacted { watch, oldest }),
        wide().prop_map(|token| Push::LockGranted { token }),
        wide().prop_map(|token| Push::LockLost { token }),
    ]
}

pub(crate) fn topic() -> impl Strategy<Value = WatchTopic<'static>> {
    prop_oneof![key().prop_map(WatchTopic::Key), key().prop_map(WatchTopic::Prefix)]
}
