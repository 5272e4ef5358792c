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
