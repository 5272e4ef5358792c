//! Proxies: one of HTTP that makes tunnels, one of SOCKS 5.

use crate::server::read_head;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
}

#[derive(Clone, Copy)]
enum Kind {
    Tunnel { user: Option<&'static str> },
    Socks,
}

impl Proxy {
    /// Makes tunnels, for this user alone where there is one.
    pub(crate) async fn tunnel(user: Option<&'static str>) -> Self {
        Self::start(Kind::Tunnel { user }).await
    }

    pub(crate) async fn socks() -> Self {
        Self::start(Kind::Socks).await
    }

    /// Where to it was asked for a way.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    async fn start(kind: Kind) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&asked);
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, kind, Arc::clone(&all)));
            }
        });
        Self { address, asked, listening }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(mut client: TcpStream, kind: Kind, asked: Arc<Mutex<Vec<String>>>) {
    let way = match kind {
        Kind::Tunnel { user } => tunnel(&mut client, user).await,
        Kind::Socks => socks(&mut client).await,
    };
    let Some(way) = way else { return };
    asked.lock().unwrap().push(way.clone());
    let mut server = TcpStream::connect(way).await.unwrap();
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

async fn tunnel(client: &mut TcpStream, user: Option<&str>) -> Option<String> {
    let head = read_head(client).await?;
    let way = head.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    let shown = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
    });
    let answer = if shown == user { "200 OK" } else { "407 Who Are You" };
    client.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await.ok()?;
    (shown == user).then_some(way)
}

/// RFC 1928, without authentication and for names and IPv4 only.
async fn socks(client: &mut TcpStream) -> Option<String> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting).await.ok()?;
    client.read_exact(&mut vec![0; greeting[1].into()]).await.ok()?;
    client.write_all(&[5, 0]).await.ok()?;
    let mut request = [0; 4];
    client.read_exact(&mut request).await.ok()?;
    let host = match request {
        [5, 1, 0, 1] => Ipv4Addr::from(client.read_u32().await.ok()?).to_string(),
        [5, 1, 0, 3] => {
            let mut name = vec![0; client.read_u8().await.ok()?.into()];
            client.read_exact(&mut name).await.ok()?;
            String::from_utf8(name).ok()?
        }
        other => panic!("{other:?}"),
    };
    let port = client.read_u16().await.ok()?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
    Some(format!("{host}:{port}"))
}
