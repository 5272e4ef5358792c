//! A message as it is sent, in one version or the other.

use crate::message::{Properties, Publish};
use crate::options::Version;
use crate::qos::Qos;
use bytes::{Bytes, BytesMut};
use rumqttc::v5::mqttbytes::v5;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use workyard_adapter_kit::{Error, ErrorKind};

/// As texts of the protocol write their length in two bytes.
const TEXT_BYTES_MAX: usize = 65_535;

/// Made once, and written as often as it takes. Clones are the same message: of one that is given up nothing is
/// kept, wherever it waits.
#[derive(Clone, Debug)]
pub(crate) struct Publication(Arc<Mutex<Packet>>);

#[derive(Debug)]
enum Packet {
    V3(rumqttc::Publish),
    V5(v5::Publish),
}

impl Publication {
    pub(crate) fn new(version: Version, message: Publish) -> Result<Self, Error> {
        let Publish { topic, payload, qos, retain, properties } = message;
        if version == Version::V3 {
            if properties != Properties::default() {
                let message = "properties are for MQTT 5; open the URL with version=5 for them";
                return Err(Error::new(ErrorKind::InvalidRequest, message));
            }
            let mut publish =
                rumqttc::Publish::from_bytes(topic, super::version3::qos(qos), payload);
            publish.retain = retain;
            return Ok(Self::of(Packet::V3(publish)));
        }
        check_texts(&properties)?;
        let mut publish = v5::Publish::new(topic, super::version5::qos(qos), payload, None);
        publish.retain = retain;
        if properties != Properties::default() {
            publish.properties = Some(super::version5::publish_properties(properties));
        }
        Ok(Self::of(Packet::V5(publish)))
    }

    pub(crate) fn qos(&self) -> Qos {
        match &*self.packet() {
            Packet::V3(publish) => super::version3::own_qos(publish.qos),
            Packet::V5(publish) => super::version5::own_qos(publish.qos),
        }
    }

    /// How many bytes it takes on the wire, with its identifier.
    pub(crate) fn size(&self) -> usize {
        match &*self.packet() {
            Packet::V3(publish) => publish.size(),
            Packet::V5(publish) => publish.size(),
        }
    }

    pub(crate) fn set_id(&self, id: u16) {
        match &mut *self.packet() {
            Packet::V3(publish) => publish.pkid = id,
            Packet::V5(publish) => publish.pkid = id,
        }
    }

    /// Whether the broker may have it already, from the same session.
    pub(crate) fn set_duplicate(&self, duplicate: bool) {
        match &mut *self.packet() {
            Packet::V3(publish) => publish.dup = duplicate,
            Packet::V5(publish) => publish.dup = duplicate,
        }
    }

    pub(crate) fn write(&self, out: &mut BytesMut) -> Result<(), Error> {
        super::written(match &*self.packet() {
            Packet::V3(publish) => publish.write(out).map_err(|it| it.to_string()),
            Packet::V5(publish) => publish.write(out).map_err(|it| it.to_string()),
        })
    }

    /// Nobody will send it: what it says is not kept.
    pub(crate) fn forget(&self) {
        match &mut *self.packet() {
            Packet::V3(publish) => publish.payload = Bytes::new(),
            Packet::V5(publish) => {
                publish.payload = Bytes::new();
                publish.properties = None;
            }
        }
    }

    fn of(packet: Packet) -> Self {
        Self(Arc::new(Mutex::new(packet)))
    }

    fn packet(&self) -> MutexGuard<'_, Packet> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_texts(properties: &Properties) -> Result<(), Error> {
    let Properties { user, response_topic, correlation_data, content_type, .. } = properties;
    if let Some(topic) = response_topic {
        crate::topic::check_topic(topic)?;
    }
    let data = correlation_data.as_ref().map(|data| data.len());
    let lengths = user.iter().flat_map(|(name, value)| [name.len(), value.len()]);
    let longest = lengths.chain(content_type.as_ref().map(String::len)).chain(data).max();
    if longest.is_some_and(|bytes| bytes > TEXT_BYTES_MAX) {
        let message = format!("a property is longer than {TEXT_BYTES_MAX} bytes");
        return Err(Error::new(ErrorKind::InvalidRequest, message));
    }
    Ok(())
}
