//! The files of a folder, as the paths of requests name them.

use super::conditions::Conditions;
use super::file::{Found, blocking, for_error, read};
use super::{Method, Request, Response, StatusCode};
use hyper::header::{ALLOW, LOCATION};
use percent_encoding::percent_decode_str;
use std::io;
use std::path::{Path, PathBuf};

/// What a folder is shown by.
const INDEX: &str = "index.html";

/// Answers with a file under a folder, which it cannot leave: not by `..` or an encoded `/`, and not by a symbolic
/// link. Names that begin with a dot are not found, but `.well-known`. A folder is answered with its `index.html`,
/// at a path that ends with `/`. For the rest as [`Response::file`].
///
/// ```
/// use workyard_worker::{Worker, http::static_files, protocols::Http};
///
/// let worker = Worker::<Http>::bind("http://0.0.0.0:2345")
///     .on_message(async |connection, request| {
///         connection.send(static_files("/srv/www", &request).await)
///     });
/// ```
pub async fn static_files(root: impl Into<PathBuf>, request: &Request) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Response::from(StatusCode::METHOD_NOT_ALLOWED).header(ALLOW, "GET, HEAD");
    }
    let Some(names) = names(request.path()) else { return StatusCode::NOT_FOUND.into() };
    let (root, conditions) = (root.into(), Conditions::of(request));
    let is_folder = request.path().ends_with('/');
    let found = blocking(move || find(&root, &names, is_folder, &conditions)).await;
    match found {
        Ok(Some(found)) => found.into(),
        Ok(None) => to_folder(request),
        Err(error) => for_error(&error),
    }
}

/// The names in a path, if all of them are such as may be asked for.
fn names(path: &str) -> Option<Vec<String>> {
    let names = path.split('/').filter(|name| !name.is_empty());
    names
        .map(|name| {
            let name = percent_decode_str(name).decode_utf8().ok()?;
            let is_hidden = name.starts_with('.') && name != ".well-known";
            let is_name = !is_hidden && !name.is_empty() && !name.contains(['/', '\\', '\0']);
            is_name.then(|| name.into_owned())
        })
        .collect()
}

/// `None` for a folder that was asked for as if it were a file.
fn find(
    root: &Path,
    names: &[String],
    is_folder: bool,
    conditions: &Conditions,
) -> io::Result<Option<Found>> {
    let root = root.canonicalize()?;
    let mut path = names.iter().fold(root.clone(), |path, name| path.join(name)).canonicalize()?;
    let is_within = |path: &Path| match path.starts_with(&root) {
        true => Ok(()),
        false => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    is_within(&path)?;
    match (path.is_dir(), is_folder) {
        (true, true) => path = path.join(INDEX).canonicalize()?,
        (true, false) => return Ok(None),
        (false, true) => return Err(io::ErrorKind::NotFound.into()),
        (false, false) => {}
    }
    is_within(&path)?;
    read(&path, conditions).map(Some)
}

/// To the same path with `/` behind it. However many stand before it, it stays on this host.
fn to_folder(request: &Request) -> Response {
    let path = request.path().trim_start_matches('/');
    let query = request.query_string();
    let location = match query {
        "" => format!("/{path}/"),
        _ => format!("/{path}/?{query}"),
    };
    Response::new().status(StatusCode::MOVED_PERMANENTLY).header(LOCATION, location)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_names() {
        let is = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        for (path, expected) in [
            ("/", is(&[])),
            ("//a//b/", is(&["a", "b"])),
            ("/%C3%BC%20x.txt", is(&["ü x.txt"])),
            ("/.well-known/x", is(&[".well-known", "x"])),
            ("/a..b", is(&["a..b"])),
            ("/..", None),
            ("/a/../b", None),
            ("/%2e%2e/x", None),
            ("/%2E./x", None),
            ("/.", None),
            ("/.git/config", None),
            ("/a%2Fb", None),
            ("/a%5cb", None),
            ("/a%00.html", None),
            ("/%ff", None),
            ("*", is(&["*"])),
        ] {
            assert_eq!(names(path), expected, "{path}");
        }
        // What is decoded once is not decoded again.
        assert_eq!(names("/%252e%252e"), is(&["%2e%2e"]));
    }
}
