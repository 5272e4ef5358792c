//! What a send with a receipt costs over one that is written by hand on a bare connection with the same frames, in CPU
//! time of this process: `cargo run --release -p workyard-stomp --example stomp-overhead`. Needs RabbitMQ.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, future::try_join_all};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::codec::FramedRead;
use workyard_stomp::codec::{Codec, Command, Frame, FrameLimits};
use workyard_stomp::{Headers, Stomp, Version};
use workyard_testbed::{Cost, RabbitMq};

const ROUNDS: usize = 12;
const SENDS: usize = 10_000;
const BODY: &[u8] = &[b'x'; 100];

type Error = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let rabbit = RabbitMq::start().await;
    let vhost = rabbit.vhost().await;
    let address = rabbit.stomp_address();
    let stomp = Stomp::open(&format!("stomp://worker:secret@{address}/{vhost}"))?;
    stomp.ready().await?;
    let mut bare = Bare::connect(TcpStream::connect(address).await?, &vhost).await?;
    for at_once in [1, 64] {
        let by_hand = async || {
            for _ in 0..SENDS / at_once {
                bare.send(at_once).await?;
            }
            Ok::<_, Error>(())
        };
        let by_adapter = async || {
            for _ in 0..SENDS / at_once {
                let send = || stomp.send("/topic/nobody", BODY, Headers::new());
                if at_once == 1 {
                    send().await?;
                } else {
                    try_join_all((0..at_once).map(|_| send())).await?;
                }
            }
            Ok(())
        };
        println!(
            "{at_once:3} at once: {}",
            Cost::measure(ROUNDS, SENDS, by_hand, by_adapter).await?
        );
    }
    Ok(())
}

/// The least that one would write: no timeout, no heart-beat, no look at what comes but its count.
struct Bare {
    reader: FramedRead<OwnedReadHalf, Codec>,
    writer: OwnedWriteHalf,
    number: u64,
}

impl Bare {
    async fn connect(stream: TcpStream, vhost: &str) -> Result<Self, Error> {
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        let reader = FramedRead::new(reader, Codec::new(FrameLimits::default()));
        let mut bare = Self { reader, writer, number: 0 };
        let connect = Frame::new(Command::Connect)
            .with("accept-version", "1.2")
            .with("host", vhost)
            .with("login", "worker")
            .with("passcode", "secret");
        let mut bytes = BytesMut::new();
        bare.reader.decoder().encode_with_receipt(&connect, None, &mut bytes)?;
        bare.writer.write_all(&bytes).await?;
        bare.reader.next().await.ok_or("no answer")??;
        bare.reader.decoder_mut().set_version(Version::V1_2);
        Ok(bare)
    }

    async fn send(&mut self, count: usize) -> Result<(), Error> {
        let mut bytes = BytesMut::new();
        for _ in 0..count {
            self.number += 1;
            let frame = Frame::new(Command::Send).with("destination", "/topic/nobody");
            let frame = Frame { body: Bytes::from_static(BODY), ..frame };
            self.reader.decoder().encode_with_receipt(&frame, Some(self.number), &mut bytes)?;
        }
        self.writer.write_all(&bytes).await?;
        for _ in 0..count {
            let receipt = self.reader.next().await.ok_or("no receipt")??;
            assert_eq!(receipt.command, Command::Receipt);
        }
        Ok(())
    }
}
