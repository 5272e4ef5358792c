//! One connection: a request, its answer, and nothing in between.

use crate::decoder::{Answer, Decoder, Found};
use crate::error::{connecting, misunderstood, reading, writing};
use crate::key::Key;
use crate::limits::STATS_MAX;
use crate::options::{Address, Login};
use crate::request::{Lookup, Request};
use bytes::{Buf, BytesMut};
use futures_util::FutureExt;
use rustls::pki_types::ServerName;
use std::collections::BTreeMap;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::unconstrained;
use tokio_rustls::TlsConnector;
use workyard_adapter_kit::{Error, ErrorKind};

const READ_BYTES: usize = 8 << 10;

/// Whoever begins an exchange owns the connection, and gives it back when the exchange has come to its end.
/// One that is given up on the way is dropped, and closed with it.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    input: BytesMut,
    decoder: Decoder,
}

/// A socket, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

/// What an answer means; the answer itself when it means nothing here.
pub(crate) type Read<T> = fn(Answer) -> Result<T, Answer>;

/// What a connection is made of.
pub(crate) struct Plan {
    pub(crate) address: Address,
    pub(crate) tls: Option<TlsConnector>,
    pub(crate) login: Option<Login>,
    pub(crate) value_bytes_max: usize,
}

impl Connection {
    pub(crate) async fn open(plan: &Plan) -> Result<Self, Error> {
        let Plan { address, tls, login, value_bytes_max } = plan;
        let stream = stream(address, tls.as_ref()).await.map_err(connecting)?;
        let decoder = Decoder::new(*value_bytes_max);
        let mut connection = Self { stream, input: BytesMut::new(), decoder };
        if let Some(login) = login {
            // Whatever becomes of it, what the connection is made for has not been sent.
            let answered = connection.single(&Request::login(login), stored).await;
            answered.map_err(Error::not_carried_out)?;
        }
        Ok(connection)
    }

    /// Whether nothing has come since the last answer: no end, and no byte that nobody asked for.
    pub(crate) fn is_silent(&mut self) -> bool {
        let mut byte = [0];
        // A task that has had its turn of the runtime would be told that nothing has come, whatever has.
        let seen = unconstrained(self.stream.read(&mut byte)).now_or_never();
        self.input.is_empty() && seen.is_none()
    }

    /// A request with one answer, of which `read` makes what it means.
    pub(crate) async fn single<T>(&mut self, request: &Request, read: Read<T>) -> Result<T, Error> {
        self.send(request).await?;
        let answer = self.receive().await?;
        self.ended()?;
        read(answer).map_err(|answer| unexpected(&answer))
    }

    /// The values under many keys, of so many bytes in all.
    pub(crate) async fn values(
        &mut self,
        lookups: &[Lookup<'_>],
        bytes_max: usize,
    ) -> Result<Vec<Found>, Error> {
        let (mut values, mut bytes) = (Vec::new(), 0_usize);
        for Lookup { request, keys } in lookups {
            self.send(request).await?;
            let before = values.len();
            while let Some(found) = self.value(keys, values.len() - before).await? {
                bytes = bytes.saturating_add(found.data.len());
                if bytes > bytes_max {
                    let message = format!(
                        "the values have more bytes than answer_bytes_max allows, which is {bytes_max}"
                    );
                    return Err(Error::new(ErrorKind::TooLarge, message));
                }
                values.push(found);
            }
            self.ended()?;
        }
        Ok(values)
    }

    /// The next value of those that were asked for, `seen` of which have come.
    async fn value(&mut self, keys: &[Key<'_>], seen: usize) -> Result<Option<Found>, Error> {
        match self.receive().await? {
            Answer::End => Ok(None),
            Answer::Value(found) => {
                let is_next = |key: &Key<'_>| found.key == key.bytes();
                let is_asked = keys.get(seen).is_some_and(is_next) || keys.iter().any(is_next);
                if seen == keys.len() || !is_asked {
                    return Err(unexpected(&Answer::Value(found)));
                }
                Ok(Some(found))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// A request with a list of names and values.
    pub(crate) async fn list(
        &mut self,
        request: &Request,
    ) -> Result<BTreeMap<String, String>, Error> {
        self.send(request).await?;
        let mut list = BTreeMap::new();
        for _ in 0..=STATS_MAX {
            match self.receive().await? {
                Answer::Stat(name, value) => list.insert(name, value),
                Answer::End => {
                    self.ended()?;
                    return Ok(list);
                }
                other => return Err(unexpected(&other)),
            };
        }
        Err(Error::new(ErrorKind::TooLarge, format!("a list of more than {STATS_MAX} lines")))
    }

    async fn send(&mut self, request: &Request) -> Result<(), Error> {
        let stream = &mut self.stream;
        let written = async {
            match &request.data {
                None => stream.write_all(&request.line).await?,
                Some(data) => {
                    let mut whole = Buf::chain(&*request.line, &**data).chain(&b"\r\n"[..]);
                    stream.write_all_buf(&mut whole).await?;
                }
            }
            stream.flush().await
        };
        written.await.map_err(writing)
    }

    async fn receive(&mut self) -> Result<Answer, Error> {
        loop {
            if let Some(answer) = self.decoder.decode(&mut self.input)? {
                return Ok(answer);
            }
            if self.input.capacity() == self.input.len() {
                self.input.reserve(READ_BYTES);
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) => return Err(reading(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) => return Err(reading(error)),
            }
        }
    }

    /// An answer is all that comes.
    fn ended(&self) -> Result<(), Error> {
        if self.input.is_empty() {
            return Ok(());
        }
        Err(misunderstood("more than the answer", &self.input))
    }
}

/// An answer to something else than was asked.
fn unexpected(answer: &Answer) -> Error {
    let shown = match answer {
        // What is in it belongs to the application.
        Answer::Value(_) => "a value".to_owned(),
        other => format!("{other:?}"),
    };
    Error::new(ErrorKind::Protocol, format!("an answer to something else: {shown}"))
}

fn stored(answer: Answer) -> Result<(), Answer> {
    if answer == Answer::Stored { Ok(()) } else { Err(answer) }
}

async fn stream(address: &Address, tls: Option<&TlsConnector>) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect((&*address.host, address.port)).await?;
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let name = ServerName::try_from(address.host.clone());
    let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    Ok(Box::new(tls.connect(name, stream).await?))
}
