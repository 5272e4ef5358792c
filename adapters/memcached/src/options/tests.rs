//! Options, read and refused.

use super::*;
use std::time::Duration;

fn read(url: &str) -> Result<(Options, Servers), Error> {
    let mut options = Options::new(url);
    let servers = options.read()?;
    Ok((options, servers))
}

fn named(servers: &Servers) -> Vec<String> {
    servers.addresses.iter().map(ToString::to_string).collect()
}

#[test]
fn a_url_names_one_server_or_several() {
    let cases: [(&str, &[&str]); 6] = [
        ("memcached://", &["127.0.0.1:11211"]),
        ("memcached://h", &["h:11211"]),
        ("memcached://a,b:22122,10.0.0.3/", &["a:11211", "b:22122", "10.0.0.3:11211"]),
        ("memcached://[::1]:7,[::2]", &["[::1]:7", "[::2]:11211"]),
        ("memcached://u:p,q@a,b?failover=true", &["a:11211", "b:11211"]),
        ("memcacheds://a:1,b:2?weights=3,4", &["a:1", "b:2"]),
    ];
    for (url, expected) in cases {
        let (_, servers) = read(url).unwrap();
        assert_eq!(named(&servers), expected, "{url}");
        assert_eq!(servers.secure, url.starts_with("memcacheds"));
    }
}

#[test]
fn every_option_can_stand_in_the_url() {
    let (options, servers) = read(
        "memcacheds://us%40er:p%3aw@a,b?weights=3,4&failover=true&value_bytes_max=7&calls_max=5\
         &answer_bytes_max=8&request_timeout=2s&tls_ca=/ca",
    )
    .unwrap();
    assert_eq!((options.failover, options.value_bytes_max, options.answer_bytes_max), (true, 7, 8));
    assert_eq!(options.calls.request_timeout, Duration::from_secs(2));
    assert_eq!(options.calls.calls_max, 5);
    assert_eq!(options.tls.ca, Some("/ca".into()));
    let weights: Vec<u32> = servers.addresses.iter().map(|address| address.weight).collect();
    assert_eq!(weights, [3, 4]);
    let login = servers.login.unwrap();
    assert_eq!((&*login.user, &*login.password), ("us@er", "p:w"));
}

#[test]
fn what_cannot_work_is_refused_with_what_would() {
    let error = read("memcached://a?tls_ca=/ca").err().unwrap().to_string();
    assert!(error.ends_with("write memcacheds://"), "{error}");
    let cases = [
        ("redis://h", "it can begin with memcached:// or memcacheds://"),
        ("memcached://a,", "there is nothing between two commas"),
        ("memcached://a,,b", "there is nothing between two commas"),
        ("memcached://a,b:port", "the URL cannot be read (invalid port number)"),
        ("memcached://a,b:11212,a:11211", "the server a:11211 is named twice"),
        ("memcached://a/db", "the URL has a path"),
        ("memcached://a?weights=1,2", "2 weights for 1 servers; give each one"),
        ("memcached://a,b?weights=0,1", "a weight of 0; it is 1 to 100000"),
        ("memcached://a,b?weights=one", "weights=one in the URL: it is numbers"),
        ("memcached://a?value_bytes_max=0", "value_bytes_max is zero"),
        ("memcached://a?failover=perhaps", "failover=perhaps in the URL: it is true or false"),
        ("memcached://a?fail_over=true", "a parameter \"fail_over\" that does not exist"),
        ("memcached://user@a", "needs both a user and a password"),
        ("memcached://u%20v:secret@a", "needs both a user and a password"),
        ("memcached://u:secret%20secret@a", "needs both a user and a password"),
        ("memcached://u:secret%0d%0a@a", "needs both a user and a password"),
    ];
    for (url, expected) in cases {
        let error = read(url).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{url}");
        assert!(error.to_string().contains(expected), "{url}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn a_file_has_the_same_options_and_the_url_goes_before() {
    let text = "url = 'memcacheds://a,b?failover=false'\nweights = [1, 2]\nfailover = true\n\
                [calls]\nrequest_timeout = '1s'\n[tls]\nca = '/ca'";
    let mut options: Options = toml::from_str(text).unwrap();
    assert_eq!(options.calls.calls_max, 32);
    let servers = options.read().unwrap();
    assert!(!options.failover);
    assert_eq!(servers.addresses[1].weight, 2);
    let error = toml::from_str::<Options>("wieghts = [1]").unwrap_err().to_string();
    assert!(error.contains("unknown field `wieghts`, expected one of `url`, `weights`"), "{error}");
}

#[test]
fn the_password_is_not_shown() {
    let options = Options::new("memcached://app:secret@a,b:1?failover=true");
    let shown = format!("{options:?}");
    assert!(shown.contains("memcached://app:...@a,b:1?failover=true"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}
