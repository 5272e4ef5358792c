//! Proxies in front of a worker, who may say on whose behalf they connect.

use crate::connection::Ends;
use ipnet::IpNet;
use proxy_header::{Error, ParseConfig, ProxyHeader};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// The longest header that is read: version 2 with addresses of any kind and room for what it adds.
const HEADER_BYTES: usize = 2048;

/// How long to wait when a part of a header is there.
const PART_PAUSE: Duration = Duration::from_millis(2);

/// Addresses of proxies that are trusted. Nobody is unless it is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    networks: Vec<IpNet>,
    /// They begin each connection with a PROXY header.
    has_headers: bool,
}

impl Proxies {
    /// Reads addresses and networks: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
    ///
    /// # Errors
    /// Names the first that is neither.
    pub fn parse<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let parse = |text: &str| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            let wrong = || format!("{text:?} is neither an address nor a network as 10.0.0.0/8");
            address.or_else(|_| text.parse()).map_err(|_| wrong())
        };
        let networks = networks.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { networks, has_headers: false })
    }

    /// They begin each connection with a PROXY header, of version 1 or 2, as haproxy's `send-proxy` and nginx's
    /// `proxy_protocol` make them. Connections from elsewhere have none.
    #[must_use]
    pub fn with_headers(mut self) -> Self {
        self.has_headers = true;
        self
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Who asks, where HTTP headers say on whose behalf: the last in `X-Forwarded-For` that is no trusted proxy, or
    /// else `X-Real-IP`; and nobody is believed but a trusted proxy.
    #[must_use]
    pub fn client(
        &self,
        peer: IpAddr,
        forwarded_for: Option<&str>,
        real_ip: Option<&str>,
    ) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.contain(client) {
            return client;
        }
        for named in forwarded_for.into_iter().flat_map(|list| list.rsplit(',')) {
            let Ok(named) = named.trim().parse::<IpAddr>() else { return client };
            client = named.to_canonical();
            if !self.contain(client) {
                return client;
            }
        }
        let real_ip = real_ip.filter(|_| forwarded_for.is_none());
        real_ip.and_then(|text| text.trim().parse().ok()).unwrap_or(client)
    }

    pub(crate) fn are_speaking_for(&self, ends: Ends) -> bool {
        self.has_headers && ends.remote.is_some_and(|remote| self.contain(remote.ip()))
    }

    /// Reads the header that a connection begins with, and nothing behind it. Returns whom it names; nobody, if the
    /// proxy connects on its own behalf.
    ///
    /// # Errors
    /// There is no such header.
    pub(crate) async fn read_header(
        &self,
        stream: &mut TcpStream,
    ) -> io::Result<Option<SocketAddr>> {
        let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
        let mut buffer = vec![0; HEADER_BYTES];
        let mut known = 0;
        loop {
            let bytes = stream.peek(&mut buffer).await?;
            if bytes == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let config = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
            match ProxyHeader::parse(&buffer[..bytes], config) {
                Ok((header, length)) => {
                    let client = header.proxied_address().map(|proxied| proxied.source);
                    stream.read_exact(&mut buffer[..length]).await?;
                    return Ok(client);
                }
                Err(Error::BufferTooShort) if bytes < buffer.len() => {
                    // What was looked at stays readable: to wait for readiness would not wait.
                    if bytes == known {
                        sleep(PART_PAUSE).await;
                    }
                    known = bytes;
                }
                Err(error) => return Err(invalid(format!("no PROXY header: {error}"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = Proxies::parse(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]).unwrap();
        for (peer, forwarded_for, real_ip, expected) in [
            ("1.2.3.4", Some("5.6.7.8"), Some("5.6.7.8"), "1.2.3.4"),
            ("127.0.0.1", None, None, "127.0.0.1"),
            ("127.0.0.1", None, Some("5.6.7.8"), "5.6.7.8"),
            ("::ffff:127.0.0.1", Some("5.6.7.8"), None, "5.6.7.8"),
            ("127.0.0.1", Some("6.6.6.6, 5.6.7.8, 10.1.2.3"), None, "5.6.7.8"),
            ("10.9.9.9", Some("10.1.1.1"), Some("6.6.6.6"), "10.1.1.1"),
            ("127.0.0.1", Some("6.6.6.6, nonsense, 10.1.2.3"), None, "10.1.2.3"),
            ("fd00::1", Some("2001:db8::7"), None, "2001:db8::7"),
        ] {
            let client = proxies.client(peer.parse().unwrap(), forwarded_for, real_ip);
            assert_eq!(client, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded_for:?}");
        }
        assert!(Proxies::parse(["10.0.0.0/40"]).unwrap_err().contains("neither"));
    }
}
