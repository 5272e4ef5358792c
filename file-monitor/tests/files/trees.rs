//! Directories that come, go and move.

use crate::support::{Folder, moment};
use std::fs;

#[tokio::test]
async fn a_directory_comes_with_files_and_is_followed() {
    let folder = Folder::new();
    let mut followed = folder.follow().await;
    folder.write("d/e/f/a.php", "one");
    followed.exactly(&["created d/e/f/a.php"]).await;
    folder.write("d/e/f/a.php", "two");
    followed.exactly(&["modified d/e/f/a.php"]).await;
}

#[tokio::test]
async fn a_directory_is_moved_in_and_out() {
    let folder = Folder::new();
    folder.write("../d/e/a.php", "one");
    let mut followed = folder.follow().await;
    folder.rename("../d", "d");
    followed.exactly(&["created d/e/a.php"]).await;
    folder.write("d/e/a.php", "two");
    followed.exactly(&["modified d/e/a.php"]).await;
    folder.rename("d", "../d");
    followed.exactly(&["removed d/e/a.php"]).await;
    folder.write("../d/e/a.php", "three");
    followed.nothing().await;
}

#[tokio::test]
async fn a_renamed_directory_is_followed_under_its_new_name_only() {
    let folder = Folder::new();
    folder.write("d/e/a.php", "one");
    let mut followed = folder.follow().await;
    folder.rename("d", "f");
    followed.exactly(&["removed d/e/a.php", "created f/e/a.php"]).await;
    folder.write("f/e/a.php", "two");
    followed.exactly(&["modified f/e/a.php"]).await;
    // Names before and behind the old one are met in another order.
    folder.rename("f", "b");
    followed.exactly(&["created b/e/a.php", "removed f/e/a.php"]).await;
    folder.write("b/e/a.php", "three");
    followed.exactly(&["modified b/e/a.php"]).await;
    folder.rename("b", "f");
    followed.exactly(&["removed b/e/a.php", "created f/e/a.php"]).await;
    folder.write("d/e/b.php", "one");
    followed.exactly(&["created d/e/b.php"]).await;
    folder.write("d/e/b.php", "two");
    folder.write("f/e/a.php", "four");
    followed.exactly(&["modified d/e/b.php", "modified f/e/a.php"]).await;
}

#[tokio::test]
async fn two_directories_change_places_twice() {
    let folder = Folder::new();
    folder.write("d/a.php", "one");
    folder.write("e/a.php", "two");
    let mut followed = folder.follow_patiently().await;
    for _ in 0..2 {
        folder.rename("d", "x");
        folder.rename("e", "d");
        folder.rename("x", "e");
        followed.exactly(&["modified d/a.php", "modified e/a.php"]).await;
    }
    folder.write("d/a.php", "three");
    followed.exactly(&["modified d/a.php"]).await;
    folder.write("e/a.php", "four");
    followed.exactly(&["modified e/a.php"]).await;
}

#[tokio::test]
async fn a_directory_is_removed_and_made_again() {
    let folder = Folder::new();
    folder.write("d/e/a.php", "one");
    let mut followed = folder.follow_patiently().await;
    for _ in 0..5 {
        folder.remove("d");
        folder.write("d/e/a.php", "one");
    }
    followed.nothing().await;
    folder.write("d/e/a.php", "two");
    followed.exactly(&["modified d/e/a.php"]).await;
    folder.remove("d");
    followed.exactly(&["removed d/e/a.php"]).await;
}

/// The monitor is asked all the while, so that it would tell of a part.
#[tokio::test]
async fn a_copy_that_takes_longer_than_the_window_is_one_set() {
    let folder = Folder::new();
    let mut followed = folder.follow_patiently().await;
    let root = folder.root();
    let copy = std::thread::spawn(move || {
        for number in 0..150 {
            let directory = root.join(format!("d/{}/e", number % 4));
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join(format!("{number}.php")), "one").unwrap();
            moment();
        }
    });
    let set = followed.set().await;
    copy.join().unwrap();
    assert_eq!(set.len(), 150);
    followed.nothing().await;
}

#[tokio::test]
async fn a_file_becomes_a_directory_and_back() {
    let folder = Folder::new();
    folder.write("d", "one");
    let mut followed = folder.follow_patiently().await;
    folder.remove("d");
    folder.write("d/a.php", "one");
    followed.exactly(&["removed d", "created d/a.php"]).await;
    folder.remove("d");
    folder.write("d", "two");
    followed.exactly(&["created d", "removed d/a.php"]).await;
}

#[tokio::test]
async fn empty_directories_are_no_change() {
    let folder = Folder::new();
    let mut followed = folder.follow().await;
    fs::create_dir_all(folder.at("d/e")).unwrap();
    followed.nothing().await;
    folder.write("d/e/a.php", "one");
    followed.exactly(&["created d/e/a.php"]).await;
}

#[tokio::test]
async fn a_server_binds_a_socket_in_its_directory() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    for _ in 0..2 {
        let socket = std::os::unix::net::UnixListener::bind(folder.at("app.sock")).unwrap();
        followed.nothing().await;
        drop(socket);
        folder.remove("app.sock");
        followed.nothing().await;
    }
}
