//! The wire, byte by byte: `protocol/vectors`, the examples of the document, properties, and a second
//! opinion on the encoding.

mod channel;
mod control;
mod document;
mod files;
mod globaldata;
mod hex;
mod json;
mod properties;
mod random;
mod second_opinion;
mod service;
mod vector;
