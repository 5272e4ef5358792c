//! What is followed goes, comes back, is a link or a file.

use crate::support::{Folder, PAUSE, start};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;
use workyard_file_monitor::{ChangeSet, Monitor, Notice};

fn paths(set: &ChangeSet) -> Vec<PathBuf> {
    set.iter().map(|(path, _)| path.to_owned()).collect()
}

#[tokio::test]
async fn the_root_is_removed_and_made_again() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    folder.remove("");
    let set = followed.set().await;
    assert_eq!(followed.shown(&set), ["removed a.php"]);
    folder.write("b.php", "one");
    let set = followed.set().await;
    assert_eq!(followed.shown(&set), ["created b.php"]);
    followed.nothing().await;
    let root = folder.root();
    assert_eq!(
        folder.notices(),
        [Notice::RootGone { root: root.clone() }, Notice::RootBack { root }]
    );
}

#[tokio::test]
async fn a_directory_above_the_root_is_replaced() {
    let folder = Folder::new();
    folder.write("../app/src/a.php", "one");
    folder.write("../app/src/b.php", "one");
    folder.write("../new/src/a.php", "one");
    folder.write("../new/src/b.php", "two");
    let mut monitor = start(Monitor::builder().path(folder.at("../app/src"))).await;
    folder.rename("../app", "../old");
    folder.rename("../new", "../app");
    let set = monitor.next().await.unwrap();
    let b = folder.at("../app/src/b.php");
    assert_eq!(set.iter().map(|(path, _)| path).collect::<Vec<_>>(), [b.as_path()]);
    folder.write("../app/src/b.php", "three");
    assert_eq!(monitor.next().await.unwrap().present().collect::<Vec<_>>(), [b.as_path()]);
}

#[tokio::test]
async fn the_root_is_a_link_that_is_made_to_lead_to_another_release() {
    let folder = Folder::new();
    folder.write("../v1/a.php", "one");
    folder.write("../v1/b.php", "one");
    folder.write("../v2/a.php", "two");
    folder.write("../v2/b.php", "one");
    let current = folder.at("../current");
    symlink(folder.at("../v1"), &current).unwrap();
    let mut monitor = start(Monitor::builder().path(&current)).await;
    symlink(folder.at("../v2"), folder.at("../next")).unwrap();
    folder.rename("../next", "../current");
    let a = current.join("a.php");
    assert_eq!(paths(&monitor.next().await.unwrap()), [a]);
    folder.write("../v2/b.php", "two");
    assert_eq!(paths(&monitor.next().await.unwrap()), [current.join("b.php")]);
}

#[tokio::test]
async fn a_file_is_followed_beside_a_directory() {
    let folder = Folder::new();
    folder.write("app.toml", "one");
    folder.write("other.toml", "one");
    folder.write("src/a.php", "one");
    let builder = Monitor::builder().path(folder.at("app.toml")).path(folder.at("src"));
    let mut monitor = start(builder.interval(Duration::ZERO)).await;
    assert_eq!(monitor.files(), 2);
    for round in 0..2 {
        folder.write("other.toml", &format!("two {round}"));
        folder.write("app.toml.new", &format!("two {round}"));
        folder.rename("app.toml.new", "app.toml");
        let set = monitor.next().await.unwrap();
        assert_eq!(set.present().collect::<Vec<_>>(), [folder.at("app.toml")]);
        folder.write("src/a.php", &format!("two {round}"));
        let set = monitor.next().await.unwrap();
        assert_eq!(set.present().collect::<Vec<_>>(), [folder.at("src/a.php")]);
        monitor.rescan();
    }
}

/// As a build replaces the program that it made, in a directory that is ignored.
#[tokio::test]
async fn a_file_in_an_ignored_directory_is_followed_when_it_is_named() {
    let folder = Folder::new();
    folder.write(".gitignore", "/target\n");
    folder.write("src/a.rs", "one");
    folder.write("target/debug/app", "one");
    folder.write("target/debug/other", "one");
    let app = folder.at("target/debug/app");
    let mut monitor = start(folder.builder().path(&app).settle(PAUSE)).await;
    for round in 0..3 {
        folder.write("target/debug/other", &format!("two {round}"));
        folder.write("target/debug/deps/app", &format!("two {round}"));
        folder.remove("target/debug/app");
        std::fs::hard_link(folder.at("target/debug/deps/app"), &app).unwrap();
        assert_eq!(paths(&monitor.next().await.unwrap()), [app.as_path()]);
        // The outer root is looked at as a whole, and leaves what it ignores.
        folder.write(".gitignore", &format!("/target\n*.{round}\n"));
        folder.write("src/a.rs", &format!("two {round}"));
        assert_eq!(paths(&monitor.next().await.unwrap()), [folder.at("src/a.rs")]);
    }
}

#[tokio::test]
async fn a_release_is_followed_by_its_link_and_a_file_by_its_own_path() {
    let folder = Folder::new();
    folder.write("../releases/5/app", "one");
    folder.write("../releases/5/conf.php", "one");
    let current = folder.at("../current");
    symlink(folder.at("../releases/5"), &current).unwrap();
    let app = folder.at("../releases/5/app");
    let builder = Monitor::builder().path(&current).path(&app).interval(Duration::ZERO);
    let mut monitor = start(builder).await;
    folder.write("../releases/5/conf.php", "two");
    assert_eq!(paths(&monitor.next().await.unwrap()), [current.join("conf.php")]);
    folder.write("../releases/5/app", "two");
    assert_eq!(paths(&monitor.next().await.unwrap()), [current.join("app"), app]);
}

#[tokio::test]
async fn two_files_of_one_directory_are_compared_by_their_content() {
    let folder = Folder::new();
    folder.write("a.toml", "one");
    folder.write("b.toml", "one");
    let (a, b) = (folder.at("a.toml"), folder.at("b.toml"));
    let builder = Monitor::builder().path(&a).path(&b).interval(Duration::ZERO);
    let mut monitor = start(builder).await;
    folder.run("touch", &["a.toml", "b.toml"]);
    monitor.rescan();
    tokio::time::sleep(Duration::from_millis(200)).await;
    folder.write("a.toml", "two");
    assert_eq!(paths(&monitor.next().await.unwrap()), [a]);
}

#[tokio::test]
async fn a_file_that_is_named_is_a_link() {
    let folder = Folder::new();
    folder.write("../etc/app.ini", "one");
    folder.write("../etc/other.ini", "one");
    folder.write("../new/app.ini", "three");
    let link = folder.at("app.ini");
    symlink("../etc/app.ini", &link).unwrap();
    let mut monitor = start(Monitor::builder().path(&link).interval(Duration::ZERO)).await;
    folder.write("../etc/other.ini", "two");
    folder.write("../etc/app.ini", "two");
    assert_eq!(paths(&monitor.next().await.unwrap()), [link.as_path()]);
    symlink("../new/app.ini", folder.at("next")).unwrap();
    folder.rename("next", "app.ini");
    assert_eq!(paths(&monitor.next().await.unwrap()), [link.as_path()]);
    folder.write("../new/app.ini", "four");
    assert_eq!(paths(&monitor.next().await.unwrap()), [link.as_path()]);
}

#[tokio::test]
async fn a_link_that_is_named_by_a_way_up_leads_to_another_release() {
    let folder = Folder::new();
    folder.write("../v1/a.php", "one");
    folder.write("../v2/a.php", "two");
    symlink("v1", folder.at("../current")).unwrap();
    let path = folder.root().join("../current");
    let mut monitor = start(Monitor::builder().path(path)).await;
    symlink("v2", folder.at("../next")).unwrap();
    folder.rename("../next", "../current");
    let set = monitor.next().await.unwrap();
    assert!(set.iter().all(|(path, _)| path.ends_with("current/a.php")), "{set}");
    assert_eq!(set.len(), 1);
}
