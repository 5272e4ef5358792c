//! PHP's serialize format: what is written can be read, and is written the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use workyard_php::{Document, Key, Node, Ties, canonical, renumber};

/// Documented on `Document`.
const MEMORY_PER_BYTE_MAX: usize = 16;
const MEMORY_BYTES_MORE: usize = 512 * 1024;

fuzz_target!(|input: &[u8]| {
    if let Ok(document) = Document::parse(input) {
        let allowed = input.len() * MEMORY_PER_BYTE_MAX + MEMORY_BYTES_MORE;
        assert!(document.memory_bytes() <= allowed);
        check_root(&document);
        for (key, node) in document.root().entries() {
            check_entry(document.root(), key, node);
        }
    }
});

fn check_root(document: &Document<'_>) {
    let text = written(document.root(), Ties::Stored);
    assert_eq!(text, written(document.root(), Ties::Living));
    assert_eq!(canonical(document.text()).as_deref(), Ok(text.as_slice()));
    assert_eq!(canonical(&text).as_deref(), Ok(text.as_slice()));
    let mut nested = b"a:1:{i:0;".to_vec();
    renumber(&text, 1, &mut nested);
    nested.push(b'}');
    assert_eq!(canonical(&nested).as_deref(), Ok(nested.as_slice()));
}

fn check_entry(root: Node<'_, '_>, key: Key<'_>, node: Node<'_, '_>) {
    let found = root.entry(key).expect("it is an entry");
    assert_eq!(found.entries().count(), node.len());
    assert!(node.scalar().is_some() || node.is_array() || node.class().is_some());
    for ties in [Ties::Living, Ties::Stored] {
        // Written as a value of its own, it has each reference inside itself.
        let text = written(node, ties);
        assert!(Document::parse(&text).is_ok(), "{:?}", String::from_utf8_lossy(&text));
    }
}

fn written(node: Node<'_, '_>, ties: Ties) -> Vec<u8> {
    let mut out = Vec::new();
    node.write(ties, &mut out);
    out
}
