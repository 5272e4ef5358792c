//! What is followed goes, comes back, is a link or a file.

use crate::support::{Folder, start};
use std::os::unix::fs::symlink;
use workyard_file_monitor::{Monitor, Notice};

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
    let paths = |set: &workyard_file_monitor::ChangeSet| {
        set.iter().map(|(path, _)| path.to_owned()).collect::<Vec<_>>()
    };
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
    let mut monitor = start(builder.interval(std::time::Duration::ZERO)).await;
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
