//! Finds the hosts of `workyard-http`: `options.resolver = Some(Arc::new(dns))`.

use crate::Dns;
use std::net::SocketAddr;
use workyard_http::Resolve;
use workyard_http::reqwest::dns::{Addrs, Name, Resolving};

impl Resolve for Dns {
    fn resolve(&self, name: Name) -> Resolving {
        let dns = self.clone();
        Box::pin(async move {
            // As a text: what is shown of an error is its innermost source, which says less.
            let found = dns.addresses(name.as_str()).await;
            let addresses = found.map_err(|error| error.to_string())?;
            // Port 0 stands for the one of the URL.
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
