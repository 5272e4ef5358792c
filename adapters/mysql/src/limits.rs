//! Every bound of this crate that no option moves.

/// How much of a statement an error shows.
pub(crate) const SQL_SHOWN_BYTES_MAX: usize = 300;

/// What a row costs in memory beyond the bytes of its values.
pub(crate) const ROW_BYTES: usize = 64;

/// What a value costs beyond its bytes.
pub(crate) const VALUE_BYTES: usize = 32;

/// Most rows of a page, columns of a statement and values that are bound in it: what the protocol can count.
pub(crate) const VALUES_MAX: usize = 65_535;
