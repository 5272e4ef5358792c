//! PHP's serialize format: the scan accepts what the tree accepts, and knows what is canonical.
#![no_main]

use libfuzzer_sys::fuzz_target;
use workyard_php::{Document, Ties, entries, scan};

fuzz_target!(|input: &[u8]| {
    let seen = entries(input, |_, scan| check_plain(scan.plain, scan.text));
    let document = Document::parse(input);
    match scan(input) {
        Ok(scan) => {
            assert_eq!(scan.text, seen.expect("the scan took it").text);
            assert_eq!(scan.text, document.expect("the scan took it").text());
            assert!(!(scan.plain && scan.references));
            check_plain(scan.plain, scan.text);
        }
        Err(_) => assert!(seen.is_err() && document.is_err()),
    }
});

/// What is said to be canonical is what is written.
fn check_plain(plain: bool, text: &[u8]) {
    if plain {
        let mut out = Vec::new();
        let document = Document::parse(text).expect("it has no references");
        document.root().write(Ties::Stored, &mut out);
        assert_eq!(out, text);
    }
}
