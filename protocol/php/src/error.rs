//! What is wrong with a text, and at which byte.

use crate::limits::{DEPTH_MAX, TEXT_BYTES_MAX};

/// Why some bytes are no serialized value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {at}: {kind}")]
pub struct Error {
    /// Where: the number of bytes before the first wrong one.
    pub at: usize,
    /// What.
    pub kind: ErrorKind,
}

/// What can be wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// The text ends before the value does.
    #[error("the text ends inside a value")]
    Truncated,
    /// Something else stands where only one thing can stand.
    #[error("expected {0}")]
    Expected(&'static str),
    /// No value begins with this byte. Enums are among these: nobody here knows their cases.
    #[error("no value begins with byte {0:#04x}; one of `N b i d s S a O C R r` does")]
    UnknownType(u8),
    /// Only integers and strings are keys.
    #[error("a key begins with `i`, `s` or `S`, not with byte {0:#04x}")]
    KeyType(u8),
    /// A class has no such name.
    #[error(
        "a class name has letters, digits, `_`, `\\` and bytes from 0x80, and begins with no `\\`"
    )]
    ClassName,
    /// PHP throws where it is asked to read such an object.
    #[error("an object of a class that PHP never reads, or not without its properties")]
    RefusedClass,
    /// PHP would read what is between the braces, which is not done here, and it must not be lost.
    #[error("the old `C:` form of a built-in class; `O:` has been written since PHP 7.4")]
    CustomBuiltIn,
    /// Too many arrays and objects inside each other.
    #[error("more than {DEPTH_MAX} arrays and objects stand inside each other")]
    TooDeep,
    /// `R:` or `r:` with a number that no earlier value has.
    #[error("reference to slot {0}, which is not an earlier value's")]
    NoSuchSlot(usize),
    /// `R:` to the place it stands in.
    #[error("`R:` to the place where it stands itself")]
    OwnSlot,
    /// `r:` is for objects alone.
    #[error("`r:` to slot {0}, which holds no object")]
    NotAnObject(usize),
    /// By `R:` an array stands inside itself, and no object between; or inside the root, an array.
    #[error("an array that contains itself")]
    ContainsItself,
    /// Positions would not fit.
    #[error("a text of more than {TEXT_BYTES_MAX} bytes")]
    TooLong,
}

impl ErrorKind {
    pub(crate) fn at(self, at: usize) -> Error {
        Error { at, kind: self }
    }
}
