//! Listings that come page by page, as one stream.

use crate::link::Link;
use crate::session::Session;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt, select_all};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A stream of what is listed, asked for page by page. It ends after the first error.
#[must_use = "nothing is asked for before it is read"]
pub struct Pages<T, E> {
    items: BoxStream<'static, Result<T, E>>,
}

impl<T: Send + 'static, E: Send + 'static> Pages<T, E> {
    /// Several listings as one, in no particular order. One whose end is an error ends with it; the
    /// others go on.
    pub fn of_all(listings: impl IntoIterator<Item = Self>) -> Self {
        Self { items: select_all(listings).boxed() }
    }
}

impl<T, E> Pages<T, E> {
    /// The next one; nothing after the last.
    pub async fn next(&mut self) -> Option<Result<T, E>> {
        self.items.next().await
    }
}

impl<T, E> Stream for Pages<T, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.items.poll_next_unpin(cx)
    }
}

impl<T, E> fmt::Debug for Pages<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

/// Everything that `fetch` returns: it is asked with cursor 0 first, then with the cursor that it
/// returned last, until that is 0. An error ends the stream.
pub fn pages<T, E, F, Page>(fetch: F) -> Pages<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
    F: Fn(u64) -> Page + Send + Sync + 'static,
    Page: Future<Output = Result<(u64, Vec<T>), E>> + Send + 'static,
{
    let next_page = move |cursor: Option<u64>| {
        let page = cursor.map(&fetch);
        async {
            let Some(page) = page else { return Ok(None) };
            let (next, items) = page.await?;
            let more = (next != 0).then_some(next);
            Ok(Some((stream::iter(items.into_iter().map(Ok)), more)))
        }
    };
    Pages { items: stream::try_unfold(Some(0), next_page).try_flatten().boxed() }
}

/// Everything of one name, or whose names begin so: each page is what `page` makes of the link, the name
/// and a cursor.
pub fn listing<S, T, E, F, Page>(link: &Link<S>, name: &[u8], page: F) -> Pages<T, E>
where
    S: Session,
    T: Send + 'static,
    E: Send + 'static,
    F: Fn(Link<S>, Bytes, u64) -> Page + Send + Sync + 'static,
    Page: Future<Output = Result<(u64, Vec<T>), E>> + Send + 'static,
{
    let (link, name) = (link.clone(), Bytes::copy_from_slice(name));
    pages(move |cursor| page(link.clone(), name.clone(), cursor))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(
        pages_of: &'static [Result<(u64, &[u32]), &str>],
    ) -> Vec<Result<u32, &'static str>> {
        pages(move |cursor| async move {
            pages_of[cursor as usize].map(|(next, items)| (next, items.to_vec()))
        })
        .collect()
        .await
    }

    #[tokio::test]
    async fn pages_follow_their_cursors_to_the_last() {
        assert_eq!(all(&[Ok((0, &[]))]).await, []);
        assert_eq!(
            all(&[Ok((1, &[1, 2])), Ok((2, &[])), Ok((0, &[3]))]).await,
            [Ok(1), Ok(2), Ok(3)]
        );
        assert_eq!(all(&[Ok((1, &[1])), Err("no")]).await, [Ok(1), Err("no")]);
    }
}
