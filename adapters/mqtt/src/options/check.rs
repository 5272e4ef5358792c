//! What an MQTT client cannot be opened with.

use super::{Options, Version, Will};
use crate::topic::check_topic;
use std::time::Duration;
use workyard_adapter_kit::{Error, ErrorKind};

/// As texts of the protocol write their length in two bytes.
const TEXT_BYTES_MAX: usize = 65_535;
/// As the protocol writes the length of a packet in four bytes of seven bits, after one of its kind.
const PACKET_BYTES_MAX: usize = 268_435_455 + 5;
/// What a greeting, an answer and a topic need.
const PACKET_BYTES_MIN: usize = 128;

impl Options {
    pub(super) fn check(&self) -> Result<(), Error> {
        self.check_numbers()?;
        self.check_texts()?;
        if self.password.is_some() && self.username.is_none() && self.version == Version::V3 {
            return Err(invalid("a password needs a username".to_owned()));
        }
        self.will.as_ref().map_or(Ok(()), check_will)
    }

    fn check_numbers(&self) -> Result<(), Error> {
        let nothing = [
            ("inflight_max", self.inflight_max == 0),
            ("receive_max", self.receive_max == 0),
            ("queue_max", self.queue_max == 0),
            ("queue_bytes_max", self.queue_bytes_max == 0),
        ];
        if let Some((name, _)) = nothing.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(invalid(format!("{name} is zero: nothing could ever be sent")));
        }
        if !(PACKET_BYTES_MIN..=PACKET_BYTES_MAX).contains(&self.packet_bytes_max) {
            return Err(invalid(format!(
                "packet_bytes_max is {}: it can be {PACKET_BYTES_MIN} to {PACKET_BYTES_MAX}",
                self.packet_bytes_max
            )));
        }
        let keepalive = self.keepalive;
        let whole = Duration::from_secs(1)..=Duration::from_secs(u16::MAX.into());
        if !keepalive.is_zero() && !whole.contains(&keepalive) {
            return Err(invalid(format!(
                "keepalive is {keepalive:?}: it can be 1s to 65535s, or 0s for none"
            )));
        }
        Ok(())
    }

    fn check_texts(&self) -> Result<(), Error> {
        let own = [
            ("client_id", &self.client_id),
            ("username", &self.username),
            ("password", &self.password),
        ];
        let pairs = self.user_properties.iter().flat_map(|(name, value)| [name, value]);
        let pairs = pairs.map(|text| ("user_properties", text));
        let texts = own.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
        for (name, text) in texts.chain(pairs) {
            if text.len() > TEXT_BYTES_MAX {
                return Err(invalid(format!("{name} is longer than {TEXT_BYTES_MAX} bytes")));
            }
        }
        if !self.path.starts_with('/') {
            return Err(invalid(format!("path is {:?}: it begins with /", self.path)));
        }
        Ok(())
    }

    /// A session that is kept needs a name that is the same the next time.
    pub(super) fn check_session(&self) -> Result<(), Error> {
        if self.clean_session || self.client_id.as_ref().is_some_and(|id| !id.is_empty()) {
            return Ok(());
        }
        let message = "a session that is not clean needs a client_id, by which it is found again";
        Err(invalid(message.to_owned()))
    }
}

fn check_will(will: &Will) -> Result<(), Error> {
    check_topic(&will.topic).map_err(|error| invalid(format!("will: {}", error.message())))?;
    if will.payload.len() > TEXT_BYTES_MAX {
        return Err(invalid(format!(
            "the payload of the will is longer than {TEXT_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOptions, message)
}
