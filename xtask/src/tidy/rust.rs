//! What holds for Rust sources: a first line that says their idea, a bounded length, plain names.

use super::Finding;

const LINES_MAX: usize = 500;

/// Checks one Rust source.
pub(crate) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !text.starts_with("//! ") {
        let what = "the file does not say its idea; start it with a `//!` line";
        findings.push(Finding::new(path, 1, what));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        let what = format!("the file has {lines} lines; split it by idea, {LINES_MAX} at most");
        findings.push(Finding::new(path, LINES_MAX + 1, what));
    }
    for (index, line) in text.lines().enumerate() {
        if let Some(what) = in_line(line.trim_start()) {
            findings.push(Finding::new(path, index + 1, what));
        }
    }
    findings
}

fn in_line(line: &str) -> Option<String> {
    if ignores_a_test(line) {
        return Some("the test is ignored; make it run, or remove it".to_owned());
    }
    let name = public_function(line)?;
    let plain = name.strip_prefix("get_").filter(|rest| !looks_up(rest))?;
    Some(format!("`{name}` has a `get_` prefix; name what it returns: `{plain}`"))
}

/// `get_mut` and `get_or_…` as the standard library has them, and the operation `get_many`: there,
/// to get is what is done, not a prefix.
fn looks_up(after_get: &str) -> bool {
    ["mut", "many"].contains(&after_get) || after_get.starts_with("or_")
}

/// `#[ignore]`, with or without a reason, alone on its line as rustfmt writes it.
fn ignores_a_test(line: &str) -> bool {
    line.strip_prefix("#[ignore").is_some_and(|rest| rest.starts_with([']', ' ', '=']))
        || (line.starts_with("#[cfg_attr(") && line.contains(", ignore"))
}

/// The name of the function that `line` makes public, to whomever.
fn public_function(line: &str) -> Option<&str> {
    if !line.starts_with("pub ") && !line.starts_with("pub(") {
        return None;
    }
    let (qualifiers, rest) = line.split_once(" fn ")?;
    // `pub const NAME: &str = " fn "` is no function.
    if qualifiers.contains('=') {
        return None;
    }
    rest.split(|next: char| !next.is_alphanumeric() && next != '_').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String)> {
        check("a.rs", text).into_iter().map(|finding| (finding.line, finding.text)).collect()
    }

    #[test]
    fn a_file_says_its_idea_first() {
        let what = "the file does not say its idea; start it with a `//!` line".to_owned();
        assert_eq!(found("//! Names.\n"), []);
        assert_eq!(found("use std::fmt;\n"), [(1, what.clone())]);
        assert_eq!(found("\n//! Names.\n"), [(1, what.clone())]);
        assert_eq!(found("// Names.\n"), [(1, what.clone())]);
        assert_eq!(found("//!\n"), [(1, what.clone())]);
        assert_eq!(found(""), [(1, what)]);
    }

    #[test]
    fn a_file_is_500_lines_at_most() {
        let lines = |count: usize| format!("//! Long.\n{}", "// more\n".repeat(count - 1));
        assert_eq!(found(&lines(500)), []);
        assert_eq!(
            found(&lines(501)),
            [(501, "the file has 501 lines; split it by idea, 500 at most".to_owned())]
        );
    }

    #[test]
    fn no_test_is_ignored() {
        let what = "the test is ignored; make it run, or remove it".to_owned();
        for line in ["#[ignore]", "    #[ignore = \"slow\"]", "#[cfg_attr(miri, ignore)]"] {
            let text = format!("//! Tests.\n{line}\n");
            assert_eq!(found(&text), [(2, what.clone())], "{line}");
        }
        for line in [
            "#[ignored]",
            "// #[ignore]",
            "let text = \"#[ignore]\";",
            "#[cfg_attr(test, derive(Debug))]",
        ] {
            assert_eq!(found(&format!("//! Tests.\n{line}\n")), [], "{line}");
        }
    }

    #[test]
    fn public_functions_have_no_get_prefix() {
        let what = "`get_name` has a `get_` prefix; name what it returns: `name`".to_owned();
        for line in [
            "pub fn get_name(&self) -> &str {",
            "    pub async fn get_name() {}",
            "pub(crate) const fn get_name<T>() {}",
            "pub(in crate::names) fn get_name() {}",
        ] {
            let text = format!("//! Names.\n{line}\n");
            assert_eq!(found(&text), [(2, what.clone())], "{line}");
        }
        for line in [
            "pub fn get(&self) {}",
            "pub fn get_mut(&mut self) {}",
            "pub fn get_or_default(&mut self) {}",
            "pub async fn get_many(&self) {}",
            "pub fn widget_name() {}",
            "fn get_name() {}",
            "pub type Callback = fn(u8);",
            "pub const LINE: &str = \"pub fn get_name\";",
        ] {
            assert_eq!(found(&format!("//! Names.\n{line}\n")), [], "{line}");
        }
    }
}
