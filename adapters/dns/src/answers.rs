//! What records say, in the words of programs: pure, but for chance.

use hickory_resolver::proto::rr::rdata::SRV;
use hickory_resolver::proto::rr::{Name, RData};
use std::net::IpAddr;

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

pub(crate) fn addresses(records: &[RData]) -> Vec<IpAddr> {
    records.iter().filter_map(RData::ip_addr).collect()
}

/// The names without the dot at their end.
pub(crate) fn names(records: &[RData]) -> Vec<String> {
    let names = records.iter().filter_map(|record| match record {
        RData::PTR(name) => Some(&name.0),
        RData::NS(name) => Some(&name.0),
        RData::CNAME(name) => Some(&name.0),
        _ => None,
    });
    names.map(plain).collect()
}

/// The texts, the parts of each put together.
pub(crate) fn texts(records: &[RData]) -> Vec<String> {
    let texts = records.iter().filter_map(|record| match record {
        RData::TXT(text) => Some(text.txt_data.concat()),
        _ => None,
    });
    texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

/// The hosts that take mail, the one to try first at the front.
pub(crate) fn mail_servers(records: &[RData]) -> Vec<String> {
    let mut servers: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            RData::MX(server) => Some((server.preference, plain(&server.exchange))),
            _ => None,
        })
        .collect();
    servers.sort();
    servers.into_iter().map(|(_, host)| host).collect()
}

/// In the order in which clients should try them, which is at random by their weights
/// ([RFC 2782](https://www.rfc-editor.org/rfc/rfc2782)). `chance` gives a number below its argument.
pub(crate) fn services(records: &[RData], mut chance: impl FnMut(u32) -> u32) -> Vec<Service> {
    let mut left: Vec<&SRV> = records
        .iter()
        .filter_map(|record| match record {
            RData::SRV(service) => Some(service),
            _ => None,
        })
        .collect();
    // Those without weight come first, so that they have a small chance, too.
    left.sort_by_key(|service| (service.priority, service.weight));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(first) = left.first() {
        let same = left.iter().take_while(|service| service.priority == first.priority);
        let total: u32 = same.clone().map(|service| u32::from(service.weight)).sum();
        let mut drawn = chance(total + 1);
        let chosen = same.clone().position(|service| {
            let weight = u32::from(service.weight);
            let is_it = drawn <= weight;
            drawn = drawn.saturating_sub(weight);
            is_it
        });
        let service = left.remove(chosen.unwrap_or_default());
        ordered.push(Service { host: plain(&service.target), port: service.port });
    }
    ordered
}

fn plain(name: &Name) -> String {
    let text = name.to_ascii();
    match text.strip_suffix('.') {
        Some("") | None => text,
        Some(plain) => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::rr::rdata::{MX, TXT};

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn service(priority: u16, weight: u16, host: &str) -> RData {
        RData::SRV(SRV::new(priority, weight, 80, name(host)))
    }

    #[test]
    fn mail_servers_stand_in_their_order() {
        let records = [MX::new(20, name("b.example.")), MX::new(10, name("a.example."))];
        assert_eq!(mail_servers(&records.map(RData::MX)), ["a.example", "b.example"]);
        assert_eq!(mail_servers(&[RData::MX(MX::new(0, Name::root()))]), ["."]);
    }

    #[test]
    fn parts_of_a_text_are_put_together() {
        let text = TXT::new(vec!["v=spf1 ".to_owned(), "-all".to_owned()]);
        assert_eq!(texts(&[RData::TXT(text)]), ["v=spf1 -all"]);
    }

    #[test]
    fn services_stand_in_an_order_of_chance_by_weight() {
        let records = [
            service(2, 0, "last."),
            service(1, 30, "heavy."),
            service(1, 10, "light."),
            service(1, 0, "none."),
        ];
        let order = |draw: u32| {
            let services = services(&records, |below| draw.min(below - 1));
            services.into_iter().map(|service| service.host).collect::<Vec<_>>()
        };
        assert_eq!(order(0), ["none", "light", "heavy", "last"]);
        assert_eq!(order(5), ["light", "heavy", "none", "last"]);
        assert_eq!(order(40), ["heavy", "light", "none", "last"]);
    }
}
