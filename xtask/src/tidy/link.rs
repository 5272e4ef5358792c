//! Links in documents that lead to files of the repository lead somewhere.

use super::Finding;

/// Checks the links of one document; `exists` answers for paths relative to the top folder.
pub(crate) fn check(path: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let wrong = targets(&without_code(line))
                .into_iter()
                .filter_map(|target| wrong_target(path, &target, exists));
            findings.extend(wrong.map(|what| Finding::new(path, index + 1, what)));
        }
    }
    findings
}

/// Says what is wrong with a link of the document `path`, if anything is.
fn wrong_target(path: &str, target: &str, exists: &dyn Fn(&str) -> bool) -> Option<String> {
    let file = target.split('#').next().unwrap_or_default();
    if file.is_empty() || is_elsewhere(file) {
        return None;
    }
    match resolved(path, file) {
        None => Some(format!(
            "the link leads to `{target}`, out of the repository; name the thing instead"
        )),
        Some(file) if !exists(&file) => Some(format!(
            "the link leads to `{target}`, which does not exist; \
             write the path relative to this file"
        )),
        Some(_) => None,
    }
}

/// Whether `target` has a scheme, such as `https:` or `mailto:`.
fn is_elsewhere(target: &str) -> bool {
    target
        .split_once(':')
        .is_some_and(|(scheme, _)| scheme.chars().all(|letter| letter.is_ascii_alphanumeric()))
}

/// The path from the top folder; a leading `/` starts there. None when it climbs out.
fn resolved(document: &str, target: &str) -> Option<String> {
    let folder = match document.rsplit_once('/') {
        Some((folder, _)) if !target.starts_with('/') => folder,
        _ => "",
    };
    let mut names: Vec<&str> = Vec::new();
    for name in folder.split('/').chain(target.split('/')) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// The targets of `[text](target)`, `[text](target "title")` and `[label]: target` in `line`.
fn targets(line: &str) -> Vec<String> {
    let inline = line.split("](").skip(1).filter_map(|rest| {
        let inside = rest.split(')').next()?;
        inside.split_whitespace().next()
    });
    let definition = line
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]:"))
        .and_then(|(_, rest)| rest.split_whitespace().next());
    inline.chain(definition).map(|target| target.trim_matches(['<', '>']).to_owned()).collect()
}

/// `line` with everything between backticks left out.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exists(path: &str) -> bool {
        ["README.md", "docs", "docs/protocol.md", "docs/adr/0001.md"].contains(&path)
    }

    fn found(path: &str, text: &str) -> Vec<String> {
        check(path, text, &exists).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        for text in [
            "[wire](docs/protocol.md)",
            "[wire](docs/protocol.md#frames) and [folder](docs/)",
            "[wire](./docs/protocol.md \"The wire\")",
            "[wire](</docs/protocol.md>)",
            "[wire]: docs/protocol.md",
            "[here](#below) [site](https://example.org/x.md) [mail](mailto:a@example.org)",
            "no link: `[text](nowhere.md)`",
            "```\n[text](nowhere.md)\n```",
            "- [ ] to do",
        ] {
            assert_eq!(found("README.md", text), [""; 0], "{text}");
        }
        let text = "[up](../../README.md) [wire](../protocol.md) [top](/README.md)";
        assert_eq!(found("docs/adr/0001.md", text), [""; 0]);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let nowhere = "README.md:2: the link leads to `nowhere.md#a`, which does not exist; \
                       write the path relative to this file";
        for text in [
            "\n[text](nowhere.md#a)",
            "\n[wire](docs/protocol.md) then [text](nowhere.md#a).",
            "\n`code` [text](nowhere.md#a)",
            "\n[label]: nowhere.md#a",
        ] {
            assert_eq!(found("README.md", text), [nowhere], "{text}");
        }
        assert_eq!(
            found("docs/protocol.md", "[up](../../README.md)"),
            ["docs/protocol.md:1: the link leads to `../../README.md`, out of the repository; \
                 name the thing instead"]
        );
    }
}
