//! How one sees that a server serves.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// For one look; the next may find what this one missed.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// The sign that a server serves.
#[derive(Clone, Debug)]
pub enum Ready {
    /// At once.
    Started,
    /// It takes connections.
    Listens(SocketAddr),
    /// What it says on a connection begins so, after it was told this, which may be nothing.
    Answers(SocketAddr, &'static str, &'static str),
    /// The same, on a unix socket.
    AnswersAt(PathBuf, &'static str, &'static str),
    /// What it has printed since its start contains this.
    Prints(&'static str),
}

impl Ready {
    /// Whether it is there, by the look of a server that has printed this.
    pub(crate) async fn is_seen(&self, log: &str) -> bool {
        let look = async {
            match self {
                Self::Started => true,
                Self::Listens(address) => TcpStream::connect(address).await.is_ok(),
                Self::Answers(address, question, answer) => {
                    answers(TcpStream::connect(address).await, question, answer).await
                }
                Self::AnswersAt(path, question, answer) => {
                    answers(UnixStream::connect(path).await, question, answer).await
                }
                Self::Prints(text) => log.contains(text),
            }
        };
        timeout(LOOK_MAX, look).await.unwrap_or(false)
    }
}

async fn answers<S: AsyncRead + AsyncWrite + Unpin>(
    connected: std::io::Result<S>,
    question: &str,
    answer: &str,
) -> bool {
    let Ok(mut stream) = connected else { return false };
    let mut answered = vec![0; answer.len()];
    let exchange = async {
        stream.write_all(question.as_bytes()).await?;
        stream.read_exact(&mut answered).await
    };
    exchange.await.is_ok() && answered == answer.as_bytes()
}
