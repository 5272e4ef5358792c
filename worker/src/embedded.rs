//! A worker within the calling thread, without a supervisor: for tests, and for programs that are one process.

use crate::address::Address;
use crate::orders::Order;
use crate::scheme::Scheme;
use crate::service::{AnyWorker, Served, Start};
use crate::socket::Listening;
use crate::timer;
use crate::worker::Worker;
use std::io;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_local;

/// Serves a worker while something else runs, which is told where it listens (a port 0 has become the real one),
/// and then stops it in order. The worker's count, user and group do not matter here.
///
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use workyard_worker::{Worker, embedded, protocols::Text};
///
/// let echo = Worker::<Text>::bind("text://127.0.0.1:0")
///     .on_message(async |connection, line| connection.send(line));
/// let answer = embedded::serve_while(echo, async |address| {
///     let mut peer = tokio::net::TcpStream::connect(address.endpoint.to_string()).await.unwrap();
///     peer.write_all(b"hello\n").await.unwrap();
///     let mut answer = [0; 6];
///     peer.read_exact(&mut answer).await.unwrap();
///     answer
/// });
/// assert_eq!(&answer.unwrap(), b"hello\n");
/// ```
///
/// # Errors
/// The address cannot be bound, `on_worker_start` fails, or a callback fails for which the process stops. A worker without an address is `InvalidInput`.
pub fn serve_while<S, D, T>(
    worker: Worker<S, D>,
    main: impl AsyncFnOnce(Address) -> T,
) -> io::Result<T>
where
    S: Scheme,
    D: Default + 'static,
{
    let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
    let settings = worker.settings();
    let listen = settings.listen.clone().ok_or_else(|| invalid("it has no address".to_owned()))?;
    let address = listen.map_err(|error| invalid(error.to_string()))?;
    let socket = Listening::bind(&address, settings.backlog, settings.reuse_port)?;
    let address = socket.bound_to(address)?;
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(async move {
        let (orders, receiver) = mpsc::unbounded_channel();
        let (ready, is_ready) = oneshot::channel();
        let stop_timeout = worker.settings().stop_timeout;
        // Nobody is there to replace it.
        let (leaving, _) = oneshot::channel();
        let sockets = vec![socket];
        let start = Start { id: 0, sockets, orders: receiver, stop_timeout, ready, leaving };
        let serving = spawn_local(Box::new(worker).serve(start));
        if is_ready.await.is_err() {
            let text = match serving.await? {
                Served::NotStarted(text) | Served::Failed(text) => text,
                Served::Stopped => "it stopped at once".to_owned(),
            };
            return Err(io::Error::other(text));
        }
        let result = main(address).await;
        let _ = orders.send(Order::Stop);
        let served = serving.await?;
        timer::end_all();
        match served {
            Served::Failed(text) => Err(io::Error::other(text)),
            Served::Stopped | Served::NotStarted(_) => Ok(result),
        }
    })
}
