//! Packets of brokers, byte by byte, and what is made of them.

use super::*;
use Version::{V3, V5};

/// What a packet says, in short.
fn said(version: Version, bytes: &[u8]) -> String {
    let outcome = |outcome: Result<String, Error>| match outcome {
        Ok(good) => good,
        Err(error) => format!("{} {}", error.kind(), error.code().unwrap_or("-")),
    };
    let good = |result: Result<(), Error>| outcome(result.map(|()| "good".to_owned()));
    match read(version, bytes.into()) {
        Ok(Incoming::Welcome(it)) => format!("welcome {}", it.session_present),
        Ok(Incoming::Message(it)) => format!("message {} {}", it.id, it.message.topic),
        Ok(Incoming::Acknowledged { id, outcome }) => format!("puback {id} {}", good(outcome)),
        Ok(Incoming::Received { id, outcome }) => format!("pubrec {id} {}", good(outcome)),
        Ok(Incoming::Released { id }) => format!("pubrel {id}"),
        Ok(Incoming::Completed { id }) => format!("pubcomp {id}"),
        Ok(Incoming::Subscribed { id, outcome: granted }) => {
            format!("suback {id} {}", outcome(granted.map(|qos| qos.to_string())))
        }
        Ok(Incoming::Unsubscribed { id, outcome }) => format!("unsuback {id} {}", good(outcome)),
        Ok(Incoming::Pong) => "pong".to_owned(),
        Ok(Incoming::Farewell(error)) => format!("farewell {}", outcome(Err(error))),
        Err(error) => outcome(Err(error)),
    }
}

#[test]
fn packets_of_version_3_are_understood() {
    let cases: [(&[u8], &str); 19] = [
        (&[0x20, 2, 1, 0], "welcome true"),
        (&[0x20, 2, 0, 1], "farewell refused 1"),
        (&[0x20, 2, 0, 2], "farewell refused 2"),
        (&[0x20, 2, 0, 3], "farewell unreachable 3"),
        (&[0x20, 2, 0, 4], "farewell refused 4"),
        (&[0x20, 2, 0, 5], "farewell refused 5"),
        (&[0x20, 2, 0, 9], "protocol -"),
        (&[0x32, 6, 0, 1, b't', 0, 7, b'x'], "message 7 t"),
        (&[0x32, 5, 0, 1, b't', 0, 0], "protocol -"),
        (&[0x30, 3, 0, 9, b't'], "protocol -"),
        (&[0x36, 5, 0, 1, b't', 0, 7], "protocol -"),
        (&[0x40, 2, 0, 7], "puback 7 good"),
        (&[0x50, 2, 0, 7], "pubrec 7 good"),
        (&[0x62, 2, 0, 7], "pubrel 7"),
        (&[0x70, 2, 0, 7], "pubcomp 7"),
        (&[0x90, 3, 0, 7, 1], "suback 7 1"),
        (&[0x90, 3, 0, 7, 0x80], "suback 7 server 128"),
        (&[0xB0, 2, 0, 7], "unsuback 7 good"),
        (&[0xC0, 0], "protocol -"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(said(V3, bytes), expected, "{bytes:x?}");
    }
}

#[test]
fn packets_of_version_5_are_understood() {
    let cases: [(&[u8], &str); 20] = [
        (&[0x20, 3, 1, 0, 0], "welcome true"),
        (&[0x20, 3, 0, 0x86, 0], "farewell refused BadUserNamePassword"),
        (&[0x20, 3, 0, 0x87, 0], "farewell refused NotAuthorized"),
        (&[0x20, 3, 0, 0x89, 0], "farewell unreachable ServerBusy"),
        (&[0x32, 7, 0, 1, b't', 0, 7, 0, b'x'], "message 7 t"),
        (&[0x32, 7, 0, 1, 0xFF, 0, 7, 0, b'x'], "protocol -"),
        (&[0x40, 2, 0, 7], "puback 7 good"),
        (&[0x40, 3, 0, 7, 0x10], "puback 7 good"),
        (&[0x40, 3, 0, 7, 0x87], "puback 7 server NotAuthorized"),
        (&[0x50, 3, 0, 7, 0x97], "pubrec 7 server QuotaExceeded"),
        (&[0x62, 2, 0, 7], "pubrel 7"),
        (&[0x70, 3, 0, 7, 0x92], "pubcomp 7"),
        (&[0x90, 4, 0, 7, 0, 2], "suback 7 2"),
        (&[0x90, 4, 0, 7, 0, 0x87], "suback 7 server NotAuthorized"),
        (&[0xB0, 4, 0, 7, 0, 0x11], "unsuback 7 good"),
        (&[0xD0, 0], "pong"),
        (&[0xE0, 0], "farewell disconnected NormalDisconnection"),
        (&[0xE0, 2, 0x8E, 0], "farewell disconnected SessionTakenOver"),
        (&[0xE0, 1, 0x8E], "farewell disconnected SessionTakenOver"),
        (&[0xE0, 2, 0x87, 0], "farewell refused NotAuthorized"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(said(V5, bytes), expected, "{bytes:x?}");
    }
}

#[test]
fn with_version_5_a_password_may_stand_alone() {
    let (options, _) = Options::new("mqtt://:secret@h?version=5").resolve().unwrap();
    let mut greeting = BytesMut::new();
    write_greeting(&options, &mut greeting).unwrap();
    assert!(greeting.ends_with(b"\0\x06secret"), "{greeting:x?}");
    // The flags follow the name and the number of the protocol: a password, and a clean start.
    assert_eq!(greeting[9], 0x42, "{greeting:x?}");
}

#[test]
fn no_packet_is_too_strange_to_be_read() {
    for version in [V3, V5] {
        for kind in 0..=255 {
            for length in 0..12_u8 {
                for filler in [0, 1, 7, 0x26, 0x7F, 0x80, 0xFF] {
                    let mut bytes = vec![kind, length];
                    bytes.resize(2 + usize::from(length), filler);
                    said(version, &bytes);
                }
            }
        }
    }
}
