//! Editors, real ones where there are, and the steps of others.

use crate::support::{Folder, moment};
use std::fs;
use std::io::Write;

async fn vim_saves(settings: &str) {
    let folder = Folder::new();
    folder.write("a.php", "one\n");
    let mut followed = folder.follow().await;
    for text in ["two", "three"] {
        let substitute = format!("%s/.*/{text}/");
        let arguments =
            ["-u", "NONE", "-es", "-c", settings, "-c", &substitute, "-c", "wq", "a.php"];
        folder.run("vim", &arguments);
        followed.exactly(&["modified a.php"]).await;
    }
    folder.run("vim", &["-u", "NONE", "-es", "-c", settings, "-c", "wq!", "a.php"]);
    followed.nothing().await;
}

#[tokio::test]
async fn vim_saves_with_a_copy_as_backup() {
    vim_saves("set writebackup backupcopy=yes swapfile").await;
}

#[tokio::test]
async fn vim_saves_with_the_old_file_as_backup() {
    vim_saves("set writebackup backupcopy=no swapfile").await;
}

#[tokio::test]
async fn vim_saves_and_keeps_its_backup() {
    vim_saves("set backup backupcopy=auto").await;
}

#[tokio::test]
async fn emacs_saves() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow_patiently().await;
    std::os::unix::fs::symlink("me@host.1:2", folder.at(".#a.php")).unwrap();
    folder.write("#a.php#", "tw");
    folder.rename("a.php", "a.php~");
    moment();
    folder.write("a.php", "two");
    folder.remove("#a.php#");
    folder.remove(".#a.php");
    followed.exactly(&["modified a.php"]).await;
}

#[tokio::test]
async fn a_jetbrains_editor_saves_safely() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow_patiently().await;
    folder.write("a.php___jb_tmp___", "two");
    folder.rename("a.php", "a.php___jb_old___");
    moment();
    folder.rename("a.php___jb_tmp___", "a.php");
    folder.remove("a.php___jb_old___");
    followed.exactly(&["modified a.php"]).await;
}

#[tokio::test]
async fn an_editor_truncates_and_writes_in_pieces() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    let mut file = fs::File::create(folder.at("a.php")).unwrap();
    for piece in ["t", "w", "o"] {
        moment();
        file.write_all(piece.as_bytes()).unwrap();
    }
    drop(file);
    followed.exactly(&["modified a.php"]).await;
}

#[tokio::test]
async fn a_save_without_a_change_is_none() {
    let folder = Folder::new();
    folder.write("a.php", "one");
    let mut followed = folder.follow().await;
    folder.write("a.php", "one");
    folder.write("a.php.new", "one");
    folder.rename("a.php.new", "a.php");
    followed.nothing().await;
}
