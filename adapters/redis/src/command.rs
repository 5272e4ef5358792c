//! What a command is: how it is sent, and what errors and metrics call it.

mod table;

use crate::limits::REQUEST_OVERHEAD_BYTES;
use redis::{Arg, Cmd, Pipeline};
use std::str::FromStr;
use std::time::Duration;
use table::COMMANDS;
use workyard_adapter_kit::{Error, ErrorKind, Repeat};

/// Longer than any name of a command.
const NAME_BYTES_MAX: usize = 32;
/// What a module has added, perhaps: it may write.
const UNKNOWN: (&str, Kind) = ("command", Kind::Writes);
/// What blocks without end: as long as a timer can be set.
const FOREVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// What the adapter knows of a command's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Reads,
    Writes,
    /// Takes away elements, and waits for them.
    Pops(Timeout),
    /// Reads streams, and waits if it says so.
    Streams,
    /// Waits for what the same connection has written.
    Waits,
    /// `CLIENT`, whose subcommands differ.
    Client,
    Refused(Why),
}

/// Which argument says how long a command waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timeout {
    First,
    Last,
}

/// Why a command cannot be sent over a connection that is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    OwnConnection,
    Subscription,
    Transaction,
    Replication,
}

/// A request, as far as it matters how it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The command's name: one of few.
    pub(crate) name: &'static str,
    /// When it may be sent again.
    pub(crate) repeat: Repeat,
    /// How long it keeps its connection busy, if it does.
    pub(crate) blocks: Option<Duration>,
    /// How many bytes it has, about.
    pub(crate) bytes: usize,
}

impl Request {
    /// Looks at a command.
    pub(crate) fn of(command: &Cmd) -> Result<Self, Error> {
        let (name, kind) = kind_of(command)?;
        let request = Self { name, repeat: Repeat::IfUnsent, blocks: None, bytes: bytes(command) };
        match kind {
            Kind::Reads => Ok(Self { repeat: Repeat::Freely, ..request }),
            Kind::Writes => Ok(request),
            Kind::Pops(place) => Ok(Self { blocks: Some(timeout(command, place)), ..request }),
            Kind::Streams => Ok(streams(command, request)),
            Kind::Client => client(command).map(|()| request),
            Kind::Waits => Err(refused(
                name,
                "it waits for what its own connection has written; put it at the end of a pipeline \
                 that writes",
            )),
            Kind::Refused(why) => Err(refused(name, why.text())),
        }
    }

    /// Looks at the commands of a pipeline. Those that wait do so for longer than each of them says.
    pub(crate) fn of_pipeline(pipeline: &Pipeline) -> Result<Self, Error> {
        let atomic = pipeline.is_transaction();
        let name = if atomic { "transaction" } else { "pipeline" };
        let mut whole = Self { name, repeat: Repeat::Freely, blocks: None, bytes: 0 };
        for command in pipeline.cmd_iter() {
            let part = match kind_of(command)? {
                (name, Kind::Waits) => {
                    let blocks = Some(milliseconds(words(command).last()));
                    Self { name, repeat: Repeat::Never, blocks, bytes: bytes(command) }
                }
                _ => Self::of(command)?,
            };
            if part.blocks.is_some() && part.repeat != Repeat::Never && !atomic {
                let message = "it would hold up the pipeline; send it by itself";
                return Err(refused(part.name, message));
            }
            whole.bytes += part.bytes;
            if part.repeat != Repeat::Freely {
                whole.repeat = Repeat::IfUnsent;
            }
            // Within a transaction nothing waits.
            if let Some(wait) = part.blocks.filter(|_| !atomic) {
                whole.blocks = Some(whole.blocks.unwrap_or_default().saturating_add(wait));
            }
        }
        Ok(whole)
    }
}

/// Whether this command is sent again whenever it failed in passing, because it only reads. Nothing when it
/// cannot be sent by itself.
#[must_use]
pub fn is_repeated_freely(command: &Cmd) -> Option<bool> {
    Request::of(command).ok().map(|request| request.repeat == Repeat::Freely)
}

impl Why {
    const fn text(self) -> &'static str {
        match self {
            Self::OwnConnection => {
                "it would change the connection that all callers share; the URL says who to be and \
                 which database"
            }
            Self::Subscription => "use subscribe() or psubscribe()",
            Self::Transaction => "use an atomic pipeline, or transaction()",
            Self::Replication => "it is for replicas",
        }
    }
}

fn kind_of(command: &Cmd) -> Result<(&'static str, Kind), Error> {
    if command.is_no_response() {
        let message = "a command without an answer cannot be told from one that was lost";
        return Err(Error::new(ErrorKind::InvalidRequest, message));
    }
    let mut upper = [0; NAME_BYTES_MAX];
    let name = words(command).next().unwrap_or_default();
    let Some(upper) = upper.get_mut(..name.len()) else { return Ok(UNKNOWN) };
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    let found = COMMANDS.binary_search_by(|(known, _)| known.as_bytes().cmp(upper));
    Ok(found.map_or(UNKNOWN, |place| COMMANDS[place]))
}

/// The words of a command. A cursor, which the driver writes by itself, has no text.
pub(crate) fn words(command: &Cmd) -> impl Iterator<Item = &[u8]> {
    command.args_iter().map(|argument| match argument {
        Arg::Simple(bytes) => bytes,
        _ => b"",
    })
}

fn bytes(command: &Cmd) -> usize {
    words(command).map(|word| word.len() + REQUEST_OVERHEAD_BYTES).sum()
}

fn number<T: FromStr>(word: Option<&[u8]>) -> Option<T> {
    std::str::from_utf8(word?).ok()?.parse().ok()
}

/// What cannot be read does not wait: the server says what is wrong with it.
fn timeout(command: &Cmd, place: Timeout) -> Duration {
    let mut words = words(command);
    let seconds = match place {
        Timeout::First => number::<f64>(words.nth(1)),
        Timeout::Last => number(words.last()),
    };
    match seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(Duration::ZERO) => FOREVER,
        Some(wait) => wait.min(FOREVER),
        None => Duration::ZERO,
    }
}

fn milliseconds(word: Option<&[u8]>) -> Duration {
    match number(word) {
        Some(0) => FOREVER,
        Some(milliseconds) => Duration::from_millis(milliseconds).min(FOREVER),
        None => Duration::ZERO,
    }
}

/// `XREAD` and `XREADGROUP`: what stands before `STREAMS` may say that it waits.
fn streams(command: &Cmd, request: Request) -> Request {
    let repeat = if request.name == "XREAD" { Repeat::Freely } else { Repeat::IfUnsent };
    Request { repeat, blocks: blocks_and_stream(command).0, ..request }
}

/// The first stream that `XREAD` or `XREADGROUP` reads.
pub(crate) fn first_stream(command: &Cmd) -> Option<&[u8]> {
    blocks_and_stream(command).1
}

fn blocks_and_stream(command: &Cmd) -> (Option<Duration>, Option<&[u8]>) {
    let mut words = words(command).skip(1);
    let mut blocks = None;
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(b"STREAMS") {
            return (blocks, words.next());
        } else if word.eq_ignore_ascii_case(b"BLOCK") {
            blocks = Some(milliseconds(words.next()));
        } else if word.eq_ignore_ascii_case(b"GROUP") {
            // A group and a consumer may have any name.
            words.nth(1);
        }
    }
    (blocks, None)
}

fn client(command: &Cmd) -> Result<(), Error> {
    const CHANGING: [&str; 5] = ["REPLY", "TRACKING", "CACHING", "NO-EVICT", "NO-TOUCH"];
    let subcommand = words(command).nth(1).unwrap_or_default();
    if CHANGING.iter().any(|word| subcommand.eq_ignore_ascii_case(word.as_bytes())) {
        return Err(refused("CLIENT", Why::OwnConnection.text()));
    }
    Ok(())
}

fn refused(name: &'static str, why: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("{name} cannot be sent so: {why}")).during(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cmd(words: &str) -> Cmd {
        let mut command = Cmd::new();
        command.arg(words.split(' ').collect::<Vec<_>>());
        command
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(COMMANDS.is_sorted_by(|one, next| one.0 < next.0));
        assert!(COMMANDS.iter().all(|(name, _)| name.len() <= NAME_BYTES_MAX));
    }

    #[test]
    fn a_command_is_known_by_its_name() {
        use Repeat::{Freely, IfUnsent};
        let forever = Some(FOREVER);
        let seconds = |seconds| Some(Duration::from_secs_f64(seconds));
        let cases = [
            ("get a", "GET", Freely, None),
            ("SET a b", "SET", IfUnsent, None),
            ("MODULE.THING a", "command", IfUnsent, None),
            ("BLPOP a b 0", "BLPOP", IfUnsent, forever),
            ("brpop a 1.5", "BRPOP", IfUnsent, seconds(1.5)),
            ("BLMPOP 2 1 a LEFT", "BLMPOP", IfUnsent, seconds(2.0)),
            ("BLPOP a nonsense", "BLPOP", IfUnsent, seconds(0.0)),
            ("BLPOP a -1", "BLPOP", IfUnsent, seconds(0.0)),
            ("BLPOP a 1e300", "BLPOP", IfUnsent, seconds(0.0)),
            ("XREAD STREAMS block 0", "XREAD", Freely, None),
            ("XREAD COUNT 1 BLOCK 250 STREAMS a 0", "XREAD", Freely, seconds(0.25)),
            ("XREADGROUP GROUP g c BLOCK 0 STREAMS a >", "XREADGROUP", IfUnsent, forever),
            (
                "XREADGROUP GROUP streams c BLOCK 250 STREAMS a >",
                "XREADGROUP",
                IfUnsent,
                seconds(0.25),
            ),
            ("XREADGROUP GROUP block streams STREAMS a >", "XREADGROUP", IfUnsent, None),
            ("CLIENT ID", "CLIENT", IfUnsent, None),
        ];
        for (words, name, repeat, blocks) in cases {
            let request = Request::of(&cmd(words)).unwrap();
            assert_eq!((request.name, request.repeat), (name, repeat), "{words}");
            assert_eq!(request.blocks, blocks, "{words}");
        }
    }

    #[test]
    fn a_group_called_like_an_option_does_not_hide_the_stream() {
        for words in ["XREAD COUNT 1 STREAMS a 0", "XREADGROUP GROUP streams Streams STREAMS a >"] {
            assert_eq!(first_stream(&cmd(words)), Some(b"a".as_slice()), "{words}");
        }
        assert_eq!(first_stream(&cmd("XREAD COUNT 1")), None);
    }

    #[test]
    fn what_would_change_the_shared_connection_is_refused() {
        for words in
            ["SELECT 1", "subscribe a", "WATCH a", "MONITOR", "CLIENT REPLY OFF", "WAIT 1 0"]
        {
            let error = Request::of(&cmd(words)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{words}");
            assert!(error.to_string().contains("cannot be sent so: "), "{error}");
        }
        let mut silent = cmd("SET a b");
        silent.set_no_response(true);
        assert!(Request::of(&silent).is_err());
    }

    #[test]
    fn a_pipeline_is_what_its_commands_are() {
        let of = |commands: &[&str], atomic: bool| {
            let mut pipeline = Pipeline::new();
            if atomic {
                pipeline.atomic();
            }
            for words in commands {
                pipeline.add_command(cmd(words));
            }
            Request::of_pipeline(&pipeline)
        };
        assert_eq!(of(&["GET a", "MGET b c"], false).unwrap().repeat, Repeat::Freely);
        assert_eq!(of(&["GET a", "SET b c"], false).unwrap().repeat, Repeat::IfUnsent);
        assert_eq!(of(&["SET a b"], true).unwrap().name, "transaction");
        let waits = of(&["SET a b", "WAIT 1 300", "SET a b", "WAIT 1 200"], false).unwrap();
        assert_eq!(waits.blocks, Some(Duration::from_millis(500)));
        assert_eq!(of(&["BLPOP a 5"], true).unwrap().blocks, None);
        assert!(of(&["BLPOP a 5"], false).is_err());
        assert!(of(&["GET a", "SELECT 1"], false).is_err());
        assert!(of(&["SET a b"], false).unwrap().bytes >= 5);
    }
}
