//! The few classes whose objects PHP reads and writes in a way of their own.
//!
//! No class is ever instantiated: an object is its class's name and its properties.

/// The class of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class<'a> {
    /// As PHP writes it.
    pub(crate) name: &'a [u8],
    pub(crate) kind: ClassKind,
}

/// What reading or writing an object depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClassKind {
    /// Properties are strings; one of them may rename the object, see [`NAME_PROPERTY`].
    Unknown,
    /// Properties are strings.
    Standard,
    /// Built in, and written as a list: its keys are those of an array.
    List,
}

/// In an object of an unknown class PHP keeps the class's name as this property. Whoever sends it
/// renames the object.
pub(crate) const NAME_PROPERTY: &[u8] = b"__PHP_Incomplete_Class_Name";

/// The name that PHP writes where [`NAME_PROPERTY`] is no string.
pub(crate) const NAMELESS: &[u8] = b"__PHP_Incomplete_Class";

/// The classes of PHP 8.2 whose names are known in any case, spelled as PHP does.
const KNOWN: [(&[u8], ClassKind); 15] = [
    (b"stdClass", ClassKind::Standard),
    (NAMELESS, ClassKind::Unknown),
    (b"ArrayIterator", ClassKind::List),
    (b"ArrayObject", ClassKind::List),
    (b"HashContext", ClassKind::List),
    (b"Random\\Engine\\Mt19937", ClassKind::List),
    (b"Random\\Engine\\PcgOneseq128XslRr64", ClassKind::List),
    (b"Random\\Engine\\Xoshiro256StarStar", ClassKind::List),
    (b"Random\\Randomizer", ClassKind::List),
    (b"RecursiveArrayIterator", ClassKind::List),
    (b"SplDoublyLinkedList", ClassKind::List),
    (b"SplFixedArray", ClassKind::List),
    (b"SplObjectStorage", ClassKind::List),
    (b"SplQueue", ClassKind::List),
    (b"SplStack", ClassKind::List),
];

impl<'a> Class<'a> {
    /// The class of this name, or nothing where PHP allows no such name.
    pub(crate) fn named(name: &'a [u8]) -> Option<Self> {
        if name.first().is_none_or(|byte| *byte == b'\\') || !name.iter().all(may_stand_in_name) {
            return None;
        }
        Some(match known(name) {
            Some((name, kind)) => Self { name, kind },
            None => Self { name, kind: ClassKind::Unknown },
        })
    }

    /// Whether its keys are an array's: integers stay, and strings that spell one become one.
    pub(crate) fn has_array_keys(self) -> bool {
        self.kind == ClassKind::List
    }
}

fn known(name: &[u8]) -> Option<(&'static [u8], ClassKind)> {
    KNOWN.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

fn may_stand_in_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\\' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_php_allows() {
        for name in ["Foo", "foo_1", "App\\User", "Foo\\", "1A", "类名", "self"] {
            let class = Class { name: name.as_bytes(), kind: ClassKind::Unknown };
            assert_eq!(Class::named(name.as_bytes()), Some(class), "{name}");
        }
        for name in ["", "\\Foo", "a b", "a-b", "a\"b", "a\0b", "\x7f", "class@anonymous"] {
            assert_eq!(Class::named(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn known_classes_in_any_case() {
        for (name, written, kind) in [
            ("STDCLASS", "stdClass", ClassKind::Standard),
            ("arrayobject", "ArrayObject", ClassKind::List),
            ("random\\randomizer", "Random\\Randomizer", ClassKind::List),
            ("__php_incomplete_class", "__PHP_Incomplete_Class", ClassKind::Unknown),
        ] {
            let class = Class { name: written.as_bytes(), kind };
            assert_eq!(Class::named(name.as_bytes()), Some(class), "{name}");
        }
    }
}
