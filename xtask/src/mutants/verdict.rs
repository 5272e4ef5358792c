//! What the output of a run of tests says.

/// How a suite took a bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every test passed.
    Passed,
    /// These tests failed.
    Found(Vec<String>),
    /// It failed without saying which test did: it was not built, or could not run.
    Unclear,
}

impl Verdict {
    /// Reads what `cargo test` printed.
    pub(crate) fn of(success: bool, text: &str) -> Self {
        let failed: Vec<String> = text.lines().filter_map(failed_test).map(str::to_owned).collect();
        match (success, failed.is_empty()) {
            (true, _) if ran_tests(text) => Self::Passed,
            (false, false) => Self::Found(failed),
            _ => Self::Unclear,
        }
    }
}

/// The test that this line says has failed.
fn failed_test(line: &str) -> Option<&str> {
    let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    Some(name.strip_suffix(" - should panic").unwrap_or(name))
}

fn ran_tests(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("test ") && line.ends_with(" ... ok"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failed_tests_are_a_find() {
        let text = "running 2 tests\ntest a::b ... ok\ntest c::d ... FAILED\n\nfailures:\n";
        assert_eq!(Verdict::of(false, text), Verdict::Found(vec!["c::d".to_owned()]));
        assert_eq!(Verdict::of(true, "test a::b ... ok\n"), Verdict::Passed);
        assert_eq!(Verdict::of(false, "error: could not compile `a`\n"), Verdict::Unclear);
        assert_eq!(Verdict::of(true, "running 0 tests\n"), Verdict::Unclear);
    }
}
