//! Ignore files that are others than at the last look, and what they let in.

use super::pass::Pass;
use super::rules_texts;
use super::tree::{Directory, Place};
use crate::disk::{Disk, Listed};
use crate::filter::{Chain, Rules, is_rules_name};
use crate::fingerprint::Kind;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What was in a directory, although it is not in the tree. When other rules let it in, it has not come.
#[derive(Clone, Debug)]
pub(super) enum Hidden {
    Nothing,
    /// What these rules ignored.
    By(Chain),
    Everything,
}

impl Hidden {
    /// The same further down, where there were these rules, too.
    pub(super) fn within(&self, rules: Option<Arc<Rules>>) -> Self {
        match (self, rules) {
            (Self::By(chain), Some(rules)) => Self::By(chain.with(rules)),
            _ => self.clone(),
        }
    }
}

impl<D: Disk> Pass<'_, D> {
    /// The ignore files of a directory may be others.
    pub(super) fn rules(&mut self, place: Place<'_>, file: &Path) {
        let Place { directory, chain, way } = place;
        let Some(path) = file.parent() else { return };
        self.above = way;
        // The scan adds the directory itself.
        self.above.pop();
        let Some((git, plain)) = self.rules_texts(path) else { return };
        let same = match &directory.rules {
            Some(rules) => rules.is_of(&git, &plain),
            None => git.is_empty() && plain.is_empty(),
        };
        if same {
            return;
        }
        let stat = match self.disk.look(path, true) {
            Ok(Some(stat)) => stat,
            Ok(None) => return,
            Err(_) => return self.found.cannot_tell(path, path),
        };
        // `chain` ends with this directory's old rules; the scan adds those that hold now.
        let above = if directory.rules.is_some() { chain.without_last() } else { chain };
        self.hidden = Hidden::Nothing;
        if directory.is(&stat) {
            self.hidden = Hidden::By(above.clone());
        }
        // A directory that goes now is suspect by itself.
        let _ = self.scan(directory, path, &above, &stat);
    }

    pub(super) fn load_rules(&mut self, directory: &mut Directory, path: &Path, listed: &[Listed]) {
        let present = listed.iter().any(|(name, _)| is_rules_name(name));
        if !present || !self.filter.has_ignore_files() {
            directory.rules = None;
            return;
        }
        let Some((git, plain)) = self.rules_texts(path) else { return };
        if !directory.rules.as_ref().is_some_and(|rules| rules.is_of(&git, &plain)) {
            directory.rules = Some(Arc::new(Rules::new(path, &git, &plain)));
        }
    }

    /// `None` if they cannot be told: then those that held still do.
    fn rules_texts(&mut self, directory: &Path) -> Option<(String, String)> {
        match rules_texts(self.disk, directory) {
            Ok(texts) => Some(texts),
            // As long as they may not be read; to change that is a change of the file.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
            Err(_) => {
                self.found.cannot_tell(directory, directory);
                None
            }
        }
    }

    /// Whether what is not in the tree was there before. What is suspect by itself may have come.
    pub(super) fn was_hidden(&self, path: &Path, kind: Kind) -> bool {
        let is_hidden = match &self.hidden {
            Hidden::Nothing => false,
            Hidden::By(chain) => !self.keeps(path, kind, chain),
            Hidden::Everything => true,
        };
        is_hidden && !self.suspects.paths.contains_key(path)
    }
}
