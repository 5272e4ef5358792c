//! The ignore files of directories, and which of them decides.

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

/// The name of git's ignore files.
pub(crate) const GIT: &str = ".gitignore";
/// The name of ignore files that are stronger than git's.
pub(crate) const PLAIN: &str = ".ignore";

/// Whether a file of this name holds rules.
pub(crate) fn is_rules_name(name: &OsStr) -> bool {
    name == GIT || name == PLAIN
}

/// The rules of one directory.
#[derive(Debug)]
pub(crate) struct Rules {
    git: String,
    plain: String,
    by_git: Gitignore,
    by_plain: Gitignore,
}

impl Rules {
    /// Lines that cannot be read are passed over, as git does.
    pub(crate) fn new(directory: &Path, git: &str, plain: &str) -> Self {
        Self {
            by_git: compiled(directory, git),
            by_plain: compiled(directory, plain),
            git: git.to_owned(),
            plain: plain.to_owned(),
        }
    }

    /// Whether these are the texts that the rules were made of.
    pub(crate) fn is_of(&self, git: &str, plain: &str) -> bool {
        self.git == git && self.plain == plain
    }

    fn verdict(&self, path: &Path, directory: bool) -> Option<bool> {
        [&self.by_plain, &self.by_git].into_iter().find_map(|rules| {
            match rules.matched(path, directory) {
                Match::None => None,
                Match::Ignore(_) => Some(true),
                Match::Whitelist(_) => Some(false),
            }
        })
    }
}

fn compiled(directory: &Path, text: &str) -> Gitignore {
    let mut builder = GitignoreBuilder::new(directory);
    for line in text.lines() {
        if let Err(error) = builder.add_line(None, line) {
            tracing::debug!(directory = %directory.display(), line, %error, "an ignore rule is wrong");
        }
    }
    builder.build().unwrap_or_else(|error| {
        tracing::warn!(directory = %directory.display(), %error, "ignore rules cannot be used");
        Gitignore::empty()
    })
}

/// The rules that hold in a directory: its own, and those of the directories above it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain(Vec<Arc<Rules>>);

impl Chain {
    /// With the rules of a directory further down.
    #[must_use]
    pub(crate) fn with(&self, rules: impl Into<Arc<Rules>>) -> Self {
        let mut chain = self.clone();
        chain.0.push(rules.into());
        chain
    }

    /// Without the rules of the innermost directory that has some.
    #[must_use]
    pub(crate) fn without_last(&self) -> Self {
        let mut chain = self.clone();
        chain.0.pop();
        chain
    }

    /// Whether these are the texts that it was made of, of `.gitignore` and `.ignore` each.
    pub(crate) fn is_of<'a>(
        &self,
        texts: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
    ) -> bool {
        texts.len() == self.0.len()
            && self.0.iter().zip(texts).all(|(rules, (git, plain))| rules.is_of(git, plain))
    }

    /// Whether the innermost rules that know of `path` ignore it.
    pub(crate) fn ignores(&self, path: &Path, directory: bool) -> bool {
        self.0.iter().rev().find_map(|rules| rules.verdict(path, directory)).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_rule_decides_and_plain_beats_git() {
        let outer = Rules::new(Path::new("/p"), "*.log\nbuild/\n/top.txt\n", "");
        let inner = Rules::new(Path::new("/p/a"), "!keep.log\n*.tmp\n", "!b.tmp\n");
        let chain = Chain::default().with(outer);
        let deeper = chain.with(inner);
        for (path, directory, ignored) in [
            ("/p/x.log", false, true),
            ("/p/a/x.log", false, true),
            ("/p/a/keep.log", false, false),
            ("/p/a/b.tmp", false, false),
            ("/p/a/c.tmp", false, true),
            ("/p/build", true, true),
            ("/p/build", false, false),
            ("/p/top.txt", false, true),
            ("/p/a/top.txt", false, false),
        ] {
            assert_eq!(deeper.ignores(Path::new(path), directory), ignored, "{path}");
        }
        assert!(chain.ignores(Path::new("/p/keep.log"), false));
    }

    #[test]
    fn a_wrong_rule_is_passed_over() {
        let rules = Rules::new(Path::new("/p"), "a{\n*.log\n", "");
        assert!(Chain::default().with(rules).ignores(Path::new("/p/x.log"), false));
    }
}
