//! Forms: fields and uploads in the body of a request.

use super::{BodyError, Request};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream;
use hyper::header::CONTENT_TYPE;
use multer::Multipart;
use std::convert::Infallible;

/// How many fields and uploads a form may have.
const PARTS_MAX: usize = 1000;

/// What was filled in and uploaded, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    fields: Vec<(String, String)>,
    uploads: Vec<Upload>,
}

/// An uploaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The field's name.
    pub name: String,
    /// How the peer calls the file. Nothing is safe about it: it may be a path.
    pub file_name: String,
    /// What the peer says is in it.
    pub content_type: Option<String>,
    /// What is in it, a copy of that part of the body.
    pub bytes: Bytes,
}

impl Form {
    /// The first field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields().find(|(one, _)| *one == name).map(|(_, value)| value)
    }

    /// All fields.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first upload of this name.
    #[must_use]
    pub fn upload(&self, name: &str) -> Option<&Upload> {
        self.uploads.iter().find(|upload| upload.name == name)
    }

    /// All uploads.
    #[must_use]
    pub fn uploads(&self) -> &[Upload] {
        &self.uploads
    }

    fn urlencoded(body: &[u8]) -> Result<Self, BodyError> {
        let pairs = form_urlencoded::parse(body).take(PARTS_MAX + 1);
        let fields: Vec<_> = pairs.map(|(name, value)| (name.into(), value.into())).collect();
        match fields.len() > PARTS_MAX {
            true => Err(BodyError::TooManyParts(PARTS_MAX)),
            false => Ok(Self { fields, uploads: Vec::new() }),
        }
    }

    async fn multipart(body: Bytes, boundary: String) -> Result<Self, BodyError> {
        let body = stream::iter([Ok::<_, Infallible>(body)]);
        let mut parts = Multipart::new(body, boundary);
        let mut form = Self::default();
        while let Some(part) = parts.next_field().await? {
            if form.fields.len() + form.uploads.len() == PARTS_MAX {
                return Err(BodyError::TooManyParts(PARTS_MAX));
            }
            let name = part.name().unwrap_or_default().to_owned();
            let file_name = part.file_name().map(str::to_owned);
            let content_type = part.content_type().map(ToString::to_string);
            let bytes = part.bytes().await?;
            match file_name {
                Some(file_name) => {
                    form.uploads.push(Upload { name, file_name, content_type, bytes });
                }
                None => form.fields.push((name, String::from_utf8_lossy(&bytes).into_owned())),
            }
        }
        Ok(form)
    }
}

impl Request {
    /// The form in the body, as browsers send it in either way. Text that is not UTF-8 has U+FFFD in it.
    ///
    /// # Errors
    /// The body is no form, or a malformed one, or has more than 1000 fields and uploads.
    pub fn form(&self) -> Result<Form, BodyError> {
        let content_type = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Form::urlencoded(self.body());
        }
        if !essence.eq_ignore_ascii_case("multipart/form-data") {
            return Err(BodyError::NoForm(content_type.to_owned()));
        }
        let boundary = multer::parse_boundary(content_type)?;
        // All of it is there: nothing has to be waited for.
        let form = Form::multipart(self.body().clone(), boundary).now_or_never();
        form.unwrap_or(Err(BodyError::Multipart(multer::Error::IncompleteStream)))
    }
}
