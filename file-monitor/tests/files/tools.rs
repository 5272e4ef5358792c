//! Tools of the command line.

use crate::support::{Folder, moment};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn sed_edits_in_place() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    folder.run("sed", &["-i", "s/one/two/", "a.php"]);
    followed.exactly(&["modified a.php"]).await;
    folder.run("sed", &["-i", "s/one/two/", "a.php"]);
    followed.nothing().await;
}

#[tokio::test]
async fn rsync_copies_what_differs() {
    let folder = Folder::new();
    for name in ["a.php", "d/b.php", "d/c.php"] {
        folder.write(name, "one");
        folder.write(&format!("../new/{name}"), "one");
    }
    let mut followed = folder.follow().await;
    folder.write("../new/d/b.php", "twofold");
    folder.write("../new/d/d.php", "two");
    folder.run("rsync", &["-a", "../new/", "./"]);
    followed.exactly(&["modified d/b.php", "created d/d.php"]).await;
    folder.run("rsync", &["-a", "--checksum", "../new/", "./"]);
    followed.nothing().await;
}

#[tokio::test]
async fn touch_changes_nothing() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    folder.run("touch", &["a.php"]);
    folder.run("touch", &["-d", "2001-01-01", "a.php"]);
    followed.nothing().await;
}

#[tokio::test]
async fn the_same_size_and_time_do_not_hide_another_content() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow_patiently().await;
    folder.run("touch", &["-r", "a.php", "../time"]);
    folder.run("sh", &["-c", "printf two > a.php; touch -r ../time a.php"]);
    followed.exactly(&["modified a.php"]).await;
}

#[tokio::test]
async fn a_time_of_the_past_or_the_future_hides_nothing() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    folder.write("b.php", "one");
    let mut followed = folder.follow().await;
    folder.run("sh", &["-c", "printf two > a.php; touch -d 2001-01-01 a.php"]);
    followed.exactly(&["modified a.php"]).await;
    folder.run("sh", &["-c", "printf two > a.php; touch -d 2101-01-01 a.php"]);
    followed.nothing().await;
    folder.write("b.php", "two");
    followed.exactly(&["modified b.php"]).await;
}

#[tokio::test]
async fn permissions_flip() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    fs::set_permissions(folder.at("a.php"), fs::Permissions::from_mode(0o700)).unwrap();
    followed.exactly(&["permissions a.php"]).await;
}

#[tokio::test]
async fn a_hard_link_is_a_new_name_of_an_old_file() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    fs::hard_link(folder.at("a.php"), folder.at("b.php")).unwrap();
    followed.exactly(&["created b.php"]).await;
}

#[tokio::test]
async fn a_file_with_two_names_changes_by_both_at_once() {
    let folder = Folder::new();
    folder.write("b.php", "one");
    folder.write("x/other", "one");
    fs::hard_link(folder.at("b.php"), folder.at("x/b.php")).unwrap();
    let mut followed = folder.follow_patiently().await;
    folder.write("b.php", "two");
    followed.exactly(&["modified b.php", "modified x/b.php"]).await;
    folder.run("touch", &["x"]);
    followed.nothing().await;
    fs::set_permissions(folder.at("x/b.php"), fs::Permissions::from_mode(0o700)).unwrap();
    folder.remove("x/b.php");
    followed.exactly(&["permissions b.php", "removed x/b.php"]).await;
}

#[tokio::test]
async fn a_rename_swap_changes_both_and_back_none() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    folder.write("b.php", "two");
    let mut followed = folder.follow_patiently().await;
    let swap = || {
        folder.rename("a.php", "x");
        folder.rename("b.php", "a.php");
        folder.rename("x", "b.php");
    };
    swap();
    followed.exactly(&["modified a.php", "modified b.php"]).await;
    swap();
    moment();
    swap();
    followed.nothing().await;
}

#[tokio::test]
async fn what_is_deleted_and_made_again_at_once_is_the_same() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow_patiently().await;
    folder.remove("a.php");
    folder.write("a.php", "one");
    folder.write("b.php", "one");
    folder.remove("b.php");
    followed.nothing().await;
    folder.remove("a.php");
    folder.write("a.php", "two");
    followed.exactly(&["modified a.php"]).await;
    folder.remove("a.php");
    followed.exactly(&["removed a.php"]).await;
}

#[tokio::test]
async fn two_changes_within_one_second_are_two() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    folder.write("a.php", "two");
    followed.exactly(&["modified a.php"]).await;
    folder.write("a.php", "six");
    followed.exactly(&["modified a.php"]).await;
}

#[tokio::test]
async fn a_large_file_is_told_by_size_and_time() {
    let folder = Folder::new();
    folder.write("big", &"x".repeat(5000));
    let mut followed = folder.follow_by(folder.builder().digest_bytes_max(4096)).await;
    folder.write("big", &"y".repeat(5000));
    followed.exactly(&["modified big"]).await;
}

#[tokio::test]
async fn a_pipe_in_the_tree_blocks_nobody() {
    let folder = Folder::new();
    let mut followed = folder.follow().await;
    folder.run("mkfifo", &["pipe"]);
    followed.nothing().await;
    folder.remove("pipe");
    followed.nothing().await;
}
