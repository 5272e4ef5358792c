//! Frames from clients of globaldata-server.
#![no_main]

use libfuzzer_sys::fuzz_target;
use workyard_protocol::ToServer;
use workyard_protocol::globaldata::Request;
use workyard_protocol_fuzz::round_trip;

fuzz_target!(|body: &[u8]| round_trip!(ToServer<'_, Request<'_>>, body));
