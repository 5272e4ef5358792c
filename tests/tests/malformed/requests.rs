//! Requests whose shape is right and whose content is not, and lists that are not what they say.

use crate::frames::check_ends;
use workyard_protocol::Reason;
use workyard_tests::raw::{ID, bytes, request, uint};
use workyard_tests::{Canary, ChannelWire, Daemon, GlobalDataWire, Setup, note};

const LONG: [u8; 4097] = [b'n'; 4097];
const RAW: [u8; 1] = [0];
const NONE: [u8; 1] = [0];
/// Expiries: none, and the one there is.
const NEVER: [u8; 1] = [0];
const KEEP: [u8; 1] = [1];
const ONE: [u8; 1] = [1];

/// After each case its connection and everything else is as it was.
fn check_refused<W: Canary>(daemon: &Daemon<W>, cases: &[(&str, Vec<u8>, Reason)]) {
    let mut keeper = W::keep(daemon);
    let mut peer = daemon.peer();
    for (what, body, reason) in cases {
        note(&format!("{what}: {reason}"));
        peer.send_frame(body);
        let refusal = peer.expect_refused(ID, *reason);
        assert!(!refusal.text.is_empty());
        peer.expect_silence();
        W::check(&mut keeper);
    }
}

#[test]
fn channel_names_and_patterns_are_bounded() {
    use Reason::{InvalidName, InvalidPattern};
    let daemon = Setup::<ChannelWire>::new().start();
    let long = bytes(&LONG);
    let deep = bytes(vec!["a"; 33].join(".").as_bytes());
    let interest =
        |kind: u8, name: &[u8], group: &[u8]| request(0x10, &[&ONE, &[kind], name, group, &[0, 0]]);
    let short = bytes(b"name");
    let long_group = [&[1], &long[..]].concat();
    let both = [&uint(2), &short[..], &long].concat();
    check_refused(
        &daemon,
        &[
            ("subscribe", interest(0, &long, &NONE), InvalidName),
            ("subscribe to a pattern", interest(1, &long, &NONE), InvalidPattern),
            ("subscribe in a group", interest(0, &short, &long_group), InvalidName),
            ("a deep pattern", interest(1, &deep, &NONE), InvalidPattern),
            ("> before the end", interest(1, &bytes(b"a.>.b"), &NONE), InvalidPattern),
            ("* in a token", interest(1, &bytes(b"news*"), &NONE), InvalidPattern),
            ("unsubscribe", request(0x11, &[&ONE, &[0], &long, &NONE]), InvalidName),
            ("publish", request(0x12, &[&long, &RAW]), InvalidName),
            ("publish to many", request(0x13, &[&both, &RAW]), InvalidName),
            ("publish to one", request(0x14, &[&long, &RAW]), InvalidName),
            ("enqueue", request(0x18, &[&long, &[0, 0, 0], &RAW]), InvalidName),
            ("remove", request(0x1f, &[&long, &ONE]), InvalidName),
            ("configure", request(0x20, &[&long, &[0; 6]]), InvalidName),
            ("settings", request(0x21, &[&long]), InvalidName),
            ("dead", request(0x22, &[&long, &[0, 1]]), InvalidName),
            ("redrive", request(0x23, &[&long, &[0, 1]]), InvalidName),
            ("consume", request(0x19, &[&long, &ONE]), InvalidName),
            ("cancel", request(0x1b, &[&long]), InvalidName),
            ("keep history", request(0x24, &[&deep, &ONE, &ONE, &ONE]), InvalidPattern),
            ("drop history", request(0x25, &[&deep]), InvalidPattern),
        ],
    );
}

#[test]
fn arguments_of_channel_requests_are_checked() {
    use Reason::{InvalidArgument, NotConsuming, UnknownJob};
    let daemon = Setup::<ChannelWire>::new().start();
    let name = bytes(b"name");
    let one_name = [&ONE[..], &name].concat();
    let lease = uint(u64::MAX);
    let ages = uint(315_360_000_001);
    check_refused(
        &daemon,
        &[
            ("a topic kind", request(0x10, &[&ONE, &[2], &name, &NONE, &[0, 0]]), InvalidArgument),
            ("publish", request(0x12, &[&name, &[10]]), InvalidArgument),
            ("publish to many", request(0x13, &[&one_name, &[250]]), InvalidArgument),
            ("publish to one", request(0x14, &[&name, &[255]]), InvalidArgument),
            ("enqueue", request(0x18, &[&name, &[0, 0, 0, 10]]), InvalidArgument),
            ("a late job", request(0x18, &[&name, &ages, &[0, 0, 0]]), InvalidArgument),
            (
                "a long id",
                request(0x18, &[&name, &[0, 0, 1], &bytes(&[0; 257]), &NONE]),
                InvalidArgument,
            ),
            ("prefetch 0", request(0x19, &[&name, &[0]]), InvalidArgument),
            ("prefetch 65536", request(0x19, &[&name, &uint(65_536)]), InvalidArgument),
            ("a page of 0", request(0x1c, &[&name, &[0], &[0]]), InvalidArgument),
            ("a page of 1001", request(0x1c, &[&name, &[0], &uint(1001)]), InvalidArgument),
            ("a lease that is nobody's", request(0x1a, &[&lease]), UnknownJob),
            ("a lease of nobody", request(0x1a, &[&ONE]), UnknownJob),
            ("a nack of nobody's", request(0x1d, &[&lease, &[0, 0]]), UnknownJob),
            ("a late nack", request(0x1d, &[&lease, &ONE, &ages, &NONE]), InvalidArgument),
            (
                "a long reason",
                request(0x1d, &[&lease, &NONE, &ONE, &bytes(&[b'r'; 1025])]),
                InvalidArgument,
            ),
            ("no jobs", request(0x20, &[&name, &[0, 0, 0, 0, 1, 0, 0]]), InvalidArgument),
            ("no bytes", request(0x20, &[&name, &[0, 0, 0, 0, 0, 1, 0]]), InvalidArgument),
            ("a backoff", request(0x20, &[&name, &[0, 0, 1, 2, 2, 1, 0, 0, 0]]), InvalidArgument),
            ("dead on a page of 0", request(0x22, &[&name, &[0], &[0]]), InvalidArgument),
            ("redrive of 0", request(0x23, &[&name, &[0], &[0]]), InvalidArgument),
            ("redrive of 10001", request(0x23, &[&name, &[0], &uint(10_001)]), InvalidArgument),
            ("a queue without interest", request(0x1b, &[&name]), NotConsuming),
        ],
    );
}

#[test]
fn arguments_of_globaldata_requests_are_checked() {
    use Reason::{InvalidArgument, InvalidName, NotFound};
    let daemon = Setup::<GlobalDataWire>::new().start();
    let (long, name) = (bytes(&LONG), bytes(b"name"));
    let both = [&uint(2), &name[..], &long].concat();
    let set_step = |key: &[u8], tag: u8| request(0x36, &[&ONE, &[1], key, &NEVER, &[tag], &NONE]);
    let int_by = [0, 2];
    let expect_value = [3, 10, 0];
    let no_time = [2, 0];
    check_refused(
        &daemon,
        &[
            ("get", request(0x30, &[&long]), InvalidName),
            ("get many", request(0x31, &[&both]), InvalidName),
            ("write", request(0x32, &[&long, &NONE, &NEVER, &RAW]), InvalidName),
            ("increment", request(0x33, &[&long, &int_by, &NONE, &KEEP]), InvalidName),
            ("delete", request(0x34, &[&long, &NONE]), InvalidName),
            ("exists", request(0x35, &[&long]), InvalidName),
            ("a step", set_step(&long, 0), InvalidName),
            ("a tag", request(0x32, &[&name, &NONE, &NEVER, &[10]]), InvalidArgument),
            (
                "a tag to expect",
                request(0x32, &[&name, &expect_value, &NEVER, &RAW]),
                InvalidArgument,
            ),
            ("no time", request(0x32, &[&name, &NONE, &no_time, &RAW]), InvalidArgument),
            (
                "no time to count",
                request(0x33, &[&name, &int_by, &NONE, &no_time]),
                InvalidArgument,
            ),
            ("no time from now on", request(0x38, &[&name, &[1, 0]]), InvalidArgument),
            ("a name to touch", request(0x38, &[&long, &NONE]), InvalidName),
            ("a name to modify", request(0x3D, &[&long, &KEEP, &[6]]), InvalidName),
            ("no time to modify", request(0x3D, &[&name, &no_time, &[6]]), InvalidArgument),
            ("a tag to swap for", request(0x3D, &[&name, &KEEP, &[5, 99, 0]]), InvalidArgument),
            ("a name to lock", request(0x42, &[&long, &[1], &[1], &[0]]), InvalidName),
            ("no permit", request(0x42, &[&name, &[0], &[1], &[0]]), InvalidArgument),
            ("a lock for no time", request(0x42, &[&name, &[1], &[0], &[0]]), InvalidArgument),
            ("a name to unlock", request(0x43, &[&long, &[7]]), InvalidName),
            ("a name to renew", request(0x44, &[&[1], &long, &[7], &[1]]), InvalidName),
            ("renewed for no time", request(0x44, &[&[1], &name, &[7], &[0]]), InvalidArgument),
            ("a page of no locks", request(0x45, &[&name, &[0], &[0]]), InvalidArgument),
            ("a name to look at", request(0x3E, &[&long, &NONE]), InvalidName),
            ("no items", request(0x3E, &[&name, &[1, 0, 0]]), InvalidArgument),
            (
                "a list in a list",
                request(0x3D, &[&name, &KEEP, &[7, 1, 1, 7, 0, 0]]),
                InvalidArgument,
            ),
            ("a tag in a step", set_step(&name, 10), InvalidArgument),
            ("a page of 0", request(0x37, &[&name, &[0], &[0]]), InvalidArgument),
            ("a page of 1001", request(0x37, &[&name, &[0], &uint(1001)]), InvalidArgument),
            ("nothing to add to", request(0x33, &[&name, &int_by, &NONE, &KEEP]), NotFound),
        ],
    );
}

#[test]
fn counts_and_lengths_are_not_believed() {
    let daemon = Setup::<ChannelWire>::new().start();
    let many = |count: u64| request(0x13, &[&uint(count)]);
    let names = bytes(&[b'n'; 4096]).repeat(300);
    let wide = request(0x13, &[&uint(300), &names, &RAW]);
    let huge = request(0x12, &[&bytes(&vec![b'n'; 2 << 20]), &RAW]);
    check_ends(
        &daemon,
        &[
            ("a list of 16 385", many(16_385), Reason::Malformed),
            ("a list of 2^32", many(1 << 32), Reason::Malformed),
            ("a list of 2^64-1", many(u64::MAX), Reason::Malformed),
            ("a list of 16 384 that is empty", many(16_384), Reason::Malformed),
            ("a name of 2^32", request(0x12, &[&uint(1 << 32), b"n"]), Reason::Malformed),
            ("a name of 2^64-1", request(0x12, &[&uint(u64::MAX), b"n"]), Reason::Malformed),
            ("a name of 2 MiB", huge, Reason::Malformed),
            ("names of more than 1 MiB", wide, Reason::Malformed),
            ("an integer of 16 bytes", request(0x1a, &[&[254], &[0; 16]]), Reason::Malformed),
            ("an integer marked 255", request(0x1a, &[&[255], &[0; 16]]), Reason::Malformed),
            (
                "a number of 7 bytes",
                request(0x12, &[&bytes(b"n"), &[1], &[0; 7]]),
                Reason::Malformed,
            ),
            (
                "a number of 9 bytes",
                request(0x12, &[&bytes(b"n"), &[2], &[0; 9]]),
                Reason::Malformed,
            ),
            (
                "neither with nor without a group",
                request(0x10, &[&ONE, &[0], &bytes(b"n"), &[2], &[0, 0]]),
                Reason::Malformed,
            ),
        ],
    );
}

#[test]
fn variants_that_are_none_end_the_connection() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let name = bytes(b"name");
    let value_beyond = [3, 0, 5];
    check_ends(
        &daemon,
        &[
            ("what to expect", request(0x32, &[&name, &[4], &NEVER, &RAW]), Reason::Malformed),
            ("what to add", request(0x33, &[&name, &[2, 0], &NONE, &KEEP]), Reason::Malformed),
            ("an expiry", request(0x32, &[&name, &NONE, &[4], &RAW]), Reason::Malformed),
            ("a step", request(0x36, &[&ONE, &[4], &name]), Reason::Malformed),
            (
                "a value beyond the end",
                request(0x32, &[&name, &value_beyond, &NEVER, &RAW]),
                Reason::Malformed,
            ),
            ("a list of 2^64-1", request(0x31, &[&uint(u64::MAX)]), Reason::Malformed),
            ("steps of 2^64-1", request(0x36, &[&uint(u64::MAX)]), Reason::Malformed),
        ],
    );
}

#[test]
fn names_and_lists_of_exactly_the_limit_are_taken() {
    let daemon = Setup::<GlobalDataWire>::new().start();
    let mut peer = daemon.peer();
    peer.send_frame(&request(0x30, &[&bytes(&LONG[1..])]));
    peer.send_frame(&request(0x31, &[&uint(16_384), &bytes(b"k").repeat(16_384)]));
    for _ in 0..2 {
        let frame = peer.receive();
        assert!(matches!(frame.0[0], 0xb0 | 0xb1), "{:02x?}", &frame.0[..10]);
    }
}
