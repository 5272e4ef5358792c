//! What a process of this program is told by the one that started it: which part it plays, and with
//! which socket.

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg, sockopt,
};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, stdin};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Command;

/// In the environment of a process that is no command: its part, and who started it. Programs that
/// such a process starts inherit the variable and are none of ours: their standard input is not a socket that
/// was made by whom it names.
const VARIABLE: &str = "WORKYARD_PROCESS";
const ASSIGNMENT_BYTES_MAX: usize = 64 * 1024;

/// The part that this process plays.
#[derive(Debug)]
pub(crate) enum Role {
    /// Someone has typed a command.
    Command,
    /// A supervisor without a terminal; tells the command that started it how the start went.
    Supervisor(UnixStream),
    /// A worker process.
    Worker(UnixStream),
    /// A worker process whose supervisor has gone already.
    Orphan,
}

/// What a worker process is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// Which of the service's workers.
    pub(crate) worker: usize,
    pub(crate) name: String,
    /// Where the supervisor listens for it.
    pub(crate) listen: Option<String>,
    pub(crate) id: u16,
    /// Whether the service has no terminal.
    pub(crate) daemon: bool,
}

/// Makes a command start a process of this program that plays a part, and tells the end of the socket
/// by which it is spoken to.
///
/// # Errors
/// The operating system's.
pub(crate) fn prepare(command: &mut Command, part: &str) -> io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    command.env(VARIABLE, format!("{part}:{}", std::process::id()));
    command.stdin(OwnedFd::from(theirs));
    Ok(ours)
}

/// Which part this process plays. Its standard input, if that is where it is spoken to, is taken.
///
/// # Errors
/// The operating system's.
pub(crate) fn role() -> io::Result<Role> {
    let Ok(value) = std::env::var(VARIABLE) else { return Ok(Role::Command) };
    let Some((part, parent)) = value.split_once(':') else { return Ok(Role::Command) };
    let maker = sockopt::socket_peercred(stdin()).map(|maker| maker.pid.as_raw_nonzero().get());
    if !maker.is_ok_and(|maker| parent == maker.to_string()) {
        return Ok(Role::Command);
    }
    let present = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    match part {
        "supervisor" => Ok(Role::Supervisor(take_stdin()?)),
        "worker" if parent == present.to_string() => Ok(Role::Worker(take_stdin()?)),
        "worker" => Ok(Role::Orphan),
        _ => Ok(Role::Command),
    }
}

fn take_stdin() -> io::Result<UnixStream> {
    let socket = stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(UnixStream::from(socket))
}

/// Tells a worker process what it is, and hands it its socket.
///
/// # Errors
/// The operating system's.
pub(crate) fn assign(
    process: &UnixStream,
    assignment: &Assignment,
    socket: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let text = serde_json::to_vec(assignment)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?.to_be_bytes();
    let sockets: Vec<BorrowedFd<'_>> = socket.into_iter().collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !sockets.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(&sockets));
    }
    let slices = [IoSlice::new(&length), IoSlice::new(&text)];
    let sent = sendmsg(process, &slices, &mut ancillary, SendFlags::NOSIGNAL)?;
    match sent == length.len() + text.len() {
        true => Ok(()),
        false => Err(io::ErrorKind::WriteZero.into()),
    }
}

/// Waits for what [`assign`] sends, and takes nothing of what follows.
///
/// # Errors
/// The operating system's, or the supervisor has gone, or speaks another version of this.
pub(crate) fn receive(mut supervisor: &UnixStream) -> io::Result<(Assignment, Option<OwnedFd>)> {
    let mut length = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let slices = &mut [IoSliceMut::new(&mut length)];
    let received = recvmsg(supervisor, slices, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut socket = None;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(mut sockets) = message {
            socket = sockets.next().or(socket);
        }
    }
    let bytes = u32::from_be_bytes(length) as usize;
    if received.bytes < length.len() || bytes > ASSIGNMENT_BYTES_MAX {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut text = vec![0; bytes];
    supervisor.read_exact(&mut text)?;
    Ok((serde_json::from_slice(&text)?, socket))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;

    #[test]
    fn an_assignment_arrives_with_its_socket() {
        let assignment = Assignment {
            worker: 1,
            name: "chat\n\u{e9}".to_owned(),
            listen: Some("text://127.0.0.1:2347".to_owned()),
            id: 3,
            daemon: true,
        };
        let (mut supervisor, mut process) = UnixStream::pair().unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        assign(&supervisor, &assignment, Some(socket.as_fd())).unwrap();
        let (received, fd) = receive(&process).unwrap();
        assert_eq!(received, assignment);
        let same = TcpListener::from(fd.unwrap());
        assert_eq!(same.local_addr().unwrap(), socket.local_addr().unwrap());

        let long = Assignment { name: "x".repeat(10_000), ..assignment };
        assign(&supervisor, &long, None).unwrap();
        supervisor.write_all(b"next").unwrap();
        let (received, fd) = receive(&process).unwrap();
        assert_eq!((received, fd.is_none()), (long, true));
        let mut next = [0; 4];
        process.read_exact(&mut next).unwrap();
        assert_eq!(&next, b"next");
        drop(supervisor);
        assert_eq!(receive(&process).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
