//! Files, whole and in part.

use super::http;
use super::reply::Reply;
use crate::peer::Peer;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;
use workyard_worker::embedded::serve_while;
use workyard_worker::http::{Response, static_files};
use workyard_worker::{Worker, protocols::Http};

/// Longer than what is read at once.
fn large() -> Vec<u8> {
    (0..300_000_u32).map(|at| (at % 251) as u8).collect()
}

/// A folder to serve, and one beside it.
fn folders() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("www");
    std::fs::create_dir_all(root.join("sub")).unwrap();
    std::fs::create_dir_all(root.join("bare")).unwrap();
    std::fs::create_dir_all(root.join(".git")).unwrap();
    for (name, bytes) in [
        ("index.html", &b"<h1>root</h1>"[..]),
        ("sub/index.html", b"<h1>sub</h1>"),
        ("a.css", b"body {}"),
        ("empty.txt", b""),
        ("large.bin", &large()),
        (".git/config", b"secret"),
        ("../secret.txt", b"secret"),
        ("with space \u{fc}.txt", b"named"),
    ] {
        std::fs::write(root.join(name), bytes).unwrap();
    }
    symlink("../secret.txt", root.join("out.txt")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("a.css", root.join("within.css")).unwrap();
    folder
}

fn serving(root: &Path) -> Worker<Http> {
    let root = root.join("www");
    http().on_message(async move |connection, request| {
        connection.send(static_files(&root, &request).await)
    })
}

#[test]
fn files_are_served_with_what_they_are() {
    let folder = folders();
    let served = serve_while(serving(folder.path()), async |address| {
        let mut peer = Peer::connect(&address).await;
        for (path, content_type, bytes) in [
            ("/", "text/html; charset=utf-8", &b"<h1>root</h1>"[..]),
            ("/index.html?x=y", "text/html; charset=utf-8", b"<h1>root</h1>"),
            ("/sub/", "text/html; charset=utf-8", b"<h1>sub</h1>"),
            ("/a.css", "text/css; charset=utf-8", b"body {}"),
            ("/within.css", "text/css; charset=utf-8", b"body {}"),
            ("/empty.txt", "text/plain; charset=utf-8", b""),
            ("/with%20space%20%C3%BC.txt", "text/plain; charset=utf-8", b"named"),
            ("/large.bin", "application/octet-stream", &large()),
        ] {
            let reply = Reply::get(&mut peer, path, "").await;
            assert_eq!((reply.status(), reply.header("content-type")), ("200", Some(content_type)));
            assert!(reply.body == bytes, "{path}");
            peer.send(format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
            let head = Reply::head(&mut peer).await;
            assert_eq!(head.header("etag"), reply.header("etag"));
            let length = reply.header("content-length").filter(|length| *length != "0");
            assert_eq!(head.header("content-length").filter(|length| *length != "0"), length);
        }
    });
    served.unwrap();
}

#[test]
fn what_a_client_has_is_not_sent_again_and_parts_are() {
    let folder = folders();
    let served = serve_while(serving(folder.path()), async |address| {
        let mut peer = Peer::connect(&address).await;
        let whole = Reply::get(&mut peer, "/large.bin", "").await;
        let (tag, date) = (whole.header("etag").unwrap(), whole.header("last-modified").unwrap());
        for known in [format!("If-None-Match: {tag}\r\n"), format!("If-Modified-Since: {date}\r\n")]
        {
            let reply = Reply::get(&mut peer, "/large.bin", &known).await;
            assert_eq!((reply.status(), reply.header("etag")), ("304", Some(tag)));
        }
        for (range, status, content_range, bytes) in [
            ("bytes=0-4", "206", "bytes 0-4/300000", 0..5),
            ("bytes=100-280000", "206", "bytes 100-280000/300000", 100..280_001),
            ("bytes=-7", "206", "bytes 299993-299999/300000", 299_993..300_000),
            ("bytes=300000-", "416", "bytes */300000", 0..0),
        ] {
            let reply = Reply::get(&mut peer, "/large.bin", &format!("Range: {range}\r\n")).await;
            assert_eq!(reply.status(), status);
            assert_eq!(reply.header("content-range"), Some(content_range));
            assert!(reply.body == large()[bytes], "{range}");
        }
        let both = "Range: bytes=0-1,5-6\r\n";
        assert_eq!(Reply::get(&mut peer, "/large.bin", both).await.body.len(), 300_000);
    });
    served.unwrap();
}

#[test]
fn nobody_leaves_the_folder() {
    let folder = folders();
    let served = serve_while(serving(folder.path()), async |address| {
        let mut peer = Peer::connect(&address).await;
        for path in [
            "/none",
            "/a.css/",
            "/a.css/x",
            "/bare/",
            "/../secret.txt",
            "/..%2fsecret.txt",
            "/%2e%2e/secret.txt",
            "/sub/%2e%2e/%2e%2e/secret.txt",
            "/..%5csecret.txt",
            "/out.txt",
            "/up/secret.txt",
            "/up/",
            "/.git/config",
            "/index.html%00.css",
            "//etc/passwd",
            "/%2fetc%2fpasswd",
            "/%",
            "/%ff",
            &format!("/{}", "x".repeat(5000)),
        ] {
            let reply = Reply::get(&mut peer, path, "").await;
            assert_eq!((reply.status(), reply.text()), ("404", "404 Not Found"), "{path}");
        }
        for (path, location) in [("/sub", "/sub/"), ("//sub?a=b", "/sub/?a=b")] {
            let reply = Reply::get(&mut peer, path, "").await;
            assert_eq!((reply.status(), reply.header("location")), ("301", Some(location)));
        }
        let reply = Reply::to(&mut peer, "POST / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!((reply.status(), reply.header("allow")), ("405", Some("GET, HEAD")));
    });
    served.unwrap();
}

#[test]
fn a_file_may_be_the_answer_to_anything() {
    let folder = folders();
    let path = folder.path().join("www/a.css");
    let worker = http().on_message(async move |connection, request| {
        let path = if request.path() == "/none" { "/does/not/exist".into() } else { path.clone() };
        let response = Response::file(&request, path).await;
        connection.send(response.header("Content-Disposition", "attachment; filename=\"a\""))
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let post = "POST / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\nContent-Length: 0\r\n\r\n";
        let reply = Reply::to(&mut peer, post).await;
        assert_eq!((reply.status(), reply.text()), ("200", "body {}"));
        assert_eq!(reply.header("content-disposition"), Some("attachment; filename=\"a\""));
        assert_eq!(Reply::get(&mut peer, "/none", "").await.status(), "404");
    });
    served.unwrap();
}

#[test]
fn a_file_that_becomes_shorter_costs_its_connection() {
    let folder = folders();
    let path = folder.path().join("www/large.bin");
    let file = path.clone();
    let worker = http().on_message(async move |connection, request| {
        let response = Response::file(&request, &file).await;
        std::fs::write(&file, b"short").unwrap();
        connection.send(response)
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let seen = peer.rest().await;
        assert!(seen.len() < 1000, "{}", seen.len());
    });
    served.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"short");
}
