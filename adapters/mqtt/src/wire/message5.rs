//! A message of MQTT 5 as it arrives. rumqttc 0.25.1 takes payload for properties once a message names several
//! subscriptions.

use super::Arrived;
use super::version5::own_qos;
use crate::message::{Message, Properties};
use bytes::{Buf, Bytes};
use rumqttc::v5::mqttbytes::qos;
use std::time::Duration;

type Read<T> = Result<T, String>;

/// Reads the whole packet of a PUBLISH.
pub(super) fn read(mut packet: Bytes) -> Read<Arrived> {
    let first = byte(&mut packet)?;
    let length = number(&mut packet)?;
    let mut rest = part(&mut packet, length)?;
    let qos = qos(first >> 1 & 3).ok_or("there is no QoS 3")?;
    let topic = text(&mut rest)?;
    let id = if own_qos(qos) == crate::qos::Qos::AtMostOnce { 0 } else { short(&mut rest)? };
    if id == 0 && first & 6 != 0 {
        return Err("a message without an identifier".to_owned());
    }
    let length = number(&mut rest)?;
    let (properties, numbers) = properties(part(&mut rest, length)?)?;
    let message = Message {
        topic,
        payload: rest,
        qos: own_qos(qos),
        retain: first & 1 != 0,
        duplicate: first & 8 != 0,
        properties,
        token: None,
    };
    Ok(Arrived { id, message, numbers })
}

/// The properties, and the subscriptions that the message is for.
fn properties(mut bytes: Bytes) -> Read<(Properties, Vec<usize>)> {
    let (mut found, mut numbers) = (Properties::default(), Vec::new());
    while !bytes.is_empty() {
        match byte(&mut bytes)? {
            // The format of the payload.
            0x01 => drop(byte(&mut bytes)?),
            0x02 => {
                let seconds = bytes.try_get_u32().map_err(|_| short_of())?;
                found.message_expiry = Some(Duration::from_secs(seconds.into()));
            }
            0x03 => found.content_type = Some(text(&mut bytes)?),
            0x08 => found.response_topic = Some(text(&mut bytes)?),
            0x09 => found.correlation_data = Some(data(&mut bytes)?),
            0x0B => numbers.push(number(&mut bytes)?),
            0x26 => found.user.push((text(&mut bytes)?, text(&mut bytes)?)),
            // An alias of the topic is among them: no broker was told that it may use some.
            other => return Err(format!("a message has no property {other}")),
        }
    }
    Ok((found, numbers))
}

/// In up to four bytes, each with seven bits of it.
fn number(bytes: &mut Bytes) -> Read<usize> {
    let mut number = 0;
    for place in 0..4 {
        let byte = byte(bytes)?;
        number |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number has no end".to_owned())
}

fn text(bytes: &mut Bytes) -> Read<String> {
    String::from_utf8(data(bytes)?.into()).map_err(|_| "a text is not UTF-8".to_owned())
}

fn data(bytes: &mut Bytes) -> Read<Bytes> {
    let length = short(bytes)?;
    part(bytes, length.into())
}

fn part(bytes: &mut Bytes, length: usize) -> Read<Bytes> {
    if bytes.len() < length { Err(short_of()) } else { Ok(bytes.split_to(length)) }
}

fn short(bytes: &mut Bytes) -> Read<u16> {
    bytes.try_get_u16().map_err(|_| short_of())
}

fn byte(bytes: &mut Bytes) -> Read<u8> {
    bytes.try_get_u8().map_err(|_| short_of())
}

fn short_of() -> String {
    "it ends too early".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(first: u8, identifier: &[u8], properties: &[u8], payload: &[u8]) -> Bytes {
        let length = u8::try_from(properties.len()).unwrap();
        let rest = [&[0, 3, b'a', b'/', b'b'], identifier, &[length], properties, payload].concat();
        [&[first, u8::try_from(rest.len()).unwrap()], &rest[..]].concat().into()
    }

    #[test]
    fn a_message_that_names_several_subscriptions_keeps_its_payload() {
        for count in 0..=5 {
            // The last one takes two bytes.
            let mut numbers: Vec<usize> = (1..=count).collect();
            let mut properties: Vec<u8> = (1..=count).flat_map(|it| [0x0B, it as u8]).collect();
            properties.extend([0x0B, 0x85, 0x02]);
            numbers.push(261);
            properties.extend([0x26, 0, 1, b'k', 0, 1, b'v', 0x02, 0, 0, 0, 9, 0x01, 1]);
            properties.extend([0x03, 0, 1, b'c', 0x08, 0, 1, b'r', 0x09, 0, 1, b'd']);
            for (first, identifier, id) in [(0x30, &[][..], 0), (0x3D, &[1, 2][..], 258)] {
                let arrived = read(packet(first, identifier, &properties, b"hello")).unwrap();
                assert_eq!((arrived.id, &arrived.numbers), (id, &numbers));
                let Message { topic, payload, qos, retain, duplicate, properties, .. } =
                    arrived.message;
                assert_eq!((topic.as_str(), &payload[..]), ("a/b", &b"hello"[..]));
                let flags = (qos.to_string(), retain, duplicate);
                let expected = if id == 0 { ("0", false, false) } else { ("2", true, true) };
                assert_eq!((flags.0.as_str(), flags.1, flags.2), expected);
                assert_eq!(properties.user, [("k".to_owned(), "v".to_owned())]);
                assert_eq!(properties.message_expiry, Some(Duration::from_secs(9)));
                assert_eq!(properties.content_type.as_deref(), Some("c"));
                assert_eq!(properties.response_topic.as_deref(), Some("r"));
                assert_eq!(properties.correlation_data.as_deref(), Some(&b"d"[..]));
            }
        }
    }

    #[test]
    fn properties_that_cannot_be_are_an_error() {
        for properties in [
            &[0x0B][..],
            &[0x0B, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0x02, 0, 0],
            &[0x03, 0, 9, b'x'],
            &[0x23, 0, 1],
            &[0x77],
        ] {
            assert!(read(packet(0x30, &[], properties, b"")).is_err(), "{properties:x?}");
        }
        assert!(read(packet(0x36, &[0, 1], &[], b"")).is_err());
        assert!(read(packet(0x32, &[0, 0], &[], b"")).is_err());
    }
}
