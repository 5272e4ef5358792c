//! Bugs that are compiled in to show that the tests find them.
//!
//! [`planted!`] stands where a bug would be, and is `false` in every build but those of
//! `cargo xtask mutants`, which are made with `--cfg planted`. There, `WORKYARD_PLANTED` names the bug
//! to have: so that one build serves for all of them.

/// Whether the bug of this name is to show.
#[cfg(not(planted))]
#[macro_export]
macro_rules! planted {
    ($name:literal) => {
        false
    };
}

/// Whether the bug of this name is to show.
#[cfg(planted)]
#[macro_export]
macro_rules! planted {
    ($name:literal) => {
        $crate::is($name)
    };
}

/// Whether this is the bug that the environment names.
#[cfg(planted)]
#[must_use]
pub fn is(name: &str) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var("WORKYARD_PLANTED").ok());
    chosen.as_deref() == Some(name)
}
