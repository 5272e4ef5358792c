//! Packets of MQTT 3.1.1.

use super::{Answer, Arrived, Incoming, Welcome};
use crate::message::{Message, Properties};
use crate::options::Options;
use crate::qos::Qos;
use crate::registry::Wanted;
use bytes::BytesMut;
use rumqttc::{
    ConnAck, Connect, ConnectReturnCode, LastWill, Login, Packet, Protocol, PubAck, PubComp,
    PubRec, PubRel, Publish, QoS, Subscribe, SubscribeFilter, SubscribeReasonCode, Unsubscribe,
};
use workyard_adapter_kit::{Error, ErrorKind};

pub(super) fn greeting(options: &Options) -> Connect {
    let will = options.will.as_ref().map(|will| {
        LastWill::new(will.topic.clone(), will.payload.clone(), qos(will.qos), will.retain)
    });
    let password = || options.password.clone().unwrap_or_default();
    let login = options.username.clone().map(|name| Login::new(name, password()));
    Connect {
        protocol: Protocol::V4,
        keep_alive: options.keepalive_seconds(),
        client_id: options.client_id.clone().unwrap_or_default(),
        clean_session: options.clean_session,
        last_will: will,
        login,
    }
}

pub(super) fn answer(answer: Answer, id: u16) -> Packet {
    match answer {
        Answer::Acknowledged => Packet::PubAck(PubAck::new(id)),
        Answer::Received => Packet::PubRec(PubRec::new(id)),
        Answer::Release => Packet::PubRel(PubRel::new(id)),
        Answer::Completed => Packet::PubComp(PubComp::new(id)),
    }
}

pub(super) fn subscribe(id: u16, wanted: Wanted) -> Subscribe {
    let filter = SubscribeFilter::new(wanted.filter, qos(wanted.qos));
    Subscribe { pkid: id, filters: vec![filter] }
}

pub(super) fn unsubscribe(id: u16, filter: String) -> Unsubscribe {
    Unsubscribe { pkid: id, topics: vec![filter] }
}

pub(super) fn read(mut packet: BytesMut) -> Result<Incoming, String> {
    let packet = Packet::read(&mut packet, usize::MAX).map_err(|error| error.to_string())?;
    Ok(match packet {
        Packet::ConnAck(connack) => return welcome(&connack),
        Packet::Publish(publish) => Incoming::Message(arrived(publish)),
        Packet::PubAck(ack) => Incoming::Acknowledged { id: ack.pkid, outcome: Ok(()) },
        Packet::PubRec(ack) => Incoming::Received { id: ack.pkid, outcome: Ok(()) },
        Packet::PubRel(ack) => Incoming::Released { id: ack.pkid },
        Packet::PubComp(ack) => Incoming::Completed { id: ack.pkid },
        Packet::SubAck(ack) => {
            let outcome = match ack.return_codes.first() {
                Some(SubscribeReasonCode::Success(granted)) => Ok(own_qos(*granted)),
                Some(SubscribeReasonCode::Failure) | None => {
                    let message = "the broker does not grant this subscription";
                    Err(Error::new(ErrorKind::Server, message).with_code(128))
                }
            };
            Incoming::Subscribed { id: ack.pkid, outcome }
        }
        Packet::UnsubAck(ack) => Incoming::Unsubscribed { id: ack.pkid, outcome: Ok(()) },
        Packet::PingResp => Incoming::Pong,
        other => return Err(format!("a broker does not send {other:?}")),
    })
}

fn welcome(connack: &ConnAck) -> Result<Incoming, String> {
    let said = match connack.code {
        ConnectReturnCode::Success => {
            return Ok(Incoming::Welcome(Welcome {
                session_present: connack.session_present,
                receive_max: u16::MAX,
                packet_bytes_max: usize::MAX,
                qos_max: Qos::ExactlyOnce,
                keepalive: None,
                numbers: false,
            }));
        }
        ConnectReturnCode::ServiceUnavailable => (ErrorKind::Unreachable, "it is unavailable"),
        ConnectReturnCode::RefusedProtocolVersion => {
            (ErrorKind::Refused, "it does not speak MQTT 3.1.1")
        }
        ConnectReturnCode::BadClientId => (ErrorKind::Refused, "it does not want this client_id"),
        ConnectReturnCode::BadUserNamePassword => {
            (ErrorKind::Refused, "the user or the password is wrong")
        }
        ConnectReturnCode::NotAuthorized => (ErrorKind::Refused, "this client is not authorized"),
    };
    let error = Error::new(said.0, format!("the broker does not let this client in: {}", said.1));
    Ok(Incoming::Farewell(error.with_code(connack.code as u8)))
}

fn arrived(publish: Publish) -> Arrived {
    let Publish { dup, qos, retain, topic, pkid, payload } = publish;
    let message = Message {
        topic,
        payload,
        qos: own_qos(qos),
        retain,
        duplicate: dup,
        properties: Properties::default(),
        token: None,
    };
    Arrived { id: pkid, message, numbers: Vec::new() }
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
