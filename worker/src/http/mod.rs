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

mod content;
mod request;
mod response;

pub(crate) use content::Content;
pub use hyper::header::{HeaderMap, HeaderName, HeaderValue};
pub use hyper::{Method, StatusCode, Version};
pub use request::{BodyError, Request};
pub use response::Response;
