//! Which URLs are of the same server: scheme, host and port.

use url::{Position, Url};

/// Scheme, host and port as a text, the usual port left out. The URL has no user.
pub(crate) fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

/// `host:port`, as errors and metrics say it.
pub(crate) fn target(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_a_server_have_one_origin() {
        let url = |text: &str| Url::parse(text).unwrap();
        assert_eq!(origin(&url("http://H:80/a?b")), origin(&url("http://h")));
        assert_ne!(origin(&url("http://h:443")), origin(&url("https://h")));
        assert_eq!(target(&url("https://[::1]/x")), "[::1]:443");
    }
}
