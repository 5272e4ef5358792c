//! Fields of hello, welcome, heartbeat, refused and goodbye.

use crate::json::{bytes, integer, integer_of, optional, text};
use crate::service::{Down, Service, Up};
use crate::vector::{Outcome, Vector};
use serde_json::Value as Json;
use workyard_protocol::control::{Goodbye, Hello, ServiceKind, Welcome};
use workyard_protocol::{Reason, Refusal, ToClient, ToServer};

/// The frame to a server that a vector describes.
pub(crate) fn to_server<S: Service>(vector: &Vector) -> Up<'static, S> {
    let (operation, fields) = said(vector);
    match operation {
        "hello" => ToServer::Hello(hello(fields)),
        "ping" => ToServer::Ping(integer(fields, "token")),
        "pong" => ToServer::Pong(integer(fields, "token")),
        request => ToServer::Request(vector.request, S::request(request, fields)),
    }
}

/// The frame to a client that a vector describes.
pub(crate) fn to_client<S: Service>(vector: &Vector) -> Down<'static, S> {
    let (operation, fields) = said(vector);
    match operation {
        "welcome" => ToClient::Welcome(welcome(fields)),
        "ping" => ToClient::Ping(integer(fields, "token")),
        "pong" => ToClient::Pong(integer(fields, "token")),
        "refused" => ToClient::Refused(vector.request, refusal(fields)),
        "goodbye" => ToClient::Goodbye(Goodbye {
            refusal: refusal(fields),
            reconnect_after_ms: optional(fields, "reconnect_after_ms", integer_of),
        }),
        other => match S::push(other, fields) {
            Some(push) => ToClient::Push(push),
            None => ToClient::Reply(vector.request, S::reply(other, fields)),
        },
    }
}

pub(crate) fn refusal(fields: &Json) -> Refusal {
    Refusal::new(Reason::from_code(integer(fields, "reason")), text(fields, "text"))
}

fn said(vector: &Vector) -> (&'static str, &Json) {
    match &vector.outcome {
        Outcome::Says { operation, fields } => (operation, fields),
        Outcome::Rejected(_) => panic!("{} is rejected", vector.name),
    }
}

fn hello(fields: &Json) -> Hello<'static> {
    Hello {
        version_min: integer(fields, "version_min"),
        version_max: integer(fields, "version_max"),
        service: match text(fields, "service") {
            "channel-server" => ServiceKind::Channel,
            "globaldata-server" => ServiceKind::GlobalData,
            other => panic!("no service: {other}"),
        },
        features: integer(fields, "features"),
        client: text(fields, "client"),
        credentials: optional(fields, "credentials", bytes),
    }
}

fn welcome(fields: &Json) -> Welcome<'static> {
    Welcome {
        version: integer(fields, "version"),
        features: integer(fields, "features"),
        server: text(fields, "server"),
        epoch: integer(fields, "epoch"),
        session: integer(fields, "session"),
        heartbeat_ms: integer(fields, "heartbeat_ms"),
        frame_bytes_max: integer(fields, "frame_bytes_max"),
    }
}
