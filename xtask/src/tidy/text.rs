//! What holds for every line of text: no tabs, no blanks at its end, Unix line ends.

use super::Finding;

/// Checks the lines of a source, a manifest or a document.
pub(crate) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let mut found = |what: &str| findings.push(Finding::new(path, index + 1, what));
        let content = line.strip_suffix('\r').unwrap_or(line);
        if content != line {
            found("the line ends in CR LF; end it with LF");
        }
        if content.contains('\t') {
            found("the line has a tab; write blanks, or `\\t` in a string");
        }
        if content.trim_end() != content {
            found("blanks at the end of the line; remove them");
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        let last = text.lines().count();
        findings.push(Finding::new(path, last, "the last line has no end; add LF"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_checked() {
        let cases: &[(&str, &[(usize, &str)])] = &[
            ("", &[]),
            ("one\n\n  two\n", &[]),
            ("one\r\ntwo\n", &[(1, "the line ends in CR LF; end it with LF")]),
            ("one\n\ttwo\n", &[(2, "the line has a tab; write blanks, or `\\t` in a string")]),
            ("one  \ntwo\n", &[(1, "blanks at the end of the line; remove them")]),
            ("one\n   \ntwo\n", &[(2, "blanks at the end of the line; remove them")]),
            ("one\ntwo", &[(2, "the last line has no end; add LF")]),
        ];
        for (text, expected) in cases {
            let expected: Vec<Finding> =
                expected.iter().map(|(line, what)| Finding::new("a.md", *line, *what)).collect();
            assert_eq!(check("a.md", text), expected, "{text:?}");
        }
    }
}
