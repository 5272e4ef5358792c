//! Saves of editors and tools on a real file system: one set for each change, none for none.

mod editors;
mod git;
mod limits;
mod links;
mod roots;
mod support;
mod tools;
mod trees;
