//! `cargo xtask tidy`: what the project asks of its files and no compiler checks.

mod link;
mod manifest;
mod rust;
mod text;
mod tree;

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};

use tree::File;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Relative to the top folder.
    pub(crate) path: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is wrong, and what would be right.
    pub(crate) text: String,
}

impl Finding {
    fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// Checks every file below `root` and prints what it finds.
pub(crate) fn run(root: &Path) -> Result<()> {
    let files = tree::files(root)?;
    let findings = check(&files, &|path| root.join(path).exists());
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy found {}", findings.len());
    }
    println!("{} files are tidy", files.len());
    Ok(())
}

/// Everything found in `files`, sorted; `exists` answers for paths relative to the top folder.
fn check(files: &[File], exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = manifest::check(files);
    for File { path, text } in files {
        findings.extend(text::check(path, text));
        if path.ends_with(".rs") {
            findings.extend(rust::check(path, text));
        } else if path.ends_with(".md") {
            findings.extend(link::check(path, text, exists));
        }
    }
    findings.sort();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn findings_are_sorted_and_name_path_and_line() {
        let files = [
            file("Cargo.toml", "[workspace]\nmembers = []\n"),
            file("b.md", "see [a](nowhere.md)\n"),
            file("a.rs", "//! One.\npub fn get_one() {}\n"),
        ];
        let printed: Vec<String> =
            check(&files, &|_| false).iter().map(Finding::to_string).collect();
        assert_eq!(
            printed,
            [
                "a.rs:2: `get_one` has a `get_` prefix; name what it returns: `one`",
                "b.md:1: the link leads to `nowhere.md`, which does not exist; \
                 write the path relative to this file",
            ]
        );
    }
}
