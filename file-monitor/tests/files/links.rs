//! Symbolic links, which are looked at or looked through.

use crate::support::Folder;
use std::os::unix::fs::symlink;

#[tokio::test]
async fn a_link_changes_when_it_leads_elsewhere() {
    let folder = Folder::new();
    folder.write("../v1/a.php", "one");
    folder.write("../v2/a.php", "two");
    symlink(folder.at("../v1"), folder.at("current")).unwrap();
    let mut followed = folder.follow().await;
    folder.write("../v1/a.php", "three");
    followed.nothing().await;
    let target = folder.at("../v2");
    folder.run("ln", &["-sfn", target.to_str().unwrap(), "current"]);
    followed.exactly(&["modified current"]).await;
}

#[tokio::test]
async fn links_are_looked_through() {
    let folder = Folder::new();
    folder.write("../v1/a.php", "one");
    folder.write("../v1/b.php", "one");
    folder.write("../v2/a.php", "two");
    folder.write("../v2/b.php", "one");
    folder.write("../etc/app.ini", "one");
    symlink(folder.at("../v1"), folder.at("current")).unwrap();
    symlink(folder.at("../etc/app.ini"), folder.at("app.ini")).unwrap();
    symlink(folder.root(), folder.at("round")).unwrap();
    let mut followed = folder.follow_by(folder.builder().follow_links(true)).await;
    folder.write("../v1/b.php", "two");
    followed.exactly(&["modified current/b.php"]).await;
    symlink(folder.at("../v2"), folder.at("next")).unwrap();
    folder.rename("next", "current");
    followed.exactly(&["modified current/a.php", "modified current/b.php"]).await;
    folder.write("../v2/a.php", "three");
    followed.exactly(&["modified current/a.php"]).await;
    folder.write("../etc/app.ini", "two");
    followed.exactly(&["modified app.ini"]).await;
}

#[tokio::test]
async fn a_link_into_nowhere_is_a_link() {
    let folder = Folder::new();
    symlink("nowhere", folder.at("dead")).unwrap();
    let mut followed = folder.follow_by(folder.builder().follow_links(true)).await;
    folder.write("nowhere", "one");
    let set = followed.set().await;
    assert_eq!(followed.shown(&set), ["modified dead", "created nowhere"]);
    followed.nothing().await;
}

#[tokio::test]
async fn a_link_to_itself_is_a_link() {
    let folder = Folder::new();
    let mut followed = folder.follow_by(folder.builder().follow_links(true)).await;
    symlink("self", folder.at("self")).unwrap();
    followed.exactly(&["created self"]).await;
    symlink(".gitignore", folder.at(".gitignore")).unwrap();
    followed.nothing().await;
}

#[tokio::test]
async fn a_directory_has_two_names_of_which_one_goes() {
    let folder = Folder::new();
    folder.write("lib/c.php", "one");
    symlink(folder.at("lib"), folder.at("a")).unwrap();
    let mut followed = folder.follow_by(folder.builder().follow_links(true)).await;
    folder.write("lib/c.php", "two");
    followed.exactly(&["modified a/c.php", "modified lib/c.php"]).await;
    folder.remove("a");
    followed.exactly(&["removed a/c.php"]).await;
    folder.write("lib/c.php", "three");
    followed.exactly(&["modified lib/c.php"]).await;
}

#[tokio::test]
async fn a_directory_behind_a_link_holds_a_link_to_one_of_its_files() {
    let folder = Folder::new();
    folder.write("../v1/b.php", "one");
    folder.write("../v1/c.php", "one");
    symlink("b.php", folder.at("../v1/link")).unwrap();
    symlink("../v1", folder.at("current")).unwrap();
    let mut followed = folder.follow_by(folder.builder().follow_links(true)).await;
    folder.write("../v1/c.php", "two");
    followed.exactly(&["modified current/c.php"]).await;
    folder.write("../v1/b.php", "two");
    followed.exactly(&["modified current/b.php", "modified current/link"]).await;
}

#[tokio::test]
async fn a_link_leads_over_a_link_that_is_made_to_lead_elsewhere() {
    let folder = Folder::new();
    folder.write("../releases/5/c.php", "one");
    folder.write("../releases/6/c.php", "two");
    symlink("5", folder.at("../releases/current")).unwrap();
    symlink("../releases/current/c.php", folder.at("c.php")).unwrap();
    let mut followed = folder.follow_by(folder.builder().follow_links(true)).await;
    symlink("6", folder.at("../releases/next")).unwrap();
    folder.rename("../releases/next", "../releases/current");
    followed.exactly(&["modified c.php"]).await;
    folder.write("../releases/6/c.php", "three");
    followed.exactly(&["modified c.php"]).await;
}

/// There are 109 600 ways through them.
#[tokio::test]
async fn directories_that_all_link_to_each_other_have_an_end() {
    let folder = Folder::new();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for name in names {
        folder.write(&format!("{name}/x.php"), "one");
        for other in names.iter().filter(|other| **other != name) {
            symlink(format!("../{other}"), folder.at(&format!("{name}/{other}"))).unwrap();
        }
    }
    let monitor = folder.builder().follow_links(true).start().await.unwrap();
    // A link that is not looked through counts as a file.
    assert!(monitor.files() < 100_000, "{}", monitor.files());
}
