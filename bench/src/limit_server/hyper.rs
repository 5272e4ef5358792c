//! HTTP by plain hyper, as little as it takes: what a worker that speaks HTTP is held against.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::spawn_local;

/// Serves until the process is ended, on one thread, as a worker process does.
pub(super) fn serve(listen: SocketAddr) -> io::Result<()> {
    let listener = super::bind(listen)?;
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(std::os::fd::OwnedFd::from(listener).into())?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new());
            spawn_local(server.serve_connection(TokioIo::new(stream), service_fn(hello)));
        }
    })
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::from("hello"));
    let kind = HeaderValue::from_static("text/html;charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}
