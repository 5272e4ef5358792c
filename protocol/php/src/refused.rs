//! Classes whose objects PHP refuses to read: whoever unserializes one gets an exception.
//!
//! The names are those of PHP 8.2 and its usual extensions, in lower case and in their order.

/// Nobody's text of these is read: they hold what cannot be written, or are abstract or interfaces.
const NEVER: [&[u8]; 92] = [
    b"addressinfo",
    b"arrayaccess",
    b"backedenum",
    b"closure",
    b"countable",
    b"curlhandle",
    b"curlmultihandle",
    b"curlsharehandle",
    b"datetimeinterface",
    b"deflatecontext",
    b"directoryiterator",
    b"ffi",
    b"ffi\\cdata",
    b"ffi\\ctype",
    b"fiber",
    b"filesystemiterator",
    b"filteriterator",
    b"finfo",
    b"ftp\\connection",
    b"gdfont",
    b"gdimage",
    b"generator",
    b"globiterator",
    b"inflatecontext",
    b"internaliterator",
    b"iterator",
    b"iteratoraggregate",
    b"jsonserializable",
    b"opensslasymmetrickey",
    b"opensslcertificate",
    b"opensslcertificatesigningrequest",
    b"outeriterator",
    b"pdo",
    b"pdorow",
    b"pdostatement",
    b"phar",
    b"phardata",
    b"pharfileinfo",
    b"random\\cryptosafeengine",
    b"random\\engine",
    b"random\\engine\\secure",
    b"recursivedirectoryiterator",
    b"recursivefilteriterator",
    b"recursiveiterator",
    b"reflectionattribute",
    b"reflectionclass",
    b"reflectionclassconstant",
    b"reflectionenum",
    b"reflectionenumbackedcase",
    b"reflectionenumunitcase",
    b"reflectionextension",
    b"reflectionfiber",
    b"reflectionfunction",
    b"reflectionfunctionabstract",
    b"reflectiongenerator",
    b"reflectionintersectiontype",
    b"reflectionmethod",
    b"reflectionnamedtype",
    b"reflectionobject",
    b"reflectionparameter",
    b"reflectionproperty",
    b"reflectionreference",
    b"reflectiontype",
    b"reflectionuniontype",
    b"reflectionzendextension",
    b"reflector",
    b"seekableiterator",
    b"sensitiveparametervalue",
    b"serializable",
    b"sessionhandlerinterface",
    b"sessionidinterface",
    b"sessionupdatetimestamphandlerinterface",
    b"shmop",
    b"simplexmlelement",
    b"simplexmliterator",
    b"socket",
    b"splfileinfo",
    b"splfileobject",
    b"splheap",
    b"splobserver",
    b"splsubject",
    b"spltempfileobject",
    b"stringable",
    b"sysvmessagequeue",
    b"sysvsemaphore",
    b"sysvsharedmemory",
    b"throwable",
    b"traversable",
    b"unitenum",
    b"weakmap",
    b"weakreference",
    b"xmlparser",
];

/// These are read, but not without any property.
const NOT_EMPTY: [&[u8]; 16] = [
    b"arrayiterator",
    b"arrayobject",
    b"dateperiod",
    b"datetime",
    b"datetimeimmutable",
    b"datetimezone",
    b"hashcontext",
    b"random\\engine\\mt19937",
    b"random\\engine\\pcgoneseq128xslrr64",
    b"random\\engine\\xoshiro256starstar",
    b"random\\randomizer",
    b"recursivearrayiterator",
    b"spldoublylinkedlist",
    b"splobjectstorage",
    b"splqueue",
    b"splstack",
];

/// The longest name above.
const NAME_BYTES_MAX: usize = 48;

/// Whether PHP throws at an object of this class with so many properties.
pub(crate) fn is_refused(class: &[u8], properties: usize) -> bool {
    let mut lower = [0; NAME_BYTES_MAX];
    let Some(lower) = lower.get_mut(..class.len()) else { return false };
    lower.copy_from_slice(class);
    lower.make_ascii_lowercase();
    let is_in = |names: &[&[u8]]| names.binary_search(&&*lower).is_ok();
    is_in(&NEVER) || (properties == 0 && is_in(&NOT_EMPTY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_in_order_and_fit() {
        for names in [&NEVER[..], &NOT_EMPTY[..]] {
            assert!(names.is_sorted());
            assert!(names.iter().all(|name| name.len() <= NAME_BYTES_MAX));
            assert!(names.iter().all(|name| name.to_ascii_lowercase() == *name));
        }
    }

    #[test]
    fn names_are_known_in_any_case_and_only_whole() {
        for (class, properties, refused) in [
            ("Closure", 0, true),
            ("CLOSURE", 3, true),
            ("Random\\Engine\\Secure", 1, true),
            ("Closures", 0, false),
            ("App\\Closure", 0, false),
            ("DateTime", 0, true),
            ("DateTime", 3, false),
            ("SplFixedArray", 0, false),
            ("Foo", 0, false),
            ("stdClass", 0, false),
        ] {
            assert_eq!(is_refused(class.as_bytes(), properties), refused, "{class} {properties}");
        }
        assert!(!is_refused(&[b'a'; 1000], 0));
    }
}
