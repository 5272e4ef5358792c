//! A request in any shape that PHP reads: keys in any order, extra ones, references between values.

use crate::channel::Names;
use crate::name::Name;
use crate::value::Payload;
use std::borrow::Cow;
use workyard_php::{Document, Error, Holder, Key, Node, Scalar, Scan, Ties, entries};
use workyard_protocol::limits::NAME_BYTES_MAX;

/// The fields of a request that are of interest, by their keys.
#[derive(Debug)]
pub(crate) struct Body<'a, const N: usize> {
    keys: [&'static str; N],
    values: Values<'a, N>,
}

#[derive(Debug)]
enum Values<'a, const N: usize> {
    /// Nothing in the request refers to anything else: each field can be read alone.
    Apart([Option<Scan<'a>>; N]),
    /// A tree, because a value may stand at another place.
    Tied(Box<Document<'a>>, Ties),
}

impl<'a, const N: usize> Body<'a, N> {
    /// Reads a whole request. Nothing if it is PHP's text of something that is no array. `ties` says
    /// what becomes of the values.
    pub(crate) fn read(
        body: &'a [u8],
        keys: [&'static str; N],
        ties: Ties,
    ) -> Result<Option<Self>, Error> {
        let mut found = [None; N];
        let read = entries(body, |key, value| {
            if let Some(at) = keys.iter().position(|wanted| is(key, wanted)) {
                found[at] = Some(value);
            }
        })?;
        if read.holder != Holder::Array {
            return Ok(None);
        }
        let values = if read.references {
            Values::Tied(Box::new(Document::parse(body)?), ties)
        } else {
            Values::Apart(found)
        };
        Ok(Some(Self { keys, values }))
    }

    /// The canonical text of a field, as a value of its own.
    pub(crate) fn text(&self, key: &str) -> Option<Cow<'a, [u8]>> {
        match &self.values {
            Values::Apart(found) => found[self.at(key)].map(canonical),
            Values::Tied(document, ties) => {
                Some(Cow::Owned(written(document.root().entry(Key::Bytes(key.as_bytes()))?, *ties)))
            }
        }
    }

    /// The value of a field. What is missing is null.
    pub(crate) fn value(&self, key: &str) -> Payload<'a> {
        match self.text(key) {
            None => Payload::NULL,
            Some(Cow::Borrowed(text)) => Payload::of_canonical(text),
            Some(Cow::Owned(text)) => Payload::of_owned(text),
        }
    }

    /// A field that is a name. Nothing if it is missing or cannot be one.
    pub(crate) fn name(&self, key: &str) -> Option<Name<'a>> {
        name(self.text(key)?)
    }

    /// A field that lists names. Nothing if it is no list, or if one of them cannot be a name.
    pub(crate) fn names(&self, key: &str) -> Option<Names<'a>> {
        match &self.values {
            Values::Apart(found) => match canonical(found[self.at(key)]?) {
                Cow::Borrowed(text) => names(text),
                Cow::Owned(text) => names(&text).map(Names::into_owned),
            },
            Values::Tied(document, ties) => {
                tied_names(document.root().entry(Key::Bytes(key.as_bytes()))?, *ties, document)
            }
        }
    }

    fn at(&self, key: &str) -> usize {
        self.keys.iter().position(|known| *known == key).expect("only keys that were asked for")
    }
}

fn is(key: Key<'_>, wanted: &str) -> bool {
    matches!(key, Key::Bytes(bytes) if bytes == wanted.as_bytes())
}

fn canonical(value: Scan<'_>) -> Cow<'_, [u8]> {
    if value.plain {
        return Cow::Borrowed(value.text);
    }
    workyard_php::canonical(value.text).expect("it was scanned as a part of the request")
}

fn written(node: Node<'_, '_>, ties: Ties) -> Vec<u8> {
    let mut text = Vec::new();
    node.write(ties, &mut text);
    text
}

fn name(text: Cow<'_, [u8]>) -> Option<Name<'_>> {
    match text {
        Cow::Borrowed(text) => Name::of_canonical(text),
        Cow::Owned(text) => Name::of_canonical(&text).map(Name::into_owned),
    }
}

/// The names in the canonical text of an array or object.
fn names(text: &[u8]) -> Option<Names<'_>> {
    let mut names = Some(Names::default());
    let read = entries(text, |_, value| match (Name::of_canonical(value.text), &mut names) {
        (Some(name), Some(names)) => names.add(name),
        _ => names = None,
    });
    if read.ok()?.holder == Holder::Scalar {
        return None;
    }
    names
}

/// The same of a list in which names may stand for each other, so that a few bytes can mean many. Those
/// are taken up to the size of the request.
fn tied_names<'n>(list: Node<'_, '_>, ties: Ties, document: &Document<'_>) -> Option<Names<'n>> {
    if list.scalar().is_some() {
        return None;
    }
    let mut names = Names::default();
    let mut room = document.text().len();
    for (_, node) in list.entries() {
        match node.scalar()? {
            Scalar::String(text) if text.len() > NAME_BYTES_MAX => names.too_long += 1,
            _ => {
                let text = written(node, ties);
                room = room.checked_sub(text.len())?;
                names.add(Name::of_canonical(&text)?.into_owned());
            }
        }
    }
    Some(names)
}
