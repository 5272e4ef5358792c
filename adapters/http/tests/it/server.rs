//! A server that does exactly what it is told, and remembers what it was asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

/// What it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// How many requests came before it.
    pub(crate) number: usize,
    /// How many came before it on its connection.
    pub(crate) on_connection: usize,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// What it does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Write(Vec<u8>),
    Pause(Duration),
    /// Resets the connection.
    Cut,
    /// Ends the connection in order.
    End,
    /// Writes until nobody reads any more, a KiB at a time.
    WriteForEver,
}

type Script = dyn Fn(&Asked) -> Vec<Step> + Send + Sync;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

struct Shared {
    script: Box<Script>,
    tls: Option<TlsAcceptor>,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    open_max: AtomicUsize,
    written: AtomicUsize,
}

impl Server {
    pub(crate) async fn start(
        script: impl Fn(&Asked) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(0, None, script).await
    }

    pub(crate) async fn start_tls(
        tls: TlsAcceptor,
        script: impl Fn(&Asked) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(0, Some(tls), script).await
    }

    pub(crate) async fn start_at(
        port: u16,
        tls: Option<TlsAcceptor>,
        script: impl Fn(&Asked) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            tls,
            asked: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            open_max: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
        });
        let listening = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Self { address, shared, listening }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// The only request that came.
    #[track_caller]
    pub(crate) fn only(&self) -> Asked {
        let asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked[0].clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    pub(crate) fn open_max(&self) -> usize {
        self.shared.open_max.load(Ordering::SeqCst)
    }

    pub(crate) fn written(&self) -> usize {
        self.shared.written.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Connections end with the server.
async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            Ok((stream, _)) = listener.accept() => {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                connections.spawn(connect(stream, Arc::clone(&shared)));
            }
        }
    }
}

async fn connect(stream: TcpStream, shared: Arc<Shared>) {
    let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
    shared.open_max.fetch_max(open, Ordering::SeqCst);
    let _leave = Leave(&shared.open);
    stream.set_zero_linger().unwrap();
    match &shared.tls {
        None => converse(stream, &shared).await,
        Some(tls) => match tls.accept(stream).into_fallible().await {
            Ok(stream) => converse(stream, &shared).await,
            // Until the client has read why not.
            Err((_, mut stream)) => {
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        },
    }
}

struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) {
    let mut stream = BufReader::new(stream);
    for on_connection in 0.. {
        let Some(asked) = read(&mut stream, shared, on_connection).await else { return };
        for step in (shared.script)(&asked) {
            match step {
                Step::Write(mut bytes) => {
                    if asked.method == "HEAD" {
                        bytes.truncate(head_bytes(&bytes));
                    }
                    if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                        return;
                    }
                    shared.written.fetch_add(bytes.len(), Ordering::SeqCst);
                }
                Step::WriteForEver => {
                    while stream.write_all(&[b'x'; 1024]).await.is_ok() {
                        shared.written.fetch_add(1024, Ordering::SeqCst);
                    }
                    return;
                }
                Step::Pause(duration) => sleep(duration).await,
                // Dropped with zero linger, it is reset.
                Step::Cut => return,
                Step::End => {
                    let _ = stream.shutdown().await;
                    // Until the client has seen it.
                    let _ = stream.read(&mut [0; 1]).await;
                    return;
                }
            }
        }
    }
}

/// How long the head is that this begins with.
fn head_bytes(response: &[u8]) -> usize {
    let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    end.map_or(response.len(), |end| end + 4)
}

async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    shared: &Shared,
    on_connection: usize,
) -> Option<Asked> {
    let head = read_head(stream).await?;
    let mut lines = head.lines();
    let mut first = lines.next()?.splitn(3, ' ').map(str::to_owned);
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut asked = Asked {
        method: first.next()?,
        target: first.next()?,
        version: first.next()?,
        headers,
        body: Vec::new(),
        number: 0,
        on_connection,
    };
    asked.body = read_body(stream, &asked).await?;
    let mut all = shared.asked.lock().unwrap();
    asked.number = all.len();
    all.push(asked.clone());
    Some(asked)
}

pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn read_body(stream: &mut (impl AsyncRead + Unpin), asked: &Asked) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if asked.header("transfer-encoding") != Some("chunked") {
        let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
        body.resize(length, 0);
        stream.read_exact(&mut body).await.ok()?;
        return Some(body);
    }
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(stream.read_u8().await.ok()?);
        }
        let length = std::str::from_utf8(&line).ok()?.trim_end();
        let length = usize::from_str_radix(length, 16).ok()?;
        let mut chunk = vec![0; length + 2];
        stream.read_exact(&mut chunk).await.ok()?;
        chunk.truncate(length);
        body.extend(chunk);
        if length == 0 {
            return Some(body);
        }
    }
}

pub(crate) fn write(text: impl AsRef<[u8]>) -> Step {
    Step::Write(text.as_ref().to_vec())
}

/// A response with a body of that length.
pub(crate) fn respond(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<Step> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len())
        .into_bytes();
    bytes.extend(body);
    vec![Step::Write(bytes)]
}

pub(crate) fn ok(body: impl AsRef<[u8]>) -> Vec<Step> {
    respond("200 OK", "", body)
}

pub(crate) fn redirect(status: u16, location: &str) -> Vec<Step> {
    respond(&format!("{status} Moved"), &format!("Location: {location}\r\n"), "elsewhere")
}
