//! The driver, made of the options: which servers it asks, and the hosts file before them.

use crate::limits;
use crate::options::Options;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::{Hosts, TokioResolver, system_conf};
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use workyard_adapter_kit::{Error, ErrorKind, Result};

const USUAL_PORT: u16 = 53;

/// The driver, and where it asks first. What is kept, the hosts file and attempts again are not the
/// driver's: answers that are kept need no place, and every attempt is counted.
pub(crate) fn resolver(options: &Options) -> Result<(TokioResolver, Arc<str>)> {
    let (config, mut driver) = match options.servers.is_empty() {
        true => system()?,
        false => (named(options)?, ResolverOpts::default()),
    };
    let target = target(&config)?;
    driver.timeout = options.calls.request_timeout;
    driver.attempts = 0;
    driver.cache_size = 0;
    driver.use_hosts_file = ResolveHosts::Never;
    driver.num_concurrent_reqs = options.servers_at_once;
    driver.max_active_requests = options.calls.calls_max;
    let runtime = TokioRuntimeProvider::default();
    let resolver = TokioResolver::builder_with_config(config, runtime).with_options(driver).build();
    let resolver = resolver.map_err(|error| invalid(&format!("{error}")))?;
    Ok((resolver, target))
}

/// The hosts file. One that nobody has named need not be there.
pub(crate) fn hosts(options: &Options) -> Result<Hosts> {
    let mut hosts = Hosts::default();
    if !options.hosts {
        return Ok(hosts);
    }
    let path = options.hosts_file.as_deref();
    match (read(path.unwrap_or(Path::new("/etc/hosts")), &mut hosts), path) {
        (Ok(()), _) | (Err(_), None) => Ok(hosts),
        (Err(error), Some(path)) => {
            Err(invalid(&format!("the hosts file {}: {error}", path.display())))
        }
    }
}

fn read(path: &Path, hosts: &mut Hosts) -> io::Result<()> {
    let file = File::open(path)?;
    if file.metadata()?.len() > limits::HOSTS_BYTES_MAX {
        return Err(io::Error::other("it has more than 16 MiB"));
    }
    hosts.read_hosts_conf(file.take(limits::HOSTS_BYTES_MAX))
}

fn system() -> Result<(ResolverConfig, ResolverOpts)> {
    system_conf::read_system_conf()
        .map_err(|error| invalid(&format!("/etc/resolv.conf: {error}; name a server instead")))
}

fn named(options: &Options) -> Result<ResolverConfig> {
    let mut config = ResolverConfig::default();
    for server in &options.servers {
        config.add_name_server(name_server(address(server)?, options.tcp));
    }
    for domain in &options.search {
        let name = Name::from_str_relaxed(domain)
            .map_err(|error| invalid(&format!("{domain:?} in search is no domain: {error}")))?;
        config.add_search(name);
    }
    Ok(config)
}

fn name_server(address: SocketAddr, tcp: bool) -> NameServerConfig {
    let udp = (!tcp).then_some(ProtocolConfig::Udp);
    let connections = udp.into_iter().chain([ProtocolConfig::Tcp]).map(|protocol| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.collect())
}

fn address(text: &str) -> Result<SocketAddr> {
    let whole = text.parse().ok();
    let usual = || text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, USUAL_PORT));
    whole.or_else(usual).ok_or_else(|| {
        invalid(&format!("{text:?} is no address of a server; write 192.0.2.1 or 192.0.2.1:53"))
    })
}

fn target(config: &ResolverConfig) -> Result<Arc<str>> {
    let first = config.name_servers().first();
    let first = first.ok_or_else(|| invalid("/etc/resolv.conf names no server; name one"))?;
    let port = first.connections.first().map_or(USUAL_PORT, |connection| connection.port);
    Ok(SocketAddr::new(first.ip, port).to_string().into())
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidOptions, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_addresses() {
        let said = |text| address(text).map(|address| address.to_string()).unwrap_or_default();
        assert_eq!(said("192.0.2.1"), "192.0.2.1:53");
        assert_eq!(said("192.0.2.1:5353"), "192.0.2.1:5353");
        assert_eq!(said("2001:db8::1"), "[2001:db8::1]:53");
        assert_eq!(said("[2001:db8::1]:54"), "[2001:db8::1]:54");
        for text in ["", "h", "192.0.2.1:", "192.0.2", "h:53"] {
            assert_eq!(said(text), "", "{text}");
        }
    }

    #[test]
    fn a_hosts_file_that_was_named_must_be_there() {
        let mut options =
            Options { hosts_file: Some("/nowhere/hosts".into()), ..Options::default() };
        let error = hosts(&options).map(drop).unwrap_err();
        assert!(error.to_string().starts_with("the hosts file /nowhere/hosts: "), "{error}");
        options.hosts = false;
        hosts(&options).unwrap();
    }
}
