//! Server-sent events: what a page hears by `EventSource`.

use super::pipe::{Inlet, StreamError, pipe};
use super::{Content, Response};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use std::time::Duration;

/// Sends events; when it is dropped, the response ends, and the page connects again.
#[derive(Debug)]
pub struct EventSender(Inlet);

/// One event. Text becomes one by itself.
///
/// ```
/// use workyard_worker::http::Event;
///
/// let event = Event::new("two\nlines").name("news").id("7");
/// assert_eq!(event.to_string(), "event: news\nid: 7\ndata: two\ndata: lines\n\n");
/// assert_eq!(Event::comment("still here").to_string(), ": still here\n\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    head: String,
    body: String,
}

impl Response {
    /// A response of events, and what they are sent with. It ends when the process is to leave: pages connect again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use workyard_worker::{Worker, http::Response, protocols::Http};
    ///
    /// let worker = Worker::<Http>::bind("http://0.0.0.0:2345").on_message(async |connection, _| {
    ///     let (response, events) = Response::events();
    ///     connection.send(response);
    ///     while events.send("tick").await.is_ok() {
    ///         tokio::time::sleep(Duration::from_secs(1)).await;
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn events() -> (Self, EventSender) {
        let (inlet, outlet) = pipe();
        let response = Self::with(Content::Events(outlet))
            .set(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))
            .set(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        (response, EventSender(inlet))
    }
}

impl EventSender {
    /// Sends an event; waits while 256 KiB wait already.
    ///
    /// # Errors
    /// [`StreamError::Gone`].
    pub async fn send(&self, event: impl Into<Event>) -> Result<(), StreamError> {
        self.0.send(event.into().to_string().into()).await
    }

    /// Sends an event, or says that it cannot.
    ///
    /// # Errors
    /// [`StreamError::Gone`] or [`StreamError::Full`]; nothing of the event is sent.
    pub fn try_send(&self, event: impl Into<Event>) -> Result<(), StreamError> {
        self.0.try_send(event.into().to_string().into())
    }

    /// Whether nobody listens any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_gone()
    }

    /// Waits until nobody listens any more.
    pub async fn closed(&self) {
        self.0.gone().await;
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl Event {
    /// An event with this data, of any number of lines.
    #[must_use]
    pub fn new(data: impl AsRef<str>) -> Self {
        Self { head: String::new(), body: lines("data: ", data.as_ref()) }
    }

    /// What a page does not hear; it shows that the connection lives.
    #[must_use]
    pub fn comment(text: impl AsRef<str>) -> Self {
        Self { head: String::new(), body: lines(": ", text.as_ref()) }
    }

    /// What kind of event it is, `message` unless said. Ends of lines become spaces, as in [`Event::id`].
    #[must_use]
    pub fn name(self, name: impl AsRef<str>) -> Self {
        self.field("event", name.as_ref())
    }

    /// What a page says was the last it heard, in `Last-Event-ID`, when it connects again.
    #[must_use]
    pub fn id(self, id: impl AsRef<str>) -> Self {
        self.field("id", id.as_ref())
    }

    /// How long a page shall wait before it connects again.
    #[must_use]
    pub fn retry(self, wait: Duration) -> Self {
        self.field("retry", &wait.as_millis().to_string())
    }

    fn field(mut self, name: &str, value: &str) -> Self {
        let value = value.replace(['\r', '\n', '\0'], " ");
        self.head += &format!("{name}: {value}\n");
        self
    }
}

fn lines(prefix: &str, text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.split(['\r', '\n']).map(|line| format!("{prefix}{line}\n")).collect()
}

impl std::fmt::Display for Event {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "{}{}", self.head, self.body)
    }
}

impl<T: AsRef<str>> From<T> for Event {
    fn from(data: T) -> Self {
        Self::new(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_field() {
        for (event, expected) in [
            (Event::new(""), "data: \n\n"),
            (Event::new("a\r\nb\rc\n"), "data: a\ndata: b\ndata: c\ndata: \n\n"),
            (Event::new("a").name("x\nid: 1"), "event: x id: 1\ndata: a\n\n"),
            (Event::new("a").retry(Duration::from_secs(2)), "retry: 2000\ndata: a\n\n"),
            (Event::comment("a\nb"), ": a\n: b\n\n"),
        ] {
            assert_eq!(event.to_string(), expected);
        }
    }
}
