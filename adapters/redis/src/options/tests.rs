//! What URLs and files mean.

use super::*;
use std::time::Duration;

fn settle(url: &str) -> Settings {
    Options::new(url).settle().unwrap()
}

fn tcp(host: &str, port: u16) -> Endpoint {
    Endpoint::Tcp { host: host.to_owned(), port }
}

#[test]
fn a_url_says_where_and_who() {
    let settings = settle("rediss://us%40er:p%3Ass@h:7000/3?request_timeout=1s&blocking_max=2");
    assert_eq!(settings.topology, Topology::Server(tcp("h", 7000)));
    assert_eq!(settings.user.as_deref(), Some("us@er"));
    assert_eq!(settings.password.as_deref(), Some("p:ss"));
    assert!(settings.encrypted);
    assert_eq!((settings.options.database, settings.options.blocking_max), (3, 2));
    assert_eq!(settings.options.calls.request_timeout, Duration::from_secs(1));
    assert_eq!(&*settings.target, "h:7000/3");
}

#[test]
fn every_way_to_reach_servers_has_a_url() {
    let unix = settle("redis+unix:///run/redis.sock?database=2");
    assert_eq!(unix.topology, Topology::Server(Endpoint::Unix("/run/redis.sock".into())));
    assert_eq!((&*unix.target, unix.options.database), ("/run/redis.sock", 2));
    let sentinel = settle("redis+sentinel://:p@a,b:1/mymaster/4?sentinel_auth=true");
    let sentinels = vec![tcp("a", 26379), tcp("b", 1)];
    assert_eq!(sentinel.topology, Topology::Sentinel { sentinels, name: "mymaster".to_owned() });
    assert_eq!((sentinel.options.database, sentinel.options.sentinel_auth), (4, true));
    let cluster = settle("rediss+cluster://a:1,b?read_from_replicas=true");
    assert_eq!(cluster.topology, Topology::Cluster(vec![tcp("a", 1), tcp("b", 6379)]));
    assert!(cluster.encrypted && cluster.options.read_from_replicas);
    assert_eq!(&*cluster.target, "a:1,b:6379");
}

#[test]
fn what_makes_no_sense_is_said() {
    let cases = [
        ("http://h", "it can begin with redis://"),
        ("redis://h/x", "is no database: a number"),
        ("redis://a,b", "names 2 hosts; 1 at most"),
        ("redis://user@h", "no password"),
        ("redis+unix://", "needs a path"),
        ("redis+sentinel://h", "needs the name of a master"),
        ("redis+cluster://h/1", "a cluster has the database 0 only"),
        ("redis://h?calls_may=3", "a parameter \"calls_may\" that does not exist"),
        ("redis://h?response_bytes_max=0", "response_bytes_max is zero"),
        ("redis://h?sentinel_auth=1", "it is true or false"),
    ];
    for (url, said) in cases {
        let error = Options::new(url).settle().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{url}");
        assert!(error.to_string().contains(said), "{url}: {error}");
    }
}

#[test]
fn a_file_says_it_too_and_the_url_counts() {
    let text = "url = 'redis://:secret@h?blocking_max=3'\nblocking_max = 2\ndatabase = 5\n\
                [calls]\nrequest_timeout = '1s'\n";
    let options: Options = toml::from_str(text).unwrap();
    let shown = format!("{options:?}");
    assert!(!shown.contains("secret") && shown.contains("redis://:...@h"), "{shown}");
    let settings = options.settle().unwrap();
    assert_eq!((settings.options.blocking_max, settings.options.database), (3, 5));
    let error = toml::from_str::<Options>("blocking = 1").unwrap_err().to_string();
    assert!(error.contains("unknown field `blocking`"), "{error}");
}
