//! The sockets of all workers: the supervisor keeps them, so that connections wait for a process that is
//! being replaced and are never refused.

use super::roster::Place;
use crate::address::{Address, Endpoint};
use crate::process::Identity;
use crate::service::AnyWorker;
use crate::settings::Settings;
use crate::socket::Listening;
use anyhow::Context;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::lchown;
use std::path::PathBuf;

/// By worker.
#[derive(Debug)]
pub(crate) struct Sockets(Vec<OfWorker>);

#[derive(Debug)]
struct OfWorker {
    address: Option<Address>,
    /// With the port that port 0 has become.
    shown: Option<String>,
    /// One for all processes, or one for each.
    sockets: Vec<Listening>,
    file: Option<PathBuf>,
}

impl Sockets {
    /// Binds what all workers listen at.
    ///
    /// # Errors
    /// The operating system's, with the address. Nothing stays bound.
    pub(crate) fn bind(workers: &[Box<dyn AnyWorker>]) -> anyhow::Result<Self> {
        let mut sockets = Self(Vec::new());
        for worker in workers {
            sockets.0.push(OfWorker::bind(worker.settings())?);
        }
        Ok(sockets)
    }

    /// The socket for a process.
    pub(super) fn of(&self, place: Place) -> Option<BorrowedFd<'_>> {
        let sockets = &self.0[place.worker].sockets;
        let own = sockets.get(usize::from(place.id)).or_else(|| sockets.first());
        own.map(AsFd::as_fd)
    }

    /// The address of a worker as the program has it.
    pub(super) fn address(&self, worker: usize) -> Option<&Address> {
        self.0[worker].address.as_ref()
    }

    /// The address of a worker as it can be connected to.
    pub(super) fn shown(&self, worker: usize) -> Option<&str> {
        self.0[worker].shown.as_deref()
    }
}

impl OfWorker {
    fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let Some(listen) = &settings.listen else {
            return Ok(Self { address: None, shown: None, sockets: Vec::new(), file: None });
        };
        let address = listen.clone()?;
        let mut bound = address.clone();
        let mut sockets = Vec::new();
        let count = if settings.reuse_port { settings.count.max(1) } else { 1 };
        for _ in 0..count {
            let socket = Listening::bind(&bound, settings.backlog, settings.reuse_port);
            let socket = socket.with_context(|| bound.to_string())?;
            bound = socket.bound_to(bound)?;
            sockets.push(socket);
        }
        let file = match &address.endpoint {
            Endpoint::Path(path) => Some(path.clone()),
            Endpoint::Inet(..) => None,
        };
        let of = Self { shown: Some(bound.to_string()), address: Some(address), sockets, file };
        of.give_to(settings)?;
        Ok(of)
    }

    /// A socket of the file system belongs to whom the worker runs as.
    fn give_to(&self, settings: &Settings) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let identity = Identity::find(settings)?;
        let user = identity.user.map(|user| user.uid.as_raw());
        let group = identity.group.map(|group| group.as_raw());
        if nix::unistd::Uid::effective().is_root() && (user.is_some() || group.is_some()) {
            lchown(file, user, group).with_context(|| format!("cannot give {}", file.display()))?;
        }
        Ok(())
    }
}

/// A socket file that nobody listens at any more is removed.
impl Drop for OfWorker {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            let _ = std::fs::remove_file(file);
        }
    }
}
