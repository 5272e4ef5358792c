//! A page from which files are uploaded, by its button or with curl:
//! `curl -F file=@photo.jpg http://127.0.0.1:2361/`. They are saved in the folder that `UPLOAD_FOLDER` names, or
//! else that of temporary files; `http://127.0.0.1:2361/files/photo.jpg` shows them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use workyard_worker::http::{Request, Response, StatusCode};
use workyard_worker::protocols::Http;
use workyard_worker::{Worker, blocking};

const PAGE: &str = r#"<!doctype html><title>Upload</title>
<form method="post" enctype="multipart/form-data"><input type="file" name="file" multiple> <button>Upload</button></form>"#;

fn main() -> ExitCode {
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "http://127.0.0.1:2361".to_owned());
    Worker::<Http>::bind(&listen)
        .name("file-upload")
        .package_bytes_max(64 * 1024 * 1024)
        .on_message(async |connection, request| {
            let response = match (request.method().as_str(), request.path()) {
                ("GET", "/") => PAGE.into(),
                ("POST", "/") => save(&request).await,
                ("GET", _) => match saved_as(&request.path_decoded()) {
                    Some(path) => Response::file(&request, path).await,
                    None => StatusCode::NOT_FOUND.into(),
                },
                _ => StatusCode::NOT_FOUND.into(),
            };
            connection.send(response)
        })
        .run()
}

fn folder() -> PathBuf {
    std::env::var_os("UPLOAD_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from)
}

/// Where the file of a path `/files/NAME` is. A name that leads elsewhere is none.
fn saved_as(path: &str) -> Option<PathBuf> {
    let name = path.strip_prefix("/files/")?;
    let plain = Path::new(name).file_name().filter(|plain| *plain == name)?;
    Some(folder().join(plain))
}

async fn save(request: &Request) -> Response {
    let form = match request.form() {
        Ok(form) => form,
        Err(error) => return bad(error.to_string()),
    };
    let mut saved = String::new();
    for upload in form.uploads() {
        // Browsers send names only; anything else is not to choose the folder.
        let name = Path::new(&upload.file_name).file_name().unwrap_or_default().to_owned();
        if name.is_empty() {
            return bad("a file has no name".to_owned());
        }
        saved.push_str(&format!("{}: {} bytes\n", name.display(), upload.bytes.len()));
        let content = upload.bytes.clone();
        let written = blocking(move || std::fs::write(folder().join(name), content));
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return bad(error.to_string()),
            Err(error) => return bad(error.to_string()),
        }
    }
    Response::from(saved).header("Content-Type", "text/plain; charset=utf-8")
}

fn bad(text: String) -> Response {
    Response::from(text).status(StatusCode::BAD_REQUEST)
}
