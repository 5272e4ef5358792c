//! How a connection comes about: TCP, TLS, `CONNECT`, and what both sides agree on.

use crate::codec::{Codec, Command, Frame, Version};
use crate::error;
use crate::options::Settled;
use crate::{Error, ErrorKind, Result};
use bytes::BytesMut;
use futures_util::StreamExt;
use rustls::pki_types::ServerName;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_util::codec::{Encoder, FramedRead};

pub(crate) type Reading = FramedRead<Box<dyn AsyncRead + Send + Unpin>, Codec>;
pub(crate) type Writing = Box<dyn AsyncWrite + Send + Unpin>;

/// A connection whose server has said yes.
pub(crate) struct Connection {
    pub(crate) reader: Reading,
    pub(crate) writer: Writing,
    pub(crate) agreed: Agreed,
}

/// What both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Agreed {
    /// The version that is spoken.
    pub version: Version,
    /// What the server calls itself: `RabbitMQ/3.10.8`.
    pub server: Option<String>,
    /// How often this side gives a sign of life at least, if at all.
    pub heart_beat_out: Option<Duration>,
    /// How often the server does, if at all.
    pub heart_beat_in: Option<Duration>,
}

/// Connects within the time that is given to it by the caller.
pub(crate) async fn connect(settled: &Settled, tls: Option<&TlsConnector>) -> Result<Connection> {
    let stream = reach(settled).await.map_err(error::of_connecting)?;
    let (reader, mut writer): (Box<dyn AsyncRead + Send + Unpin>, Writing) = match tls {
        None => {
            let (reader, writer) = stream.into_split();
            (Box::new(reader), Box::new(writer))
        }
        Some(tls) => {
            let name = server_name(&settled.host)?;
            let stream = tls.connect(name, stream).await.map_err(error::of_connecting)?;
            let (reader, writer) = tokio::io::split(stream);
            (Box::new(reader), Box::new(writer))
        }
    };
    let mut reader = FramedRead::new(reader, Codec::new(settled.frame_limits()));
    introduce(settled, &mut reader, &mut writer).await?;
    let answer = match reader.next().await {
        None => {
            let message = "the server ended the connection instead of answering CONNECT";
            return Err(Error::new(ErrorKind::Disconnected, message).not_carried_out());
        }
        Some(answer) => answer.map_err(|error| error::of_codec(error).not_carried_out())?,
    };
    let agreed = agree(settled, &answer)?;
    reader.decoder_mut().set_version(agreed.version);
    Ok(Connection { reader, writer, agreed })
}

async fn reach(settled: &Settled) -> io::Result<TcpStream> {
    let place = (settled.host.as_str(), settled.port);
    let stream = match settled.options.local_address {
        None => TcpStream::connect(place).await?,
        Some(local) => reach_from(local, place).await?,
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn reach_from(local: IpAddr, place: (&str, u16)) -> io::Result<TcpStream> {
    let mut why = io::Error::new(io::ErrorKind::AddrNotAvailable, "no address of that family");
    for address in lookup_host(place).await?.filter(|address| address.is_ipv4() == local.is_ipv4())
    {
        let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind(SocketAddr::new(local, 0))?;
        match socket.connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error,
        }
    }
    Err(why)
}

fn server_name(host: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).map_err(|error| {
        Error::new(ErrorKind::InvalidOptions, "the host has no name that a certificate could have")
            .with_source(error)
    })
}

async fn introduce(settled: &Settled, reader: &mut Reading, writer: &mut Writing) -> Result<()> {
    let mut bytes = BytesMut::new();
    let encoded = reader.decoder_mut().encode(&greeting(settled), &mut bytes);
    encoded.map_err(error::of_codec)?;
    let written = async {
        writer.write_all(&bytes).await?;
        writer.flush().await
    };
    written.await.map_err(error::of_connecting)
}

fn greeting(settled: &Settled) -> Frame {
    let options = &settled.options;
    let beats =
        format!("{},{}", options.heart_beat_out.as_millis(), options.heart_beat_in.as_millis());
    let frame = Frame::new(Command::Connect)
        .with("accept-version", options.version_max.accepted())
        .with("host", &options.vhost)
        .with("heart-beat", &beats);
    if options.login.is_empty() {
        return frame;
    }
    frame.with("login", &options.login).with("passcode", &options.passcode)
}

fn agree(settled: &Settled, answer: &Frame) -> Result<Agreed> {
    match answer.command {
        Command::Connected => {}
        Command::Error => return Err(error::of_login(answer)),
        other => return Err(protocol(format!("the server answers CONNECT with {other}"))),
    }
    let version = match answer.header("version") {
        // Servers that know nothing but 1.0 do not say so.
        None => Version::V1_0,
        Some(text) => {
            text.parse()
                .ok()
                .filter(|version| *version <= settled.options.version_max)
                .ok_or_else(|| protocol(format!("the server wants to speak version {text:?}")))?
        }
    };
    let (gives, wants) = beats(answer.header("heart-beat").unwrap_or("0,0"))?;
    Ok(Agreed {
        version,
        server: answer.header("server").map(str::to_owned),
        heart_beat_out: both(settled.options.heart_beat_out, wants),
        heart_beat_in: both(settled.options.heart_beat_in, gives),
    })
}

/// What the server can give, and what it wants.
fn beats(text: &str) -> Result<(Duration, Duration)> {
    let parse = |text: &str| text.trim().parse().ok().map(Duration::from_millis);
    let pair = text.split_once(',').and_then(|(gives, wants)| parse(gives).zip(parse(wants)));
    pair.ok_or_else(|| protocol(format!("the server's heart-beat {text:?} is not two numbers")))
}

/// What one side can do and the other wants: the rarer of both, and nothing if one does not care.
fn both(ours: Duration, theirs: Duration) -> Option<Duration> {
    let both = !ours.is_zero() && !theirs.is_zero();
    both.then_some(ours.max(theirs))
}

fn protocol(message: String) -> Error {
    Error::new(ErrorKind::Protocol, message).not_carried_out()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    fn settled(parameters: &str) -> Settled {
        Options::new(format!("stomp://ann:secret@h{parameters}")).settled().unwrap()
    }

    fn connected() -> Frame {
        Frame::new(Command::Connected)
    }

    #[test]
    fn a_client_says_who_it_is() {
        let frame = greeting(&settled("/v?version_max=1.1&heart_beat_out=1s&heart_beat_in=0s"));
        let said: Vec<_> = frame.headers.iter().collect();
        let expected = [
            ("accept-version", "1.0,1.1"),
            ("host", "v"),
            ("heart-beat", "1000,0"),
            ("login", "ann"),
            ("passcode", "secret"),
        ];
        assert_eq!(said, expected);
        assert_eq!(greeting(&settled("?login=")).header("passcode"), None);
    }

    #[test]
    fn the_rarer_heart_beat_is_taken() {
        let settled = settled("?heart_beat_out=2s&heart_beat_in=4s");
        let ms = |number| Some(Duration::from_millis(number));
        let cases = [
            ("0,0", None, None),
            ("1000,1000", ms(2000), ms(4000)),
            ("5000,3000", ms(3000), ms(5000)),
            ("0,9000", ms(9000), None),
            ("1,0", None, ms(4000)),
        ];
        for (said, out, back) in cases {
            let frame = connected().with("version", "1.1").with("heart-beat", said);
            let agreed = agree(&settled, &frame).unwrap();
            assert_eq!((agreed.heart_beat_out, agreed.heart_beat_in), (out, back), "{said}");
        }
    }

    #[test]
    fn the_version_is_one_of_those_offered() {
        let of = |frame: Frame| agree(&settled("?version_max=1.1"), &frame).map(|it| it.version);
        assert_eq!(of(connected()).unwrap(), Version::V1_0);
        assert_eq!(of(connected().with("version", "1.1")).unwrap(), Version::V1_1);
        for strange in [
            connected().with("version", "1.2"),
            connected().with("version", "2"),
            connected().with("heart-beat", "1"),
            connected().with("heart-beat", "a,b"),
            Frame::new(Command::Receipt),
        ] {
            assert_eq!(of(strange).unwrap_err().kind(), ErrorKind::Protocol);
        }
        let refusal = Frame::new(Command::Error).with("message", "Bad CONNECT");
        assert_eq!(of(refusal).unwrap_err().kind(), ErrorKind::Refused);
    }
}
