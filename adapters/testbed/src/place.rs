//! Where a server is: its folder and its ports.

use crate::{Port, folder};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A private folder, and ports of 127.0.0.1.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    ports: Vec<Port>,
}

impl Place {
    pub(crate) fn new(ports: usize) -> Self {
        let ports = (0..ports).map(|_| Port::free()).collect();
        Self { folder: folder::private(), ports }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Writes a file in the folder and returns its path.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("the folder is ours");
        path
    }

    /// One of the ports, counted from 0.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn port(&self, index: usize) -> u16 {
        self.ports[index].number()
    }

    /// The address of one of the ports.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn address(&self, index: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port(index)).into()
    }
}
