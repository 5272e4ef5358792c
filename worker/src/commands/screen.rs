//! What `start`, `status` and `connections` show, in the columns of the original.

mod connections;
mod start;
mod status;

pub(crate) use connections::connections;
pub(crate) use start::start;
pub(crate) use status::status;

/// What events are waited for with.
const EVENT_LOOP: &str = "epoll";

/// The versions of the runtime, the compiler and the system.
fn versions(version: &str) -> String {
    let system = rustix::system::uname();
    let runtime = format!("Workyard/{version}");
    let compiler = format!("Rust/{}", env!("WORKYARD_RUST_VERSION"));
    let (name, release) = (system.sysname().to_string_lossy(), system.release().to_string_lossy());
    format!("{runtime:<24}{compiler:<30}{name}/{release}\n")
}

/// A title in the middle of a line.
fn rule(title: &str, width: usize) -> String {
    format!("{title:-^width$}\n")
}

/// The length of the longest.
fn longest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

fn or_none(listen: Option<&String>) -> &str {
    listen.map_or("none", String::as_str)
}
