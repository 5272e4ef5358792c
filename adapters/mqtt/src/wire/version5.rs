//! Packets of MQTT 5.

use super::{Answer, Incoming, Welcome};
use crate::message::Properties;
use crate::options::Options;
use crate::qos::Qos;
use crate::registry::Wanted;
use bytes::BytesMut;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, Connect, ConnectProperties, ConnectReturnCode, Disconnect, DisconnectReasonCode,
    Filter, LastWill, Login, Packet, PubAck, PubAckReason, PubComp, PubRec, PubRecReason, PubRel,
    PublishProperties, SubAck, Subscribe, SubscribeProperties, SubscribeReasonCode, UnsubAck,
    UnsubAckReason, Unsubscribe,
};
use std::fmt::Debug;
use std::time::Duration;
use workyard_adapter_kit::{Error, ErrorKind};

/// The kind of packet that rumqttc cannot be trusted with.
const PUBLISH: u8 = 3;

pub(super) fn greeting(options: &Options) -> Packet {
    let mut properties = ConnectProperties::new();
    properties.max_packet_size = Some(u32::try_from(options.packet_bytes_max).unwrap_or(u32::MAX));
    properties.receive_maximum = Some(options.receive_max);
    properties.session_expiry_interval = (!options.clean_session)
        .then(|| u32::try_from(options.session_expiry.as_secs()).unwrap_or(u32::MAX));
    properties.user_properties.clone_from(&options.user_properties);
    let connect = Connect {
        keep_alive: options.keepalive_seconds(),
        client_id: options.client_id.clone().unwrap_or_default(),
        clean_start: options.clean_session,
        properties: Some(properties),
    };
    let will = options.will.as_ref().map(|will| {
        let topic = will.topic.clone();
        LastWill::new(topic, will.payload.clone(), qos(will.qos), will.retain, None)
    });
    let Options { username, password, .. } = options;
    // A password may stand alone.
    let login = (username.is_some() || password.is_some()).then(|| {
        Login::new(username.clone().unwrap_or_default(), password.clone().unwrap_or_default())
    });
    Packet::Connect(connect, will, login)
}

pub(super) fn answer(answer: Answer, id: u16) -> Packet {
    match answer {
        Answer::Acknowledged => Packet::PubAck(PubAck::new(id, None)),
        Answer::Received => Packet::PubRec(PubRec::new(id, None)),
        Answer::Release => Packet::PubRel(PubRel::new(id, None)),
        Answer::Completed => Packet::PubComp(PubComp::new(id, None)),
    }
}

pub(super) fn subscribe(id: u16, wanted: Wanted, numbered: bool) -> Subscribe {
    let properties = numbered
        .then(|| SubscribeProperties { id: Some(wanted.number), user_properties: Vec::new() });
    let mut subscribe = Subscribe::new(Filter::new(wanted.filter, qos(wanted.qos)), properties);
    subscribe.pkid = id;
    subscribe
}

pub(super) fn unsubscribe(id: u16, filter: String) -> Unsubscribe {
    let mut unsubscribe = Unsubscribe::new(filter, None);
    unsubscribe.pkid = id;
    unsubscribe
}

pub(super) fn publish_properties(properties: Properties) -> PublishProperties {
    let expiry = properties.message_expiry;
    PublishProperties {
        user_properties: properties.user,
        response_topic: properties.response_topic,
        correlation_data: properties.correlation_data,
        message_expiry_interval: expiry.map(|it| u32::try_from(it.as_secs()).unwrap_or(u32::MAX)),
        content_type: properties.content_type,
        ..PublishProperties::default()
    }
}

pub(super) fn read(mut packet: BytesMut) -> Result<Incoming, String> {
    // These two bytes are a sound packet, which the codec does not know.
    if packet[..] == [0xE0, 0] {
        return Ok(Incoming::Farewell(ended("NormalDisconnection", None)));
    }
    // Nor does it know a reason without properties.
    if let [0xE0, 1, reason] = packet[..] {
        packet = BytesMut::from(&[0xE0, 2, reason, 0][..]);
    }
    if packet.first().is_some_and(|byte| byte >> 4 == PUBLISH) {
        return super::message5::read(packet.freeze()).map(Incoming::Message);
    }
    let packet = Packet::read(&mut packet, None).map_err(|error| error.to_string())?;
    Ok(match packet {
        Packet::ConnAck(connack) => welcome(connack),
        Packet::PubAck(ack) => {
            use PubAckReason::{NoMatchingSubscribers, Success};
            let text = ack.properties.and_then(|it| it.reason_string);
            let good = matches!(ack.reason, Success | NoMatchingSubscribers);
            Incoming::Acknowledged { id: ack.pkid, outcome: outcome(good, ack.reason, text) }
        }
        Packet::PubRec(ack) => {
            use PubRecReason::{NoMatchingSubscribers, Success};
            let text = ack.properties.and_then(|it| it.reason_string);
            let good = matches!(ack.reason, Success | NoMatchingSubscribers);
            Incoming::Received { id: ack.pkid, outcome: outcome(good, ack.reason, text) }
        }
        Packet::PubRel(ack) => Incoming::Released { id: ack.pkid },
        // Of an identifier that the broker does not know the end has come before.
        Packet::PubComp(ack) => Incoming::Completed { id: ack.pkid },
        Packet::SubAck(ack) => subscribed(ack),
        Packet::UnsubAck(ack) => unsubscribed(ack),
        Packet::PingResp(_) => Incoming::Pong,
        Packet::Disconnect(farewell) => Incoming::Farewell(disconnected(farewell)),
        other => return Err(format!("a broker does not send {other:?}")),
    })
}

fn welcome(connack: ConnAck) -> Incoming {
    let ConnAck { session_present, code, properties } = connack;
    if code != ConnectReturnCode::Success {
        return Incoming::Farewell(refused(code, properties.and_then(|it| it.reason_string)));
    }
    let said = properties.as_ref();
    let bytes = said.and_then(|it| it.max_packet_size);
    let qos_max = said.and_then(|it| it.max_qos).and_then(|it| Qos::try_from(it).ok());
    let seconds = said.and_then(|it| it.server_keep_alive);
    Incoming::Welcome(Welcome {
        session_present,
        receive_max: said.and_then(|it| it.receive_max).unwrap_or(u16::MAX).max(1),
        packet_bytes_max: bytes.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX)),
        qos_max: qos_max.unwrap_or(Qos::ExactlyOnce),
        keepalive: seconds.map(|it| Duration::from_secs(it.into())),
        numbers: said.and_then(|it| it.subscription_identifiers_available) != Some(0),
    })
}

/// What passes by itself is no refusal.
fn refused(code: ConnectReturnCode, text: Option<String>) -> Error {
    use ConnectReturnCode::{
        ConnectionRateExceeded, ServerBusy, ServerUnavailable, ServiceUnavailable, UnspecifiedError,
    };
    let passes = [
        ConnectionRateExceeded,
        ServerBusy,
        ServerUnavailable,
        ServiceUnavailable,
        UnspecifiedError,
    ];
    let kind = if passes.contains(&code) { ErrorKind::Unreachable } else { ErrorKind::Refused };
    let said = said(&code, text);
    Error::new(kind, format!("the broker does not let this client in: {said}"))
        .with_code(format!("{code:?}"))
}

fn disconnected(farewell: Disconnect) -> Error {
    let code = farewell.reason_code;
    let text = farewell.properties.and_then(|it| it.reason_string);
    let error = ended(&format!("{code:?}"), text);
    match code {
        DisconnectReasonCode::NotAuthorized => {
            Error::new(ErrorKind::Refused, error.message()).with_code("NotAuthorized")
        }
        _ => error,
    }
}

fn ended(code: &str, text: Option<String>) -> Error {
    let text = text.map(|text| format!(" ({text})")).unwrap_or_default();
    let message = format!("the broker has ended the connection: {code}{text}");
    Error::new(ErrorKind::Disconnected, message).with_code(code)
}

fn subscribed(ack: SubAck) -> Incoming {
    let text = ack.properties.and_then(|it| it.reason_string);
    let outcome = match ack.return_codes.first() {
        Some(SubscribeReasonCode::Success(granted)) => Ok(own_qos(*granted)),
        Some(code) => Err(unwanted(code, text)),
        None => Err(unwanted(&SubscribeReasonCode::Unspecified, text)),
    };
    Incoming::Subscribed { id: ack.pkid, outcome }
}

fn unsubscribed(ack: UnsubAck) -> Incoming {
    let text = ack.properties.and_then(|it| it.reason_string);
    let outcome = match ack.reasons.first() {
        Some(UnsubAckReason::Success | UnsubAckReason::NoSubscriptionExisted) | None => Ok(()),
        Some(code) => Err(unwanted(code, text)),
    };
    Incoming::Unsubscribed { id: ack.pkid, outcome }
}

fn outcome(good: bool, reason: impl Debug, text: Option<String>) -> Result<(), Error> {
    if good { Ok(()) } else { Err(unwanted(&reason, text)) }
}

fn unwanted(reason: &dyn Debug, text: Option<String>) -> Error {
    let message = format!("the broker says no: {}", said(reason, text));
    Error::new(ErrorKind::Server, message).with_code(format!("{reason:?}"))
}

fn said(reason: &dyn Debug, text: Option<String>) -> String {
    text.map_or_else(|| format!("{reason:?}"), |text| format!("{reason:?} ({text})"))
}

pub(super) fn qos(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
        Qos::ExactlyOnce => QoS::ExactlyOnce,
    }
}

pub(super) fn own_qos(qos: QoS) -> Qos {
    match qos {
        QoS::AtMostOnce => Qos::AtMostOnce,
        QoS::AtLeastOnce => Qos::AtLeastOnce,
        QoS::ExactlyOnce => Qos::ExactlyOnce,
    }
}
