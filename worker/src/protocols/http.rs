//! HTTP.

use crate::Scheme;
use crate::http::{Request, Response};
use crate::wire::HttpWire;
use std::convert::Infallible;

/// HTTP/1.1 and 1.0. Each [`Request`] is to be answered by one [`Response`], at once or later; requests that come
/// behind it on the same connection wait.
#[derive(Clone, Copy, Debug)]
pub struct Http;

impl Scheme for Http {
    const NAME: &'static str = "http";
    const HAS_DATAGRAMS: bool = false;
    type Opening = Infallible;
    type Message = Request;
    type Reply = Response;
    type Wire = HttpWire;
}
