//! What editors and tools leave beside the files that they save, told by its name.

use std::ffi::OsStr;

/// Directories that hold no sources: of version control, of editors, of caches.
const DIRECTORIES: [&str; 15] = [
    ".git",
    ".hg",
    ".svn",
    ".jj",
    ".bzr",
    "_darcs",
    "CVS",
    ".idea",
    ".vs",
    ".vscode",
    "node_modules",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".sass-cache",
];

const NAMES: [&str; 5] = [".DS_Store", "Thumbs.db", "desktop.ini", ".netrwhist", ".directory"];

const ENDINGS: [&str; 12] = [
    "~",
    ".swp",
    ".swo",
    ".swn",
    ".swx",
    ".kate-swp",
    "___jb_tmp___",
    "___jb_old___",
    "___jb_bak___",
    ".vsctmp",
    ".pyc",
    ".part",
];

const BEGINNINGS: [&str; 5] = [".#", "._", ".goutputstream-", ".~lock.", ".nfs"];

/// Whether a directory of this name is left alone.
pub(crate) fn directory(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| DIRECTORIES.contains(&name))
}

/// Whether a file of this name is no source.
pub(crate) fn file(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    NAMES.contains(&name)
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || is_emacs_autosave(name)
        || is_vim_probe(name)
        || is_sed(name)
        || is_rsync(name)
}

/// `#name#`.
fn is_emacs_autosave(name: &str) -> bool {
    name.len() > 2 && name.starts_with('#') && name.ends_with('#')
}

/// vim tries whether it may write into a directory by creating `4913`, or that plus a
/// small multiple of 123.
fn is_vim_probe(name: &str) -> bool {
    let number = name.parse::<u32>().ok().filter(|_| name.len() >= 4);
    number.is_some_and(|number| {
        (4913..=4913 + 9 * 123).contains(&number) && (number - 4913) % 123 == 0
    })
}

/// `sedXXXXXX`, which `sed -i` writes and then renames.
fn is_sed(name: &str) -> bool {
    name.strip_prefix("sed").is_some_and(is_random)
}

/// `.name.XXXXXX`, which rsync writes and then renames.
fn is_rsync(name: &str) -> bool {
    let hidden = name.strip_prefix('.').and_then(|name| name.rsplit_once('.'));
    hidden.is_some_and(|(name, ending)| !name.is_empty() && is_random(ending))
}

/// Six letters and digits that are no word.
fn is_random(text: &str) -> bool {
    text.len() == 6
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| !byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_leave_behind_is_known() {
        for name in [
            "4913",
            "5036",
            ".index.php.swp",
            ".index.php.swx",
            "index.php~",
            "#index.php#",
            ".#index.php",
            "index.php___jb_tmp___",
            "index.php___jb_old___",
            "sedQk2x7Z",
            ".index.php.Xy12Zq",
            ".goutputstream-AB12CD",
            ".DS_Store",
            "._index.php",
            "a.pyc",
            ".nfs000000000012",
            ".index.php.kate-swp",
        ] {
            assert!(file(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn sources_with_similar_names_are_not_droppings() {
        for name in [
            "index.php",
            "4914",
            "491",
            "sedate.php",
            "sedation",
            "sedans",
            ".env",
            ".env.backup",
            ".htaccess",
            "#",
            "##",
            "a#b",
            "parts.rs",
            "swp",
            "10000",
            "6143",
        ] {
            assert!(!file(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn directories_without_sources_are_known() {
        assert!(directory(OsStr::new(".git")) && directory(OsStr::new("node_modules")));
        assert!(!directory(OsStr::new("src")) && !directory(OsStr::new(".github")));
    }
}
