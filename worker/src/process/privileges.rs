//! Whom a worker process runs as.

use crate::settings::Settings;
use anyhow::Context;
use nix::unistd::{Gid, Group, Uid, User, initgroups, setgid, setgroups, setuid};
use std::ffi::CString;

/// A user and group that exist.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    pub(crate) user: Option<User>,
    pub(crate) group: Option<Gid>,
}

impl Identity {
    /// Whom a worker is to run as.
    ///
    /// # Errors
    /// There is no such user or group: it does not go on as whoever it is.
    pub(crate) fn find(settings: &Settings) -> anyhow::Result<Self> {
        let name = &settings.name;
        let user = match &settings.user {
            None => None,
            Some(user) => {
                let found = User::from_name(user).context("cannot read the users")?;
                Some(found.with_context(|| format!("worker {name:?}: there is no user {user:?}"))?)
            }
        };
        let group = match &settings.group {
            None => user.as_ref().map(|user| user.gid),
            Some(group) => {
                let found = Group::from_name(group).context("cannot read the groups")?;
                let missing = || format!("worker {name:?}: there is no group {group:?}");
                Some(found.with_context(missing)?.gid)
            }
        };
        Ok(Self { user, group })
    }

    /// Becomes that user for good. Only root can: others stay who they are, and have less to give up.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn assume(&self) -> anyhow::Result<()> {
        if !Uid::effective().is_root() {
            self.warn();
            return Ok(());
        }
        match (&self.user, self.group) {
            (Some(user), Some(group)) => {
                let name = CString::new(user.name.as_str())?;
                initgroups(&name, group).context("cannot take the user's groups")?;
            }
            (None, Some(group)) => setgroups(&[group]).context("cannot give up groups")?,
            _ => {}
        }
        if let Some(group) = self.group {
            setgid(group).with_context(|| format!("cannot become group {group}"))?;
        }
        if let Some(user) = &self.user {
            setuid(user.uid).with_context(|| format!("cannot become {}", user.name))?;
        }
        Ok(())
    }

    fn warn(&self) {
        if let Some(user) = self.user.as_ref().filter(|user| user.uid != Uid::effective()) {
            let present = present_user();
            tracing::warn!("runs as {present}: only root can run workers as {}", user.name);
        }
    }
}

/// Whom a worker's processes run as.
pub(crate) fn user_of(settings: &Settings) -> String {
    let wanted = settings.user.clone().filter(|_| Uid::effective().is_root());
    wanted.unwrap_or_else(present_user)
}

/// Whom this process runs as.
pub(crate) fn present_user() -> String {
    let uid = Uid::effective();
    let user = User::from_uid(uid).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}
