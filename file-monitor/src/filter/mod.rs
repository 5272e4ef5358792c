//! Which files count: globs, extensions, ignore files, and what editors leave behind.

mod droppings;
mod rules;

pub(crate) use rules::{Chain, GIT, PLAIN, Rules, is_rules_name};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::ffi::OsString;
use std::path::Path;

/// What a caller wants to be told of. Globs are written as in a `.gitignore`, relative to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
    pub(crate) always: Vec<String>,
    pub(crate) extensions: Vec<OsString>,
    pub(crate) droppings: bool,
    pub(crate) ignore_files: bool,
}

/// A glob that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the pattern {pattern:?} is wrong: {text}")]
pub struct PatternError {
    pattern: String,
    text: String,
}

/// The filter of one root.
#[derive(Debug)]
pub(crate) struct Filter {
    include: Option<Gitignore>,
    exclude: Gitignore,
    always: Gitignore,
    extensions: Vec<OsString>,
    droppings: bool,
    ignore_files: bool,
    only: Option<OsString>,
    root: std::path::PathBuf,
}

impl Filter {
    /// `only` is the one file that counts when the root is a file; `root` is its directory then.
    ///
    /// # Errors
    /// When a pattern is wrong.
    pub(crate) fn new(
        root: &Path,
        only: Option<OsString>,
        wishes: &Wishes,
    ) -> Result<Self, PatternError> {
        let include = match wishes.include.as_slice() {
            [] => None,
            patterns => Some(globs(root, patterns)?),
        };
        Ok(Self {
            include,
            exclude: globs(root, &wishes.exclude)?,
            always: globs(root, &wishes.always)?,
            extensions: wishes.extensions.clone(),
            droppings: wishes.droppings,
            ignore_files: wishes.ignore_files,
            only,
            root: root.to_owned(),
        })
    }

    /// Whether `.gitignore` and `.ignore` are obeyed.
    pub(crate) fn has_ignore_files(&self) -> bool {
        self.ignore_files && self.only.is_none()
    }

    /// Whether only one file counts.
    pub(crate) fn is_of_one_file(&self) -> bool {
        self.only.is_some()
    }

    /// Whether it is the one file that counts.
    pub(crate) fn is_only(&self, path: &Path) -> bool {
        self.only.is_some() && self.only.as_deref() == path.file_name()
    }

    /// Whether a directory is entered, all above it being entered.
    pub(crate) fn enters(&self, path: &Path, chain: &Chain) -> bool {
        if self.only.is_some() {
            return false;
        }
        match self.chosen(path, true) {
            Some(chosen) => chosen,
            None => {
                let dropped = self.droppings && path.file_name().is_some_and(droppings::directory);
                !dropped && !chain.ignores(path, true)
            }
        }
    }

    /// Whether a file counts, its directory being entered.
    pub(crate) fn counts(&self, path: &Path, chain: &Chain) -> bool {
        if let Some(only) = &self.only {
            return path.file_name() == Some(only);
        }
        if self.ignore_files && path.file_name().is_some_and(is_rules_name) {
            return false;
        }
        match self.chosen(path, false) {
            Some(chosen) => chosen,
            None => self.is_wanted(path) && !chain.ignores(path, false),
        }
    }

    /// Whether a file in a directory whose ignore files are not known yet may count.
    pub(crate) fn may_count(&self, path: &Path) -> bool {
        self.counts(path, &Chain::default())
    }

    /// What the caller's own patterns say, which are stronger than everything else.
    fn chosen(&self, path: &Path, directory: bool) -> Option<bool> {
        if path.strip_prefix(&self.root).is_err() {
            return Some(false);
        }
        if self.always.matched_path_or_any_parents(path, directory).is_ignore() {
            return Some(true);
        }
        self.exclude.matched_path_or_any_parents(path, directory).is_ignore().then_some(false)
    }

    fn is_wanted(&self, path: &Path) -> bool {
        if self.droppings && path.file_name().is_some_and(droppings::file) {
            return false;
        }
        let included = self.include.as_ref().is_none_or(|include| {
            matches!(include.matched_path_or_any_parents(path, false), Match::Ignore(_))
        });
        included && self.has_extension(path)
    }

    fn has_extension(&self, path: &Path) -> bool {
        let extension = path.extension();
        self.extensions.is_empty()
            || extension.is_some_and(|is| self.extensions.iter().any(|wanted| wanted == is))
    }
}

fn globs(root: &Path, patterns: &[String]) -> Result<Gitignore, PatternError> {
    let wrong = |pattern: &str, error: &ignore::Error| PatternError {
        pattern: pattern.to_owned(),
        text: error.to_string(),
    };
    let mut builder = GitignoreBuilder::new(root);
    for pattern in patterns {
        builder.add_line(None, pattern).map_err(|error| wrong(pattern, &error))?;
    }
    builder.build().map_err(|error| wrong(&patterns.join(", "), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes() -> Wishes {
        Wishes {
            include: vec![],
            exclude: vec![],
            always: vec![],
            extensions: vec![],
            droppings: true,
            ignore_files: true,
        }
    }

    fn counted(wishes: &Wishes, rules: &str, names: &[&str]) -> Vec<String> {
        let root = Path::new("/p");
        let filter = Filter::new(root, None, wishes).unwrap();
        let chain = match filter.has_ignore_files() {
            true => Chain::default().with(Rules::new(root, rules, "")),
            false => Chain::default(),
        };
        let counts = |name: &&&str| {
            let path = root.join(name);
            let mut above: Vec<_> = path.ancestors().skip(1).collect();
            above.retain(|directory| *directory != root && directory.starts_with(root));
            above.iter().all(|above| filter.enters(above, &chain)) && filter.counts(&path, &chain)
        };
        names.iter().filter(counts).map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn everything_counts_but_droppings_and_what_is_ignored() {
        let names = ["a.php", "b/c.php", ".git/index", "b/a.php~", "log/x", ".gitignore"];
        assert_eq!(counted(&wishes(), "/log\n", &names), ["a.php", "b/c.php"]);
    }

    #[test]
    fn includes_and_extensions_narrow() {
        let include = vec!["*.php".to_owned(), "/config/".to_owned()];
        let names = ["a.php", "b/c.php", "config/x.ini", "d/config/x.ini", "e.txt"];
        let narrow = Wishes { include, ..wishes() };
        assert_eq!(counted(&narrow, "", &names), ["a.php", "b/c.php", "config/x.ini"]);
        let extensions = vec!["php".into(), "txt".into()];
        let narrow = Wishes { extensions, ..wishes() };
        assert_eq!(counted(&narrow, "", &names), ["a.php", "b/c.php", "e.txt"]);
    }

    #[test]
    fn excludes_beat_includes_and_can_be_negated() {
        let wishes = Wishes {
            include: vec!["*.php".to_owned()],
            exclude: vec!["*.gen.php".to_owned(), "!keep.gen.php".to_owned(), "tmp/".to_owned()],
            ..wishes()
        };
        let names = ["a.php", "a.gen.php", "keep.gen.php", "tmp/b.php", "c/tmp/b.php"];
        assert_eq!(counted(&wishes, "", &names), ["a.php", "keep.gen.php"]);
    }

    #[test]
    fn always_beats_ignore_files_and_droppings() {
        let always = vec![".env".to_owned(), "backup~".to_owned()];
        let wishes = Wishes { always, ..wishes() };
        assert_eq!(counted(&wishes, ".env\n", &[".env", "backup~", "x~"]), [".env", "backup~"]);
    }

    #[test]
    fn ignore_files_and_droppings_can_be_left_out() {
        let wishes = Wishes { droppings: false, ignore_files: false, ..wishes() };
        let names = ["a~", "log/x", ".gitignore"];
        assert_eq!(counted(&wishes, "/log\n", &names), names);
    }

    #[test]
    fn a_wrong_pattern_is_refused_with_its_text() {
        let wishes = Wishes { exclude: vec!["a/{b".to_owned()], ..wishes() };
        let error = Filter::new(Path::new("/p"), None, &wishes).unwrap_err().to_string();
        assert!(error.starts_with("the pattern \"a/{b\" is wrong: "), "{error}");
    }
}
