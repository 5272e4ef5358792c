//! HTTP clients for workers and any other tokio program, over [reqwest].
//!
//! ```no_run
//! # use workyard_http::{Http, Result};
//! # async fn example() -> Result<()> {
//! let http = Http::new()?;
//! let page = http.get("http://127.0.0.1:2345/page").send().await?;
//! println!("{} {}", page.status(), page.text()?);
//!
//! let api = Http::open("https://me:secret@api.example.org/v1?request_timeout=2s&calls_max=20")?;
//! let made: serde_json::Value = api
//!     .post("orders")
//!     .header("Idempotency-Key", "7f2c")
//!     .json(&serde_json::json!({ "book": 7 }))
//!     .send()
//!     .await?
//!     .error_for_status()?
//!     .json()?;
//! # drop(made);
//! # Ok(())
//! # }
//! ```
//!
//! Each host has its own bound on calls, its own circuit breaker and its own budget of attempts again; a
//! request is made again by itself only where that is safe. Redirects take `Authorization`,
//! cookies and what is marked as sensitive to no other host.
//! Bodies have limits, before and after they are unpacked.
//!
//! Any status is a response. [`Response::error_for_status`] makes an [`Error`] of 400 and above.

mod base;
mod body;
mod body_stream;
mod clients;
mod cookies;
mod error;
mod exchange;
mod hosts;
mod http;
mod limits;
mod options;
mod origin;
mod redirect;
mod request;
mod response;
mod retry_after;

pub use body_stream::BodyStream;
pub use http::Http;
pub use options::Options;
pub use request::Request;
pub use reqwest;
pub use reqwest::dns::Resolve;
pub use reqwest::header::{self, HeaderMap};
pub use reqwest::{Method, StatusCode, Version};
pub use response::{Response, Streamed};
pub use url::Url;
pub use workyard_adapter_kit::{
    BreakerOptions, CallOptions, CallReport, Error, ErrorKind, Observer, Result, RetryBudget,
    RetryOptions, Stats, Tls,
};
