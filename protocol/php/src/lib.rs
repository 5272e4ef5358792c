//! PHP's serialize format: a scanner without a tree, a tree where one is needed, the canonical
//! writer, and serde.

mod class;
mod de;
mod document;
mod error;
mod key;
mod lexer;
pub mod limits;
mod names;
mod number;
mod quoted;
mod refused;
mod scan;
mod ser;
pub mod text;
mod writer;

pub use de::{DeError, DeErrorKind, from_slice, from_slice_seed};
pub use document::{Document, Node, Scalar, Ties, canonical, renumber};
pub use error::{Error, ErrorKind};
pub use key::{Key, integer_like};
pub use scan::{Entries, Holder, Scan, entries, scan, scan_at_depth};
pub use ser::{SerError, to_buffer, to_vec};
pub use writer::{ArrayWriter, OpenArray};
