//! Payloads as Rust values: what can be read can be written in any encoding, and is the same again.
#![no_main]

use std::collections::BTreeMap;
use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};
use workyard_protocol::{Encoding, ValueRef, ValueTag, from_value, to_value};

type Structured = (u8, String, Vec<u16>, Option<bool>, BTreeMap<String, i32>, Result<char, ()>);

// The first byte is the tag of the value, the rest its bytes.
fuzz_target!(|input: &[u8]| {
    if let Some(value) = value(input) {
        check::<i64>(value);
        check::<u64>(value);
        check::<bool>(value);
        check::<String>(value);
        check::<Option<String>>(value);
        check::<Vec<u8>>(value);
        check::<Structured>(value);
        check::<Vec<Structured>>(value);
        check::<BTreeMap<String, i32>>(value);
    }
});

fn value(input: &[u8]) -> Option<ValueRef<'_>> {
    let (tag, bytes) = input.split_first()?;
    let number = bytes.first_chunk::<8>().copied();
    Some(match ValueTag::from_code(*tag)? {
        ValueTag::Int => ValueRef::Int(i64::from_be_bytes(number?)),
        ValueTag::Float => ValueRef::Float(f64::from_be_bytes(number?)),
        ValueTag::Encoded(encoding) => ValueRef::Encoded { encoding, bytes },
    })
}

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: ValueRef<'_>) {
    if let Ok(first) = from_value::<T>(value) {
        for encoding in [Encoding::Bincode, Encoding::Json, Encoding::Php] {
            let written = match to_value(&first, encoding) {
                Err(error) if encoding == Encoding::Php => {
                    assert!(error.to_string().contains("64-bit integers"), "{error}");
                    continue;
                }
                written => written.expect("these types fit into both"),
            };
            let again = from_value::<T>(written.as_ref());
            assert_eq!(again.as_ref(), Ok(&first), "by way of {encoding}");
        }
    }
}
