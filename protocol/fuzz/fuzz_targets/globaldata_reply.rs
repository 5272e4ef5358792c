//! Frames from globaldata-server to its clients: replies, and those of the connection itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use workyard_protocol::ToClient;
use workyard_protocol::globaldata::{Push, Reply};
use workyard_protocol_fuzz::round_trip;

fuzz_target!(|body: &[u8]| round_trip!(ToClient<'_, Reply<'_>, Push>, body));
