//! One worker process as the supervisor has it: started, spoken to, followed to its end.

use super::Event;
use super::roster::{Place, Token};
use crate::files::Program;
use crate::handover::{self, Assignment};
use crate::messages::{Answer, Busy, FromWorker, LINE_BYTES_MAX, ToWorker, line};
use crate::orders::ConnectionStatus;
use rustix::net::{SendFlags, send};
use std::cell::RefCell;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::rc::Rc;
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_local;

/// How often what a process has said is read after its end.
const LAST_READS_MAX: usize = 64;

/// A process that has been started and has not ended.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) place: Place,
    pub(super) ready: bool,
    /// It was told to leave.
    pub(super) leaving: bool,
    /// It has said that it leaves.
    pub(super) accepts_no_more: bool,
    /// Why it says it ends.
    pub(super) failure: Option<String>,
    /// What it does not come back from; nothing after it has answered.
    pub(super) busy: Rc<RefCell<Option<Busy>>>,
    statuses: Vec<oneshot::Sender<Answer>>,
    connections: Vec<oneshot::Sender<Vec<ConnectionStatus>>>,
    socket: Rc<UnixStream>,
    kill: Option<oneshot::Sender<()>>,
}

impl Process {
    /// Starts a worker process from the program's file, as it lies there now.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn start(
        program: &Program,
        token: Token,
        assignment: &Assignment,
        socket: Option<BorrowedFd<'_>>,
        events: &mpsc::UnboundedSender<Event>,
    ) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        let listen = assignment.listen.as_deref().unwrap_or("none");
        command.arg0(format!("workyard: worker process {} {listen}", assignment.name));
        command.args(&program.arguments).env_remove("NOTIFY_SOCKET");
        // A terminal's Ctrl-C is for the supervisor, which tells its processes.
        command.process_group(0);
        let ours = handover::prepare(&mut command, "worker")?;
        let child = tokio::process::Command::from(command).spawn()?;
        // What cannot be told to a process that ends again is seen when it has ended.
        let _ = handover::assign(&ours, assignment, socket);
        ours.set_nonblocking(true)?;
        let stream = Rc::new(UnixStream::from_std(ours)?);
        let (kill, killed) = oneshot::channel();
        let pid = child.id().unwrap_or_default();
        spawn_local(follow(token, child, Rc::clone(&stream), killed, events.clone()));
        Ok(Self {
            pid,
            place: Place { worker: assignment.worker, id: assignment.id },
            ready: false,
            leaving: false,
            accepts_no_more: false,
            failure: None,
            busy: Rc::default(),
            statuses: Vec::new(),
            connections: Vec::new(),
            socket: stream,
            kill: Some(kill),
        })
    }

    /// Tells it something. A process that has not read for long is not worth waiting for.
    pub(super) fn tell(&self, message: ToWorker) {
        tell(&self.socket, message);
    }

    pub(super) fn kill(&mut self) {
        if let Some(kill) = self.kill.take() {
            let _ = kill.send(());
        }
    }

    /// Asks how it is. Who has not answered is not asked again.
    pub(super) fn ask_status(&mut self) -> oneshot::Receiver<Answer> {
        ask(&mut self.statuses, &self.socket, ToWorker::Status)
    }

    /// Asks who is connected.
    pub(super) fn ask_connections(&mut self) -> oneshot::Receiver<Vec<ConnectionStatus>> {
        ask(&mut self.connections, &self.socket, ToWorker::Connections)
    }

    pub(super) fn answer_status(&mut self, answer: &Answer) {
        self.busy.take();
        for waiting in self.statuses.drain(..) {
            let _ = waiting.send(answer.clone());
        }
    }

    pub(super) fn answer_connections(&mut self, answer: &[ConnectionStatus]) {
        for waiting in self.connections.drain(..) {
            let _ = waiting.send(answer.to_vec());
        }
    }
}

fn ask<T>(
    waiting: &mut Vec<oneshot::Sender<T>>,
    socket: &UnixStream,
    message: ToWorker,
) -> oneshot::Receiver<T> {
    let (sender, receiver) = oneshot::channel();
    let is_asked = !waiting.is_empty();
    // One stays, so that it is known that an answer is on its way.
    let mut first = true;
    waiting.retain(|sender| std::mem::take(&mut first) || !sender.is_closed());
    waiting.push(sender);
    if !is_asked {
        tell(socket, message);
    }
    receiver
}

/// A line this short goes as a whole or not at all. The runtime is not asked whether it may go: it does not
/// know of a socket that is new.
fn tell(socket: &UnixStream, message: ToWorker) {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    if let Err(error) = send(socket, &line(&message), flags) {
        tracing::debug!(%error, "a worker process was not told {message:?}");
    }
}

/// Passes on what a process says, and how it ends.
async fn follow(
    token: Token,
    mut child: Child,
    socket: Rc<UnixStream>,
    mut kill: oneshot::Receiver<()>,
    events: mpsc::UnboundedSender<Event>,
) {
    let mut heard = Vec::new();
    let mut speaks = true;
    let mut may_be_killed = true;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            readable = socket.readable(), if speaks => {
                speaks = readable.is_ok() && hear(token, &socket, &mut heard, &events);
            }
            result = &mut kill, if may_be_killed => {
                may_be_killed = false;
                if result.is_ok() && let Err(error) = child.start_kill() {
                    tracing::warn!(%error, "a worker process cannot be killed");
                }
            }
        }
    };
    // What it has said before it ended.
    for _ in 0..LAST_READS_MAX {
        if !speaks {
            break;
        }
        speaks = hear(token, &socket, &mut heard, &events);
    }
    let _ = events.send(Event::Exited(token, status.unwrap_or_default()));
}

/// Reads once, so that a process that says much leaves others their turn; tells whether there may be more. One that
/// does not speak as it should is not heard any more.
fn hear(
    token: Token,
    socket: &UnixStream,
    heard: &mut Vec<u8>,
    events: &mpsc::UnboundedSender<Event>,
) -> bool {
    let mut bytes = [0; 16 * 1024];
    let count = match socket.try_read(&mut bytes) {
        Ok(0) => return false,
        Ok(count) => count,
        Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
    };
    heard.extend_from_slice(&bytes[..count]);
    let mut new = count;
    while let Some(end) = end_of_line(heard, new) {
        let message = serde_json::from_slice::<FromWorker>(&heard[..end]);
        heard.drain(..=end);
        new = heard.len();
        match message {
            Ok(message) => {
                let _ = events.send(Event::Said(token, message));
            }
            Err(error) => {
                tracing::warn!("a worker process says what is no message: {error}");
                return false;
            }
        }
    }
    if heard.len() > LINE_BYTES_MAX {
        tracing::warn!("a worker process says too much, and is not heard any more");
        return false;
    }
    true
}

/// Where the first line ends. Only what was read last, `new` bytes, can hold the end of a long one.
fn end_of_line(heard: &[u8], new: usize) -> Option<usize> {
    let known = heard.len().saturating_sub(new);
    let end = heard[known..].iter().position(|byte| *byte == b'\n')?;
    Some(known + end)
}
