//! The bytes to and from a broker: over TCP, TLS, WebSocket, or WebSocket over TLS.

use crate::error::{no_web_socket, unconnected};
use crate::options::Place;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_util::io::{CopyToBytes, SinkWriter, StreamReader};
use tokio_websockets::{ClientBuilder, Limits, Message};
use workyard_adapter_kit::{Error, ErrorKind};

pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

trait Bidirectional: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bidirectional for T {}

/// Connects; `tls` is there where the place is secure. The first bytes are the caller's.
pub(crate) async fn connect(
    place: &Place,
    tls: Option<&Arc<ClientConfig>>,
    packet_bytes_max: usize,
) -> Result<(Reader, Writer), Error> {
    let socket = TcpStream::connect((&*place.host, place.port)).await.map_err(unconnected)?;
    socket.set_nodelay(true).map_err(unconnected)?;
    let Some(tls) = tls else {
        if let Some(path) = &place.path {
            return web_socket(place, path, Box::new(socket), packet_bytes_max).await;
        }
        let (reader, writer) = socket.into_split();
        return Ok((Box::new(reader), Box::new(writer)));
    };
    let name = ServerName::try_from(place.host.clone()).map_err(|error| {
        let message = format!("{:?} is no name of a host for TLS ({error})", place.host);
        Error::new(ErrorKind::InvalidOptions, message)
    })?;
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, socket).await;
    let stream = stream.map_err(unconnected)?;
    if let Some(path) = &place.path {
        return web_socket(place, path, Box::new(stream), packet_bytes_max).await;
    }
    let (reader, writer) = tokio::io::split(stream);
    Ok((Box::new(reader), Box::new(writer)))
}

/// Packets need not begin where messages of the WebSocket do, so it is a stream of bytes.
async fn web_socket(
    place: &Place,
    path: &str,
    stream: Box<dyn Bidirectional>,
    packet_bytes_max: usize,
) -> Result<(Reader, Writer), Error> {
    let scheme = if place.secure { "wss" } else { "ws" };
    let brackets = if place.host.contains(':') { ("[", "]") } else { ("", "") };
    let Place { host, port, .. } = place;
    let uri = format!("{scheme}://{}{host}{}:{port}{path}", brackets.0, brackets.1);
    // A broker may put many packets into one message; a proxy may join messages.
    let limits = Limits::default().max_payload_len(Some(packet_bytes_max.max(1 << 20) * 2));
    let builder = ClientBuilder::new().uri(&uri).map_err(|error| {
        let message = format!("the path {path:?} cannot be asked for ({error})");
        Error::new(ErrorKind::InvalidOptions, message)
    })?;
    let name = "sec-websocket-protocol".parse().expect("it is the name of a header");
    let value = "mqtt".parse().expect("it is the value of a header");
    let builder = builder.limits(limits).add_header(name, value).map_err(no_web_socket)?;
    let (web_socket, answer) = builder.connect_on(stream).await.map_err(no_web_socket)?;
    if answer.headers().get("sec-websocket-protocol").is_none_or(|it| it != "mqtt") {
        let message =
            "what answers there speaks WebSocket, but not MQTT; look at the path of the URL";
        return Err(Error::new(ErrorKind::Refused, message));
    }
    let (sink, stream) = web_socket.split();
    let payloads = stream.filter_map(|message| future::ready(payload(message)));
    let sink = sink.sink_map_err(io::Error::other);
    let sink = sink.with(|bytes: Bytes| future::ready(Ok::<_, io::Error>(Message::binary(bytes))));
    Ok((Box::new(StreamReader::new(payloads)), Box::new(SinkWriter::new(CopyToBytes::new(sink)))))
}

fn payload(message: Result<Message, tokio_websockets::Error>) -> Option<io::Result<Bytes>> {
    match message {
        Ok(message) if message.is_binary() => {
            // An empty one would look like the end of the stream.
            let payload = Bytes::from(message.into_payload());
            (!payload.is_empty()).then_some(Ok(payload))
        }
        Ok(message) if message.is_text() => Some(Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a text where there are bytes only",
        ))),
        Ok(_) => None,
        Err(error) => Some(Err(io::Error::other(error))),
    }
}
