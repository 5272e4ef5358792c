//! Going through a proxy: SOCKS5 (RFC 1928, 1929) or HTTP CONNECT (RFC 9110).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use httparse::{EMPTY_HEADER, Status};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest head of a proxy's answer.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Whom to ask for connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    kind: Kind,
    /// Host and port.
    authority: String,
    login: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Socks5,
    Http,
}

impl Proxy {
    /// Reads `socks5://USER:PASSWORD@HOST:PORT` or `http://..`; the login may be missing.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "no proxy; write socks5://HOST:PORT or http://HOST:PORT".to_owned();
        let (kind, rest) = match text.split_once("://").ok_or_else(wrong)? {
            ("socks5", rest) => (Kind::Socks5, rest),
            ("http", rest) => (Kind::Http, rest),
            _ => return Err(wrong()),
        };
        let (login, authority) = match rest.rsplit_once('@') {
            Some((login, authority)) => (Some(login.split_once(':').ok_or_else(wrong)?), authority),
            None => (None, rest),
        };
        let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        port.ok_or_else(wrong)?;
        let fits = |text: &str| (1..=255).contains(&text.len());
        if login.is_some_and(|(user, password)| !fits(user) || !fits(password)) {
            return Err("a proxy's user and password have 1 to 255 bytes".to_owned());
        }
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        Ok(Self { kind, authority: authority.to_owned(), login })
    }

    /// Connects to a host, whose name the proxy looks up.
    pub(super) async fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(&self.authority).await?;
        match self.kind {
            Kind::Socks5 => self.ask_socks(&mut stream, host, port).await?,
            Kind::Http => self.ask_http(&mut stream, host, port).await?,
        }
        Ok(stream)
    }

    async fn ask_socks(&self, stream: &mut TcpStream, host: &str, port: u16) -> io::Result<()> {
        let length =
            u8::try_from(host.len()).map_err(|_| refused("the host's name is too long"))?;
        let method = if self.login.is_some() { 2 } else { 0 };
        stream.write_all(&[5, 1, method]).await?;
        let mut chosen = [0; 2];
        stream.read_exact(&mut chosen).await?;
        if chosen != [5, method] {
            return Err(refused("it wants another login"));
        }
        if let Some((user, password)) = &self.login {
            let mut login = vec![1];
            for text in [user, password] {
                login.push(u8::try_from(text.len()).expect("it was looked at when it was read"));
                login.extend(text.as_bytes());
            }
            stream.write_all(&login).await?;
            stream.read_exact(&mut chosen).await?;
            if chosen[1] != 0 {
                return Err(refused("it does not accept the login"));
            }
        }
        let request = [&[5, 1, 0, 3, length], host.as_bytes(), &port.to_be_bytes()].concat();
        stream.write_all(&request).await?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await?;
        if answer[..2] != [5, 0] {
            return Err(refused(socks_reason(answer[1])));
        }
        let address_bytes = match answer[3] {
            1 => 4,
            3 => usize::from(stream.read_u8().await?),
            4 => 16,
            _ => return Err(refused("its answer is no SOCKS5")),
        };
        stream.read_exact(&mut vec![0; address_bytes + 2]).await.map(drop)
    }

    async fn ask_http(&self, stream: &mut TcpStream, host: &str, port: u16) -> io::Result<()> {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let login = self.login.as_ref().map(|(user, password)| {
            let login = STANDARD.encode(format!("{user}:{password}"));
            format!("Proxy-Authorization: Basic {login}\r\n")
        });
        let login = login.unwrap_or_default();
        let request =
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        // One by one, as what is behind the head is the peer's already.
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == HEAD_BYTES_MAX {
                return Err(refused("its answer has too many headers"));
            }
            head.push(stream.read_u8().await?);
        }
        let mut headers = [EMPTY_HEADER; 100];
        let mut answer = httparse::Response::new(&mut headers);
        match (answer.parse(&head), answer.code) {
            (Ok(Status::Complete(_)), Some(200..=299)) => Ok(()),
            (Ok(Status::Complete(_)), Some(code)) => {
                Err(refused(&format!("{code} {}", answer.reason.unwrap_or_default())))
            }
            _ => Err(refused("its answer is no HTTP")),
        }
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, format!("the proxy refused: {why}"))
}

fn socks_reason(code: u8) -> &'static str {
    match code {
        2 => "it is not allowed",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached",
        5 => "the host refused the connection",
        _ => "it failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read() {
        let login = Some(("user".to_owned(), "pass".to_owned()));
        for (text, kind, authority, login) in [
            ("socks5://127.0.0.1:1080", Kind::Socks5, "127.0.0.1:1080", None),
            ("http://user:pass@[::1]:3128", Kind::Http, "[::1]:3128", login),
        ] {
            let proxy = Proxy { kind, authority: authority.to_owned(), login };
            assert_eq!(Proxy::parse(text), Ok(proxy));
        }
        for wrong in ["127.0.0.1:1080", "ftp://a:1", "http://a", "http://user@a:1", "http://:@a:1"]
        {
            assert!(Proxy::parse(wrong).is_err(), "{wrong}");
        }
    }
}
