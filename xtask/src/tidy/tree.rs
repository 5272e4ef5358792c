//! The files that `tidy` reads: sources, manifests and documents, and nothing that a build made.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// A file as text, with its path relative to the top folder, `/` between names.
pub(crate) struct File {
    /// Such as `protocol/src/lib.rs`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

/// Folders of this name are not ours to check, wherever they are.
const SKIPPED_FOLDERS: [&str; 6] =
    [".git", "artifacts", "corpus", "node_modules", "target", "vendor"];

const ENDINGS: [&str; 3] = [".rs", ".toml", ".md"];

/// Reads every file that is checked, in the order of their paths.
pub(crate) fn files(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    collect(root, "", &mut files)?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn collect(root: &Path, folder: &str, files: &mut Vec<File>) -> Result<()> {
    let here = root.join(folder);
    let entries = fs::read_dir(&here).with_context(|| format!("cannot list {}", here.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = joined(folder, &name);
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED_FOLDERS.contains(&name.as_str()) {
            collect(root, &path, files)?;
        } else if kind.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            let text = fs::read_to_string(entry.path())
                .with_context(|| format!("{path} cannot be read as UTF-8 text"))?;
            files.push(File { path, text });
        }
    }
    Ok(())
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_we_wrote_and_not_what_a_build_made() {
        let root = std::env::temp_dir().join(format!("workyard-tidy-{}", std::process::id()));
        for path in
            ["a/src/lib.rs", "a/target/debug/made.rs", ".git/info.md", "a/picture.png", "README.md"]
        {
            let file = root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, path).unwrap();
        }
        let read = files(&root).unwrap();
        fs::remove_dir_all(&root).unwrap();

        let paths: Vec<&str> = read.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["README.md", "a/src/lib.rs"]);
        assert_eq!(read[1].text, "a/src/lib.rs");
    }
}
