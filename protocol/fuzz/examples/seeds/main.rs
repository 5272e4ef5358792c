//! Writes the examples that fuzzing starts from, one file each: `cargo xtask corpus`.

mod channel;
mod connection;
mod globaldata;
mod php;
mod plain;

use std::path::Path;

use workyard_protocol::{ChannelName, GroupName, Key, Message, QueueName, ToClient, ToServer};
use workyard_protocol_fuzz::body_of;

/// A file of the corpus: its name, and the input that it holds.
type Seed = (&'static str, Vec<u8>);

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, seeds) in [
        ("channel_request", channel::requests()),
        (
            "channel_reply",
            [channel::replies(), channel::pushes(), connection::from_server()].concat(),
        ),
        ("globaldata_request", globaldata::requests()),
        (
            "globaldata_reply",
            [globaldata::replies(), globaldata::pushes(), connection::from_server()].concat(),
        ),
        ("frame", plain::streams()),
        ("hello", connection::hellos()),
        ("pattern", plain::patterns()),
        ("typed", plain::values()),
        ("php_scan", php::texts()),
        ("php_document", php::texts()),
        ("workerman", php::requests()),
    ] {
        let folder = corpus.join(target);
        std::fs::create_dir_all(&folder)?;
        for (name, input) in seeds {
            std::fs::write(folder.join(name), input)?;
        }
    }
    Ok(())
}

fn request<'a>(name: &'static str, request: impl Message<'a>) -> Seed {
    from_client(name, &ToServer::Request(7, request))
}

fn from_client<'a>(name: &'static str, frame: &ToServer<'a, impl Message<'a>>) -> Seed {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    (name, body_of(&bytes).to_vec())
}

fn from_server<'a>(
    name: &'static str,
    frame: &ToClient<'a, impl Message<'a>, impl Message<'a>>,
) -> Seed {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    (name, body_of(&bytes).to_vec())
}

fn channel_name(name: &str) -> ChannelName<'_> {
    ChannelName::new(name).expect("short")
}

fn group(name: &str) -> GroupName<'_> {
    GroupName::new(name).expect("short")
}

fn queue(name: &str) -> QueueName<'_> {
    QueueName::new(name).expect("short")
}

fn key(name: &str) -> Key<'_> {
    Key::new(name).expect("short")
}
