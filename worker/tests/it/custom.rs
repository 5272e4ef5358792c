//! The protocols of the example, spoken.

#[path = "../../examples/custom-protocols/json.rs"]
mod json;
#[path = "../../examples/custom-protocols/transfer.rs"]
mod transfer;
#[path = "../../examples/custom-protocols/xml.rs"]
mod xml;

use crate::peer::Peer;
use workyard_worker::{Address, Worker, embedded::serve_while};

/// What each of these does to its own connection, and to no other.
async fn refuses(address: &Address, packages: &[&[u8]]) {
    for package in packages {
        let mut peer = Peer::connect(address).await;
        peer.send(package).await;
        peer.ends().await;
    }
}

#[test]
fn xml_behind_ten_digits() {
    let echo = Worker::<xml::Xml>::bind("xml://127.0.0.1:0")
        .on_message(async |connection, xml| connection.send(xml));
    let served = serve_while(echo, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("0000000017<a/>ok\x2000000000").await;
        peer.sees("0000000017<a/>ok ").await;
        peer.send("10").await;
        peer.sees("0000000010").await;
        refuses(&address, &[b"0000000009", b"00000000x1", b"0000000012\xff\xff", b"9999999999"])
            .await;
    });
    served.unwrap();
}

#[test]
fn json_behind_four_bytes() {
    let echo = Worker::<json::JsonInt>::bind("jsonint://127.0.0.1:0")
        .on_message(async |connection, json| connection.send(json));
    let served = serve_while(echo, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send(b"\0\0\0\x0b{\"a\":1}\0\0\0\x05").await;
        peer.sees(b"\0\0\0\x0b{\"a\":1}").await;
        peer.send(b"7").await;
        peer.sees(b"\0\0\0\x057").await;
        refuses(&address, &[b"\0\0\0\x04", b"\0\0\0\x06{]"]).await;
    });
    served.unwrap();
}

#[test]
fn files_as_bytes() {
    let worker = Worker::<transfer::BinaryTransfer>::bind("binarytransfer://127.0.0.1:0")
        .on_message(async |connection, file| {
            connection.send(format!("{}: {}", file.name, file.content.len()))
        });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let mut package = b"\0\x01\x86\xaa\x05a.txt".to_vec();
        package.resize(100_010, 7);
        peer.send(&package).await;
        peer.sees("a.txt: 100000").await;
        let above = b"\0\0\0\x0b\x06../a.b";
        refuses(&address, &[above, b"\0\0\0\x08\x04abc", b"\0\0\0\x05\0", b"\0\0\0\x07\x02.."])
            .await;
    });
    served.unwrap();
}

#[test]
fn files_as_lines() {
    let worker = Worker::<transfer::TextTransfer>::bind("texttransfer://127.0.0.1:0").on_message(
        async |connection, file| connection.send(format!("{}: {:?}", file.name, &file.content[..])),
    );
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("{\"file_name\":\"a.bin\",\"file_data\":\"AP8=\"}\n").await;
        peer.sees("a.bin: [0, 255]").await;
        refuses(
            &address,
            &[
                b"{}\n",
                b"{\"file_name\":\"a\",\"file_data\":\"?\"}\n",
                b"{\"file_name\":\"/etc/a\",\"file_data\":\"\"}\n",
            ],
        )
        .await;
    });
    served.unwrap();
}
