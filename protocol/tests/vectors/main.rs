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
mod queues;
mod random;
mod random_queues;
mod random_watches;
mod second_opinion;
mod service;
mod vector;
