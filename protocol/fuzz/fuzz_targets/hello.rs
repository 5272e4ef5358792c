//! The first frame of a connection, which strangers send too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use workyard_protocol::ToServer;
use workyard_protocol::channel::Request;
use workyard_protocol::control::{MAGIC, VERSION};
use workyard_protocol_fuzz::round_trip;

/// The operation code of a hello.
const HELLO: u8 = 0x01;

// The input is what follows operation code and magic, and once more what follows the code alone.
fuzz_target!(|input: &[u8]| {
    check(&[[HELLO].as_slice(), MAGIC.as_slice(), input].concat());
    check(&[[HELLO].as_slice(), input].concat());
});

fn check(body: &[u8]) {
    round_trip!(ToServer<'_, Request<'_>>, body);
    if let Ok(ToServer::<Request<'_>>::Hello(hello)) = ToServer::decode(body) {
        let common = hello.version_min <= VERSION && VERSION <= hello.version_max;
        assert_eq!(hello.negotiate().is_ok(), common);
    }
}
