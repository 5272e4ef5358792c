//! git changes a work tree, and says what is to be ignored.

use crate::support::Folder;

fn git(folder: &Folder, arguments: &[&str]) {
    let mut all = vec!["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "gc.auto=0"];
    all.extend(arguments);
    folder.run("git", &all);
}

fn repository() -> Folder {
    let folder = Folder::new();
    git(&folder, &["init", "-q", "-b", "one"]);
    folder.write(".gitignore", "*.log\n/target/\n");
    for name in ["a.php", "b.php", "lib/c.php", "old/d.php"] {
        folder.write(name, "one");
    }
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-q", "-m", "One"]);
    git(&folder, &["checkout", "-q", "-b", "two"]);
    folder.write("a.php", "two");
    folder.write("new/e.php", "two");
    folder.remove("old");
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "Two"]);
    git(&folder, &["checkout", "-q", "one"]);
    folder
}

#[tokio::test]
async fn git_checks_out_another_branch_and_the_first_again() {
    let folder = repository();
    let mut followed = folder.follow().await;
    git(&folder, &["checkout", "-q", "two"]);
    followed.exactly(&["modified a.php", "created new/e.php", "removed old/d.php"]).await;
    git(&folder, &["checkout", "-q", "one"]);
    followed.exactly(&["modified a.php", "removed new/e.php", "created old/d.php"]).await;
}

#[tokio::test]
async fn git_looks_commits_and_stashes() {
    let folder = repository();
    let mut followed = folder.follow().await;
    git(&folder, &["status"]);
    git(&folder, &["fetch", "-q", "."]);
    git(&folder, &["commit", "-q", "--allow-empty", "-m", "None"]);
    followed.nothing().await;
    folder.write("a.php", "three");
    followed.exactly(&["modified a.php"]).await;
    git(&folder, &["stash", "-q"]);
    followed.exactly(&["modified a.php"]).await;
    git(&folder, &["stash", "pop", "-q"]);
    followed.exactly(&["modified a.php"]).await;
}

#[tokio::test]
async fn what_git_ignores_is_ignored_until_it_is_not() {
    let folder = repository();
    folder.write("x.log", "one");
    let mut followed = folder.follow().await;
    folder.write("x.log", "two");
    folder.write("target/debug/a", "one");
    followed.nothing().await;
    folder.write(".gitignore", "/target/\n");
    followed.nothing().await;
    folder.write("x.log", "three");
    followed.exactly(&["modified x.log"]).await;
    folder.write("target/debug/a", "two");
    followed.nothing().await;
    folder.write(".gitignore", "/lib/\n");
    followed.nothing().await;
    folder.write("target/debug/a", "three");
    folder.write("lib/c.php", "three");
    followed.exactly(&["modified target/debug/a"]).await;
}
