//! Listings that come page by page, as one stream.

use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};

/// Everything that `fetch` returns: it is asked with cursor 0 first, then with the cursor that it
/// returned last, until that is 0. An error ends the stream.
pub fn pages<T, E, F, Page>(fetch: F) -> BoxStream<'static, Result<T, E>>
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
    stream::try_unfold(Some(0), next_page).try_flatten().boxed()
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
