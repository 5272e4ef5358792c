//! Requests and responses of [`Http`](crate::protocols::Http).
//!
//! ```
//! use workyard_worker::{Worker, http::StatusCode, protocols::Http};
//!
//! let worker = Worker::<Http>::bind("http://0.0.0.0:2345").on_message(async |connection, request| {
//!     match request.path() {
//!         "/" => connection.send("hello"),
//!         _ => connection.send(StatusCode::NOT_FOUND),
//!     }
//! });
//! ```
//!
//! Limits of each connection: a head of 16 KiB and 100 headers (431), a body of
//! [`package_bytes_max`](crate::Worker::package_bytes_max) (413), 30 s for a head, 60 s without progress for a body
//! or a response that is not read, 75 s without a request.

mod conditions;
mod content;
mod cookie;
mod events;
mod file;
mod form;
mod pipe;
mod request;
mod response;
mod static_files;
mod stream;

pub(crate) use content::Content;
pub use cookie::{Cookie, SameSite};
pub use events::{Event, EventSender};
pub use form::{Form, Upload};
pub use hyper::header::{HeaderMap, HeaderName, HeaderValue};
pub use hyper::{Method, StatusCode, Version};
pub use pipe::StreamError;
pub use request::{BodyError, Request};
pub use response::Response;
pub use static_files::static_files;
pub use stream::BodySender;
