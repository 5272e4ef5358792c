//! The thread by which a worker process speaks to its supervisor, also when its main thread does not
//! come back from a callback.

use super::watchdog::{Turn, Watchdog};
use crate::messages::{FromWorker, line};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::cell::RefCell;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it looks whether the main thread turns and the supervisor is there.
const LOOK: Duration = Duration::from_millis(500);

/// Takes what is to be said.
pub(super) struct Voice {
    speaking: RefCell<Option<(Sender<FromWorker>, JoinHandle<()>)>>,
}

impl Voice {
    /// Speaks to the supervisor at the other end of `socket`. When that has gone, the process ends within
    /// `timeout`, whatever its main thread does.
    pub(super) fn start(socket: UnixStream, turn: Turn, timeout: Duration) -> Rc<Self> {
        let (sender, messages) = channel();
        let speaker = Speaker { socket, watchdog: Watchdog::new(turn), timeout, alone_since: None };
        let thread = std::thread::Builder::new().name("voice".to_owned());
        let speaking = thread.spawn(move || speaker.speak(&messages)).ok();
        Rc::new(Self { speaking: RefCell::new(speaking.map(|thread| (sender, thread))) })
    }

    pub(super) fn say(&self, message: FromWorker) {
        if let Some((sender, _)) = &*self.speaking.borrow() {
            let _ = sender.send(message);
        }
    }

    /// Waits until all has been said.
    pub(super) fn end(&self) {
        if let Some((sender, thread)) = self.speaking.borrow_mut().take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

struct Speaker {
    socket: UnixStream,
    watchdog: Watchdog,
    timeout: Duration,
    alone_since: Option<Instant>,
}

impl Speaker {
    fn speak(mut self, messages: &Receiver<FromWorker>) {
        loop {
            match messages.recv_timeout(LOOK) {
                Ok(message) => self.write(&message),
                Err(RecvTimeoutError::Timeout) => self.look(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn look(&mut self) {
        if let Some(busy) = self.watchdog.look() {
            self.write(&FromWorker::Busy(busy));
        }
        if !self.is_alone() {
            return;
        }
        let since = *self.alone_since.get_or_insert_with(Instant::now);
        if since.elapsed() > self.timeout {
            tracing::warn!("ended, because the supervisor has gone and the worker does not stop");
            std::process::exit(crate::exit::WORKER_FAILED.into());
        }
    }

    /// Whether the supervisor has gone.
    fn is_alone(&self) -> bool {
        let mut sockets = [PollFd::new(&self.socket, PollFlags::empty())];
        let polled = poll(&mut sockets, Some(&Timespec::default()));
        polled.is_ok() && sockets[0].revents().contains(PollFlags::HUP)
    }

    /// The socket does not block, because the main thread reads from it; here, it may.
    fn write(&mut self, message: &FromWorker) {
        let line = line(message);
        let mut left = line.as_slice();
        while !left.is_empty() {
            match self.socket.write(left) {
                Ok(written) => left = &left[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let _ = poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], None);
                }
                Err(_) => return,
            }
        }
    }
}
