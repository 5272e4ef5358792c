//! Files as responses.

use super::conditions::{Conditions, Version, Wanted};
use super::{Content, Request, Response, StatusCode};
use bytes::Bytes;
use hyper::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::UNIX_EPOCH;
use tokio::task::{JoinHandle, spawn_blocking};

/// How much of a file is in memory at once; what is not longer is read at once.
const CHUNK_BYTES: u64 = 64 * 1024;

/// A part of a file that is read while it is sent.
#[derive(Debug)]
pub(crate) struct FilePart {
    /// None while it is being read.
    file: Option<File>,
    reading: Option<JoinHandle<io::Result<(File, Bytes)>>>,
    left: u64,
}

/// What is sent of a file. Unlike a response it can be made in another thread.
#[derive(Debug)]
pub(super) struct Found {
    version: Version,
    wanted: Wanted,
    content_type: String,
    content: Option<FoundContent>,
}

#[derive(Debug)]
enum FoundContent {
    Read(Bytes),
    ToRead(File, u64),
}

impl Response {
    /// A file, its type told by its extension. It is 304 for a client that has it already, 206 or 416 for one that
    /// wants a part of it, 404 if there is no such file. Long ones are read while they are sent.
    ///
    /// The path is opened as it is: for paths that clients choose, see [`static_files`](super::static_files()).
    pub async fn file(request: &Request, path: impl Into<PathBuf>) -> Self {
        let (path, conditions) = (path.into(), Conditions::of(request));
        let found = blocking(move || read(&path, &conditions)).await;
        found.map_or_else(|error| for_error(&error), Self::from)
    }
}

/// Runs where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(run).await.unwrap_or_else(|error| Err(error.into()))
}

/// Opens a file, and reads it if it is short.
pub(super) fn read(path: &Path, conditions: &Conditions) -> io::Result<Found> {
    // Others than files might be waited for without end.
    if !path.metadata()?.is_file() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let version = Version::new(metadata.len(), metadata.modified().unwrap_or(UNIX_EPOCH));
    let wanted = conditions.wanted(&version);
    let range = match &wanted {
        Wanted::Whole => Some(0..version.bytes),
        Wanted::Part(range) => Some(range.clone()),
        Wanted::Nothing | Wanted::Impossible => None,
    };
    let content = match range {
        Some(range) => {
            let bytes = range.end - range.start;
            if range.start > 0 {
                file.seek(SeekFrom::Start(range.start))?;
            }
            Some(match bytes > CHUNK_BYTES || conditions.is_head {
                true => FoundContent::ToRead(file, bytes),
                false => FoundContent::Read(read_chunk(&mut file, bytes)?),
            })
        }
        None => None,
    };
    let content_type = content_type(path);
    Ok(Found { version, wanted, content_type, content })
}

/// Reads exactly so much.
fn read_chunk(file: &mut File, bytes: u64) -> io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(bytes as usize);
    file.take(bytes).read_to_end(&mut chunk)?;
    match chunk.len() as u64 == bytes {
        true => Ok(chunk.into()),
        false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
    }
}

fn content_type(path: &Path) -> String {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    match mime.type_() == "text" || mime.subtype() == "javascript" {
        true => format!("{mime}; charset=utf-8"),
        false => mime.to_string(),
    }
}

/// What to say when a file cannot be had.
pub(super) fn for_error(error: &io::Error) -> Response {
    match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::InvalidInput => StatusCode::NOT_FOUND.into(),
        io::ErrorKind::PermissionDenied => StatusCode::FORBIDDEN.into(),
        _ => {
            tracing::error!(%error, "cannot read a file");
            StatusCode::INTERNAL_SERVER_ERROR.into()
        }
    }
}

impl From<Found> for Response {
    fn from(found: Found) -> Self {
        let Found { version, wanted, content_type, content } = found;
        let bytes = version.bytes;
        let response = Self::with(match content {
            Some(FoundContent::Read(bytes)) => Content::Bytes(bytes),
            Some(FoundContent::ToRead(file, left)) => {
                Content::File(FilePart { file: Some(file), reading: None, left })
            }
            None => Content::Bytes(Bytes::new()),
        });
        let response = response
            .header(ACCEPT_RANGES, "bytes")
            .header(ETAG, version.tag)
            .header(LAST_MODIFIED, httpdate::fmt_http_date(version.modified));
        match wanted {
            Wanted::Whole => response.header(CONTENT_TYPE, content_type),
            Wanted::Part(range) => response
                .status(StatusCode::PARTIAL_CONTENT)
                .header(CONTENT_TYPE, content_type)
                .header(CONTENT_RANGE, format!("bytes {}-{}/{bytes}", range.start, range.end - 1)),
            Wanted::Nothing => response.status(StatusCode::NOT_MODIFIED),
            Wanted::Impossible => response
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(CONTENT_RANGE, format!("bytes */{bytes}")),
        }
    }
}

impl FilePart {
    /// Bytes that are not sent yet.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The next chunk; `None` after the last.
    pub(crate) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(Ok(None));
        }
        if let Some(mut file) = self.file.take() {
            let bytes = self.left.min(CHUNK_BYTES);
            let read = move || read_chunk(&mut file, bytes).map(|chunk| (file, chunk));
            self.reading = Some(spawn_blocking(read));
        }
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(Err(io::Error::other("it could not be read before")));
        };
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let (file, chunk) = read??;
        self.file = Some(file);
        self.left -= chunk.len() as u64;
        Poll::Ready(Ok(Some(chunk)))
    }
}
