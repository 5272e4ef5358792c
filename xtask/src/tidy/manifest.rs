//! Dependencies have one place: the top manifest names each with its version, members take them.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Finding;
use super::tree::File;

const TOP: &str = "Cargo.toml";

/// The tables of a manifest, or of a `target` in it, that hold dependencies.
const DEPENDENCY_TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Checks the top manifest among `files` against those of the members it names.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(top) = files.iter().find(|file| file.path == TOP) else {
        return vec![Finding::new(TOP, 1, "there is no top manifest; write it")];
    };
    let Some(workspace) = workspace(top, &mut findings) else {
        return findings;
    };
    let mut taken = BTreeSet::new();
    for (member, place) in &workspace.members {
        let path = format!("{member}/{TOP}");
        match files.iter().find(|file| file.path == path) {
            Some(file) => check_member(file, &workspace, &mut taken, &mut findings),
            None => {
                let what = format!("member `{member}` has no manifest; write {path}");
                findings.push(finding(top, place, what));
            }
        }
    }
    for (name, place) in &workspace.dependencies {
        if !taken.contains(name) {
            let what = format!("no member uses `{name}`; remove the line");
            findings.push(finding(top, place, what));
        }
    }
    findings
}

/// A name, and where in its file it stands.
type Placed = (String, Range<usize>);

/// What the top manifest says.
struct Workspace {
    members: Vec<Placed>,
    dependencies: Vec<Placed>,
}

fn workspace(top: &File, findings: &mut Vec<Finding>) -> Option<Workspace> {
    let manifest = parsed(top, findings)?;
    let Some(workspace) = table(&manifest, "workspace") else {
        findings.push(Finding::new(TOP, 1, "there is no [workspace]; write it"));
        return None;
    };
    let members = workspace.get("members").and_then(|it| it.get_ref().as_array());
    Some(Workspace {
        members: members
            .into_iter()
            .flat_map(|array| array.iter())
            .filter_map(|member| Some((member.get_ref().as_str()?.to_owned(), member.span())))
            .collect(),
        dependencies: table(workspace, "dependencies")
            .into_iter()
            .flat_map(|dependencies| dependencies.keys())
            .map(|name| (name.get_ref().to_string(), name.span()))
            .collect(),
    })
}

/// Checks one member, and notes in `taken` which shared dependencies it uses.
fn check_member(
    file: &File,
    workspace: &Workspace,
    taken: &mut BTreeSet<String>,
    findings: &mut Vec<Finding>,
) {
    let Some(manifest) = parsed(file, findings) else {
        return;
    };
    for dependencies in dependency_tables(&manifest) {
        for (name, value) in dependencies {
            let known = workspace.dependencies.iter().any(|(it, _)| it == name.get_ref());
            if is_shared(value.get_ref()) {
                taken.insert(name.get_ref().to_string());
                continue;
            }
            let place = if known { "its line" } else { "a line" };
            let what = format!(
                "`{name}` has a version of its own; give it {place} in [workspace.dependencies] \
                 and take it by `workspace = true`",
                name = name.get_ref(),
            );
            findings.push(finding(file, &name.span(), what));
        }
    }
}

/// Every table of dependencies: those of the package, and those of each `target`.
fn dependency_tables<'a>(manifest: &'a DeTable<'a>) -> Vec<&'a DeTable<'a>> {
    let targets = table(manifest, "target")
        .into_iter()
        .flat_map(|targets| targets.values())
        .filter_map(|target| target.get_ref().as_table());
    std::iter::once(manifest)
        .chain(targets)
        .flat_map(|holder| DEPENDENCY_TABLES.iter().filter_map(move |name| table(holder, name)))
        .collect()
}

/// `name = { workspace = true, … }` or `name.workspace = true`.
fn is_shared(value: &DeValue<'_>) -> bool {
    value
        .as_table()
        .and_then(|table| table.get("workspace"))
        .and_then(|shared| shared.get_ref().as_bool())
        .unwrap_or_default()
}

fn table<'a>(holder: &'a DeTable<'a>, name: &str) -> Option<&'a DeTable<'a>> {
    holder.get(name)?.get_ref().as_table()
}

fn parsed<'a>(file: &'a File, findings: &mut Vec<Finding>) -> Option<DeTable<'a>> {
    match DeTable::parse(&file.text) {
        Ok(manifest) => Some(Spanned::into_inner(manifest)),
        Err(error) => {
            let place = error.span().unwrap_or_default();
            let what = format!("the manifest is no TOML: {}", error.message());
            findings.push(finding(file, &place, what));
            None
        }
    }
}

fn finding(file: &File, place: &Range<usize>, what: String) -> Finding {
    let before = &file.text.as_bytes()[..place.start];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    Finding::new(&file.path, line, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = "\
[workspace]
members = [\"one\"]

[workspace.dependencies]
bytes = \"1\"
serde = { version = \"1\" }
";

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() })
            .collect();
        check(&files).iter().map(Finding::to_string).collect()
    }

    fn found_in_member(text: &str) -> Vec<String> {
        found(&[(TOP, WORKSPACE), ("one/Cargo.toml", text)])
    }

    #[test]
    fn members_take_every_dependency_from_the_workspace() {
        assert_eq!(
            found_in_member(
                "[dependencies]\nbytes.workspace = true\n\
                 [dev-dependencies]\nserde = { workspace = true, features = [\"rc\"] }\n"
            ),
            [""; 0]
        );
    }

    #[test]
    fn dependencies_of_a_target_count() {
        assert_eq!(
            found_in_member(
                "[target.'cfg(unix)'.dependencies]\nbytes.workspace = true\n\
                 [build-dependencies]\nserde.workspace = true\n"
            ),
            [""; 0]
        );
    }

    #[test]
    fn a_version_of_its_own_is_found() {
        assert_eq!(
            found_in_member(
                "[dependencies]\nserde = \"1.0\"\nbytes.workspace = true\n\
                 slab = { version = \"0.4\" }\nother = { path = \"../other\" }\n"
            ),
            [
                "one/Cargo.toml:5: `other` has a version of its own; give it a line in \
                 [workspace.dependencies] and take it by `workspace = true`",
                "one/Cargo.toml:2: `serde` has a version of its own; give it its line in \
                 [workspace.dependencies] and take it by `workspace = true`",
                "one/Cargo.toml:4: `slab` has a version of its own; give it a line in \
                 [workspace.dependencies] and take it by `workspace = true`",
                "Cargo.toml:6: no member uses `serde`; remove the line",
            ]
        );
    }

    #[test]
    fn an_unused_dependency_is_found() {
        assert_eq!(
            found_in_member("[dependencies]\nserde.workspace = true\n"),
            ["Cargo.toml:5: no member uses `bytes`; remove the line"]
        );
    }

    #[test]
    fn manifests_that_are_missing_or_broken_are_found() {
        assert_eq!(found(&[]), ["Cargo.toml:1: there is no top manifest; write it"]);
        assert_eq!(
            found(&[(TOP, "[package]\n")]),
            ["Cargo.toml:1: there is no [workspace]; write it"]
        );
        assert_eq!(
            found(&[
                (TOP, "[workspace]\nmembers = [\n\"one\",\n\"two\"]\n"),
                ("two/Cargo.toml", "")
            ]),
            ["Cargo.toml:3: member `one` has no manifest; write one/Cargo.toml"]
        );
        let broken = found_in_member("[package]\nname = \n");
        assert!(broken[0].starts_with("one/Cargo.toml:2: the manifest is no TOML: "), "{broken:?}");
    }
}
