//! The wire of workerman/channel: what its clients say, and the two things that they hear.

use crate::fields::Body;
use crate::name::{Name, Spelling};
use crate::template::Rest;
use crate::value::{self, Payload};
use smallvec::SmallVec;
use workyard_php::Ties;
use workyard_protocol::limits::NAME_BYTES_MAX;
use workyard_protocol::{ValueRef, frame};

/// The names of a list.
#[derive(Clone, Debug, Default)]
pub struct Names<'a> {
    /// Those that can be names here. Most lists have one.
    pub list: SmallVec<[Name<'a>; 1]>,
    /// How many more there were, each longer than `NAME_BYTES_MAX`.
    pub too_long: usize,
}

impl<'a> Names<'a> {
    pub(crate) fn one(name: Name<'a>) -> Self {
        Self { list: SmallVec::from_buf([name]), too_long: 0 }
    }

    pub(crate) fn into_owned<'b>(self) -> Names<'b> {
        let list = self.list.into_iter().map(Name::into_owned).collect();
        Names { list, too_long: self.too_long }
    }

    pub(crate) fn add(&mut self, name: Name<'a>) {
        if name.as_bytes().len() > NAME_BYTES_MAX {
            self.too_long += 1;
        } else {
            self.list.push(name);
        }
    }
}

/// What a client asks. Nothing of it is ever answered.
#[derive(Clone, Debug)]
pub enum Request<'a> {
    /// It wants the messages of these channels.
    Subscribe(Names<'a>),
    /// It wants them no longer.
    Unsubscribe(Names<'a>),
    /// A message for every subscriber of each channel.
    Publish(Names<'a>, Payload<'a>),
    /// A message for one subscriber of each channel, in its turn.
    PublishOne(Names<'a>, Payload<'a>),
    /// It will ask for jobs of these queues.
    Watch(Names<'a>),
    /// It will not.
    Unwatch(Names<'a>),
    /// A job for each queue.
    Enqueue(Names<'a>, Payload<'a>),
    /// It takes one job of each queue that it watches.
    Reserve,
}

/// How many values stand before `data` in what a server sends: the array, the type and the channel.
const SLOTS_BEFORE_DATA: usize = 3;

/// Reads a frame's body. What the original ignores with a warning, or dies of, is nothing.
#[must_use]
pub fn decode(body: &[u8]) -> Option<Request<'_>> {
    usual(body).or_else(|| general(body))
}

fn general(body: &[u8]) -> Option<Request<'_>> {
    let body = Body::read(body, ["type", "channels", "data"], Ties::Living).ok()??;
    let names = || body.names("channels");
    let data = || body.value("data");
    // PHP takes `true` for the verb that it compares with first.
    Some(match body.text("type")?.as_ref() {
        b"b:1;" | b"s:9:\"subscribe\";" => Request::Subscribe(names()?),
        b"s:11:\"unsubscribe\";" => Request::Unsubscribe(names()?),
        b"s:7:\"publish\";" => Request::Publish(names()?, data()),
        b"s:11:\"publishLoop\";" => Request::PublishOne(names()?, data()),
        b"s:5:\"watch\";" => Request::Watch(names()?),
        b"s:7:\"unwatch\";" => Request::Unwatch(names()?),
        b"s:7:\"enqueue\";" => Request::Enqueue(names()?, data()),
        b"s:7:\"reserve\";" => Request::Reserve,
        _ => return None,
    })
}

/// The frequent requests, as the original's client writes them for one name.
fn usual(body: &[u8]) -> Option<Request<'_>> {
    if body == b"a:1:{s:4:\"type\";s:7:\"reserve\";}" {
        return Some(Request::Reserve);
    }
    let mut rest = Rest::new(body);
    // The most frequent one of all has its verb compared with the rest.
    let publish = rest.literal(b"a:3:{s:4:\"type\";s:7:\"publish\";s:8:\"channels\";a:1:{i:0;");
    let verb = if publish.is_some() {
        b"publish"
    } else {
        rest.literal(b"a:3:{s:4:\"type\";")?;
        let verb = rest.string()?;
        rest.literal(b"s:8:\"channels\";a:1:{i:0;")?;
        verb
    };
    let name = rest.name().filter(|name| name.as_bytes().len() <= NAME_BYTES_MAX)?;
    rest.literal(b"}s:4:\"data\";")?;
    let data = rest.value()?;
    rest.end(b"}")?;
    let names = Names::one(name);
    Some(match verb {
        b"publish" => Request::Publish(names, data),
        b"publishLoop" => Request::PublishOne(names, data),
        b"enqueue" => Request::Enqueue(names, data),
        _ => return None,
    })
}

/// Appends a message to a subscriber, as a frame.
pub fn put_event(channel: &[u8], spelling: Spelling<'_>, data: ValueRef<'_>, out: &mut Vec<u8>) {
    put(b"a:3:{s:4:\"type\";s:5:\"event\";s:7:\"channel\";", channel, spelling, data, out);
}

/// Appends a job to a consumer, as a frame.
pub fn put_job(queue: &[u8], spelling: Spelling<'_>, data: ValueRef<'_>, out: &mut Vec<u8>) {
    put(b"a:3:{s:4:\"type\";s:5:\"queue\";s:7:\"channel\";", queue, spelling, data, out);
}

fn put(head: &[u8], name: &[u8], spelling: Spelling<'_>, data: ValueRef<'_>, out: &mut Vec<u8>) {
    frame::encode(out, |out| {
        out.extend_from_slice(head);
        spelling.put(name, out);
        out.extend_from_slice(b"s:4:\"data\";");
        value::put(data, SLOTS_BEFORE_DATA, out);
        out.push(b'}');
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [&str; 12] = [
        "N;",
        "b:1;",
        "i:5;",
        "i:-9223372036854775808;",
        "d:0.5;",
        "d:NAN;",
        "s:0:\"\";",
        "s:3:\"a\"}\";",
        "a:0:{}",
        "a:2:{i:0;i:1;s:1:\"k\";a:1:{i:0;N;}}",
        "O:8:\"stdClass\":1:{s:1:\"a\";b:0;}",
        "i:+5;",
    ];

    fn publish(verb: &str, name: &str, data: &str) -> String {
        let verb = format!("s:{}:\"{verb}\";", verb.len());
        let head = format!("a:3:{{s:4:\"type\";{verb}s:8:\"channels\";a:1:{{i:0;{name}}}");
        format!("{head}s:4:\"data\";{data}}}")
    }

    #[test]
    fn the_usual_way_reads_what_the_general_way_reads() {
        let mut usually = 0;
        for verb in ["publish", "publishLoop", "enqueue", "subscribe", "foo"] {
            for name in VALUES {
                for data in VALUES {
                    let body = publish(verb, name, data);
                    let general = format!("{:?}", general(body.as_bytes()));
                    assert_eq!(format!("{:?}", decode(body.as_bytes())), general, "{body}");
                    usually += u32::from(usual(body.as_bytes()).is_some());
                }
            }
        }
        // Three verbs, and all integers and strings for names, with all but one value.
        assert_eq!(usually, 3 * 4 * 11);
    }

    #[test]
    fn a_request_that_is_cut_or_goes_on_is_read_alike_by_both_ways() {
        let body = publish("publish", "s:1:\"a\";", "s:3:\"abc\";");
        assert!(usual(body.as_bytes()).is_some());
        for end in 0..body.len() {
            assert!(decode(&body.as_bytes()[..end]).is_none(), "{end}");
        }
        let longer = format!("{body}junk");
        assert!(usual(longer.as_bytes()).is_none());
        assert!(matches!(decode(longer.as_bytes()), Some(Request::Publish(..))));
    }

    #[test]
    fn what_is_sent_is_what_the_original_sends() {
        let mut out = Vec::new();
        put_event(b"user_login", Spelling::Text, ValueRef::raw("str"), &mut out);
        put_job(b"7", Spelling::Int, ValueRef::Int(-1), &mut out);
        let event = b"\0\0\0\x56a:3:{s:4:\"type\";s:5:\"event\";s:7:\"channel\";\
            s:10:\"user_login\";s:4:\"data\";s:3:\"str\";}";
        let job = b"\0\0\0\x43a:3:{s:4:\"type\";s:5:\"queue\";s:7:\"channel\";\
            i:7;s:4:\"data\";i:-1;}";
        assert_eq!(out, [&event[..], job].concat());
    }
}
