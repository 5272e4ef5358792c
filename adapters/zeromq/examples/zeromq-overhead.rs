//! What a request costs over one that is written by hand on a bare connection, in CPU time of this process:
//! `cargo run --release -p workyard-zeromq --example zeromq-overhead`. Needs Python with pyzmq, which replies.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workyard_testbed::{Cost, Port, PythonPeer};
use workyard_zeromq::Requester;

const ROUNDS: usize = 10;
const CALLS: usize = 5_000;
const BYTES: usize = 100;
const REPLIES: &str = "import sys, zmq
socket = zmq.Context().socket(zmq.REP)
socket.bind(sys.argv[1])
print('ready')
while True: socket.send(socket.recv())
";

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let port = Port::free();
    let address = format!("127.0.0.1:{}", port.number());
    let endpoint = format!("tcp://{address}");
    let mut replies = PythonPeer::start(REPLIES, &[&endpoint]).await;
    assert_eq!(replies.line().await, "ready");
    let requester = Requester::open(&endpoint)?;
    requester.ready().await?;
    let mut bare = Bare::connect(&address).await?;
    let by_hand = async || {
        for _ in 0..CALLS {
            bare.request().await?;
        }
        Ok::<_, Failure>(())
    };
    let by_adapter = async || {
        for _ in 0..CALLS {
            let reply = requester.request(vec![b'x'; BYTES]).await?;
            assert_eq!(reply.parts()[0].len(), BYTES);
        }
        Ok(())
    };
    println!("request and reply of {BYTES} bytes, medians of {ROUNDS} rounds of {CALLS}, in turn");
    println!("{}", Cost::measure(ROUNDS, CALLS, by_hand, by_adapter).await?);
    Ok(())
}

/// The least that one would write: no timeout, no reconnection, one request at a time, no look at what comes.
struct Bare(TcpStream);

impl Bare {
    async fn connect(address: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut greeting = [0; 64];
        (greeting[0], greeting[9], greeting[10]) = (0xff, 0x7f, 3);
        greeting[12..16].copy_from_slice(b"NULL");
        stream.write_all(&greeting).await?;
        stream.write_all(b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03REQ").await?;
        stream.read_exact(&mut greeting).await?;
        let mut head = [0; 2];
        stream.read_exact(&mut head).await?;
        stream.read_exact(&mut vec![0; head[1].into()]).await?;
        Ok(Self(stream))
    }

    async fn request(&mut self) -> io::Result<()> {
        let mut request = vec![1, 0, 0, BYTES as u8];
        request.extend_from_slice(&[b'x'; BYTES]);
        self.0.write_all(&request).await?;
        let mut reply = Vec::with_capacity(8 << 10);
        while reply.len() < request.len() {
            self.0.read_buf(&mut reply).await?;
        }
        Ok(())
    }
}
