//! A message as it is sent, in one version or the other.

use crate::message::{Properties, Publish};
use crate::options::Version;
use crate::qos::Qos;
use bytes::BytesMut;
use rumqttc::v5::mqttbytes::v5;
use workyard_adapter_kit::{Error, ErrorKind};

/// As texts of the protocol write their length in two bytes.
const TEXT_BYTES_MAX: usize = 65_535;

/// Made once, and written as often as it takes.
#[derive(Debug)]
pub(crate) enum Publication {
    V3(rumqttc::Publish),
    V5(Box<v5::Publish>),
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
            return Ok(Self::V3(publish));
        }
        check_texts(&properties)?;
        let mut publish = v5::Publish::new(topic, super::version5::qos(qos), payload, None);
        publish.retain = retain;
        if properties != Properties::default() {
            publish.properties = Some(super::version5::publish_properties(properties));
        }
        Ok(Self::V5(Box::new(publish)))
    }

    pub(crate) fn qos(&self) -> Qos {
        match self {
            Self::V3(publish) => super::version3::own_qos(publish.qos),
            Self::V5(publish) => super::version5::own_qos(publish.qos),
        }
    }

    /// How many bytes it takes on the wire, with its identifier.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::V3(publish) => publish.size(),
            Self::V5(publish) => publish.size(),
        }
    }

    pub(crate) fn set_id(&mut self, id: u16) {
        match self {
            Self::V3(publish) => publish.pkid = id,
            Self::V5(publish) => publish.pkid = id,
        }
    }

    /// Whether the broker may have it already, from the same session.
    pub(crate) fn set_duplicate(&mut self, duplicate: bool) {
        match self {
            Self::V3(publish) => publish.dup = duplicate,
            Self::V5(publish) => publish.dup = duplicate,
        }
    }

    pub(crate) fn write(&self, out: &mut BytesMut) -> Result<(), Error> {
        super::written(match self {
            Self::V3(publish) => publish.write(out).map_err(|it| it.to_string()),
            Self::V5(publish) => publish.write(out).map_err(|it| it.to_string()),
        })
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
