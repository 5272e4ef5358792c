//! What is asked: records of a type, of a name.

use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use workyard_adapter_kit::{Error, ErrorKind, Result};

/// Equal questions are asked once. Names are compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) name: Name,
    pub(crate) record_type: RecordType,
}

impl Question {
    pub(crate) fn new(name: &str, record_type: RecordType) -> Result<Self> {
        if name.is_empty() {
            return Err(invalid("a name is empty; write `.` for the root".to_owned()));
        }
        if matches!(record_type, RecordType::AXFR | RecordType::IXFR) {
            return Err(invalid(format!("{record_type} is a transfer of a zone, not a question")));
        }
        let name = Name::from_str_relaxed(name)
            .map_err(|error| invalid(format!("{name:?} is no name: {error}")))?;
        Ok(Self { name, record_type })
    }

    pub(crate) fn query(&self) -> Query {
        Query::query(self.name.clone(), self.record_type)
    }

    /// As metrics and errors say it.
    pub(crate) fn operation(&self) -> &'static str {
        match self.record_type {
            RecordType::A => "A",
            RecordType::AAAA => "AAAA",
            RecordType::CAA => "CAA",
            RecordType::CNAME => "CNAME",
            RecordType::MX => "MX",
            RecordType::NS => "NS",
            RecordType::PTR => "PTR",
            RecordType::SOA => "SOA",
            RecordType::SRV => "SRV",
            RecordType::TXT => "TXT",
            _ => "OTHER",
        }
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_equal_whatever_their_case() {
        let question = |name| Question::new(name, RecordType::A).unwrap();
        assert_eq!(question("Shop.Example"), question("shop.example"));
        assert_ne!(
            question("shop.example"),
            Question::new("shop.example", RecordType::MX).unwrap()
        );
        assert_eq!(question("grüße.example").name.to_ascii(), "xn--gre-6ka8l.example");
        assert_eq!(question("_sip._tcp.example").operation(), "A");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "x".repeat(64);
        let longer = ["x"; 200].join(".");
        for name in ["", "a..b", &long, &longer] {
            let error = Question::new(name, RecordType::A).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}");
        }
        assert!(Question::new("example", RecordType::AXFR).is_err());
    }
}
