//! What the URL says about an MQTT client.

use super::check::invalid;
use super::{Options, Version, Will};
use crate::qos::Qos;
use std::str::FromStr;
use workyard_adapter_kit::{Error, ServiceUrl};

impl Options {
    pub(super) fn take_from(&mut self, url: &mut ServiceUrl) -> Result<(), Error> {
        self.take_identity(url)?;
        self.take_durations(url)?;
        self.take_will(url)?;
        url.take_into("clean_session", "true or false", &mut self.clean_session)?;
        url.take_into("resubscribe", "true or false", &mut self.resubscribe)?;
        url.take_into("overlapping_copies", "true or false", &mut self.overlapping_copies)?;
        url.take_into("inflight_max", "a number of messages", &mut self.inflight_max)?;
        url.take_into("receive_max", "a number of messages", &mut self.receive_max)?;
        url.take_into("queue_max", "a number of messages", &mut self.queue_max)?;
        url.take_into("queue_bytes_max", "a number of bytes", &mut self.queue_bytes_max)?;
        url.take_into("packet_bytes_max", "a number of bytes", &mut self.packet_bytes_max)?;
        if let Some(text) = url.take_text("user_properties") {
            self.user_properties = pairs(&text)?;
        }
        self.calls.take_from(url)?;
        self.tls.take_from(url);
        Ok(())
    }

    fn take_identity(&mut self, url: &mut ServiceUrl) -> Result<(), Error> {
        url.take_into("version", "4 (3.1.1) or 5", &mut self.version)?;
        if let Some(text) = url.take_text("client_id") {
            self.client_id = Some(text);
        }
        if let Some(username) = url.username()? {
            self.username = Some(username);
        }
        if let Some(password) = url.password()? {
            self.password = Some(password);
        }
        Ok(())
    }

    fn take_durations(&mut self, url: &mut ServiceUrl) -> Result<(), Error> {
        let durations = [
            ("session_expiry", &mut self.session_expiry),
            ("keepalive", &mut self.keepalive),
            ("reconnect_first", &mut self.reconnect.first),
            ("reconnect_max", &mut self.reconnect.max),
            ("close_grace", &mut self.close_grace),
        ];
        for (name, place) in durations {
            url.take_duration_into(name, place)?;
        }
        Ok(())
    }

    fn take_will(&mut self, url: &mut ServiceUrl) -> Result<(), Error> {
        let mut will = self.will.take();
        if let Some(topic) = url.take_text("will_topic") {
            will.get_or_insert_with(Will::default).topic = topic;
        }
        if let Some(payload) = url.take_text("will_payload") {
            will.get_or_insert_with(Will::default).payload = payload;
        }
        if let Some(qos) = url.take::<u8>("will_qos", "0, 1 or 2")? {
            will.get_or_insert_with(Will::default).qos = Qos::try_from(qos).map_err(invalid)?;
        }
        if let Some(retain) = url.take("will_retain", "true or false")? {
            will.get_or_insert_with(Will::default).retain = retain;
        }
        self.will = will;
        Ok(())
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "3.1.1" | "4" => Ok(Self::V3),
            "5" => Ok(Self::V5),
            _ => Err(()),
        }
    }
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, Error> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once(':')?;
        Some((name.to_owned(), value.to_owned()))
    };
    let pairs: Option<Vec<_>> = text.split(',').map(pair).collect();
    pairs.ok_or_else(|| {
        invalid("user_properties in the URL: write NAME:VALUE,NAME:VALUE".to_owned())
    })
}
