//! Options from a file and from a URL.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn said(options: Options) -> String {
    options.parse().err().unwrap().to_string()
}

#[test]
fn a_file_says_what_differs_from_the_defaults() {
    let text = "url = 'mysql://h'\nrows_max = 5\ncheck_after = '1s'\nsession = ['SET a = 1']\n\
                [calls]\nrequest_timeout = '1s'\n[tls]\nca = '/ca'\n";
    let options: Options = toml::from_str(text).unwrap();
    assert_eq!((options.rows_max, options.check_after), (5, SECOND));
    assert_eq!((options.calls.request_timeout, options.calls.calls_max), (SECOND, 16));
    assert_eq!(options.session, ["SET a = 1"]);
    assert_eq!(options.charset, "utf8mb4");
    let error = toml::from_str::<Options>("rowsmax = 5").unwrap_err().to_string();
    assert!(error.contains("unknown field `rowsmax`, expected one of"), "{error}");
}

#[test]
fn everything_can_stand_in_the_url() {
    let url = "mysql://us%40er:p%3Ass@h:1/shop?socket=/s&charset=latin1&time_zone=%2B01:00&\
               session=SET%20a=1&reset=true&transaction_timeout=1s&check_after=2s&rows_max=3&\
               answer_bytes_max=4&packet_bytes_max=5000&statements_max=6&calls_max=7&idle_timeout=8s";
    let Parsed { target, driver, options } = Options::new(url).parse().unwrap();
    assert_eq!(&*target, "/s");
    assert_eq!((driver.user(), driver.pass()), (Some("us@er"), Some("p:ss")));
    assert_eq!((driver.db_name(), driver.socket()), (Some("shop"), Some("/s")));
    assert_eq!((driver.ip_or_hostname(), driver.tcp_port()), ("h", 1));
    assert_eq!(driver.setup(), ["SET a=1", "SET NAMES latin1, time_zone = '+01:00'"]);
    assert_eq!((driver.max_allowed_packet(), driver.stmt_cache_size()), (Some(5000), 6));
    let pool = driver.pool_opts();
    assert_eq!((pool.constraints().min(), pool.constraints().max()), (0, 7));
    assert_eq!(pool.inactive_connection_ttl(), SECOND * 8);
    assert_eq!((options.transaction_timeout, options.check_after), (SECOND, SECOND * 2));
    assert_eq!((options.rows_max, options.answer_bytes_max), (3, 4));
    assert!(options.reset && !driver.prefer_socket());
}

#[test]
fn a_host_is_enough() {
    let Parsed { target, driver, .. } = Options::new("mysql://[::1]").parse().unwrap();
    assert_eq!((&*target, driver.ip_or_hostname()), ("[::1]:3306", "::1"));
    assert_eq!((driver.user(), driver.db_name(), driver.setup()), (None, None, &[][..]));
    assert!(driver.ssl_opts().is_none());
}

#[test]
fn what_cannot_work_is_refused() {
    let url = |rest: &str| said(Options::new(format!("mysql://u:secret@h{rest}")));
    assert!(url("?rows_maxx=1").contains("a parameter \"rows_maxx\" that does not exist"));
    assert!(url("?rows_max=many").contains("rows_max=many in the URL: it is a number"));
    assert!(url("?reset=1").contains("it is true or false"));
    assert!(url("?rows_max=0").starts_with("rows_max is zero"));
    assert!(url("?packet_bytes_max=5").starts_with("packet_bytes_max is between 1024"));
    assert!(url("?calls_max=0").starts_with("calls_max is zero"));
    assert!(url("?charset=a'b").contains("letters, digits"));
    assert!(url("?tls_ca=/ca").ends_with("write mysqls://"));
    assert!(said(Options::new("mysqls://h?tls_ca=/none.pem")).contains("/none.pem"));
    assert!(said(Options::new("mysqls://h?socket=/s")).contains("no TLS on a unix socket"));
    assert!(said(Options::new("redis://h")).contains("it can begin with mysql:// or mysqls://"));
}

#[test]
fn the_password_is_not_shown() {
    let options = Options::new("mysql://u:secret@h/d");
    assert!(format!("{options:?}").contains("mysql://u:...@h/d"));
    let mysql = crate::Mysql::with(options).unwrap();
    assert!(!format!("{mysql:?}").contains("secret"));
}
