//! Dnsmasq: a name server that knows what it is told, and nothing else.

use crate::{Place, Process, Program, Ready};
use std::net::{IpAddr, SocketAddr};

/// A name server, over UDP and TCP.
#[derive(Debug)]
pub struct Dnsmasq {
    /// The process of it.
    pub process: Process,
}

/// What a name server knows. Below `test` there is nothing else; for other names it refuses.
#[derive(Clone, Debug, Default)]
pub struct DnsmasqSetup {
    records: Vec<String>,
}

impl Dnsmasq {
    /// What to begin with: no record at all. Answers may be kept for 0 seconds.
    #[must_use]
    pub fn setup() -> DnsmasqSetup {
        DnsmasqSetup::default()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.process.place().address(0)
    }

    /// How often it was asked for records of a kind, such as `A`, since its last start.
    #[must_use]
    pub fn queries(&self, kind: &str, name: &str) -> usize {
        let query = format!(" query[{kind}] {name} from ");
        self.process.log().matches(&query).count()
    }
}

impl DnsmasqSetup {
    /// With an address of a name (A or AAAA), and the name of that address (PTR).
    #[must_use]
    pub fn host(self, name: &str, address: impl Into<IpAddr>) -> Self {
        self.option(&format!("host-record={name},{}", address.into()))
    }

    /// With a mail server (MX).
    #[must_use]
    pub fn mx(self, name: &str, server: &str, preference: u16) -> Self {
        self.option(&format!("mx-host={name},{server},{preference}"))
    }

    /// With a text (TXT), which holds no comma and no quotation mark.
    #[must_use]
    pub fn txt(self, name: &str, text: &str) -> Self {
        self.option(&format!("txt-record={name},\"{text}\""))
    }

    /// With a service (SRV), such as `_sip._tcp.example.test`.
    #[must_use]
    pub fn srv(self, name: &str, server: &str, port: u16, priority: u16, weight: u16) -> Self {
        self.option(&format!("srv-host={name},{server},{port},{priority},{weight}"))
    }

    /// With another name (CNAME) of one that was given an address.
    #[must_use]
    pub fn cname(self, alias: &str, name: &str) -> Self {
        self.option(&format!("cname={alias},{name}"))
    }

    /// With what a reversed address, such as `1.2.0.192.in-addr.arpa`, points to (PTR).
    #[must_use]
    pub fn ptr(self, reversed: &str, name: &str) -> Self {
        self.option(&format!("ptr-record={reversed},{name}"))
    }

    /// With so many seconds for which answers may be kept.
    #[must_use]
    pub fn ttl(self, seconds: u32) -> Self {
        self.option(&format!("local-ttl={seconds}"))
    }

    /// With a further line in its configuration file.
    #[must_use]
    pub fn option(mut self, option: &str) -> Self {
        self.records.push(option.to_owned());
        self
    }

    /// Starts it.
    pub async fn start(self) -> Dnsmasq {
        Dnsmasq { process: Process::start(1, |place| self.program(place)).await }
    }

    fn program(&self, place: &Place) -> Program {
        let configuration = place.file("dnsmasq.conf", self.configuration(place));
        Program::new("dnsmasq")
            .argument("--keep-in-foreground")
            .argument(format!("--conf-file={}", configuration.display()))
            .ready(Ready::Listens(place.address(0)))
    }

    fn configuration(&self, place: &Place) -> String {
        let port = format!("port={}", place.port(0));
        let lines = [
            "listen-address=127.0.0.1",
            "bind-interfaces",
            &port,
            // Nothing of the machine it runs on.
            "no-hosts",
            "no-resolv",
            "no-poll",
            "local=/test/",
            "pid-file",
            "user=",
            "log-facility=-",
            "log-queries",
        ];
        lines.join("\n") + "\n" + &self.records.join("\n") + "\n"
    }
}
