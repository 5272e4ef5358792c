//! What options may be, and what is said of those that may not.

use super::*;
use workyard_adapter_kit::ErrorKind;

fn resolved(url: &str) -> Result<(Options, Place), Error> {
    Options::new(url).resolve()
}

#[test]
fn everything_can_stand_in_the_url() {
    let url = "wss://us%40er:p%3Ass@[::1]:9000/a/b%20c?version=5&client_id=me&clean_session=false&\
               session_expiry=2h&keepalive=7s&resubscribe=false&reconnect_first=1s&reconnect_max=9s&\
               inflight_max=3&receive_max=4&queue_max=5&queue_bytes_max=600&packet_bytes_max=700&\
               overlapping_copies=true&user_properties=a:b,c:d&close_grace=8s&will_topic=w&\
               will_payload=x&will_qos=2&will_retain=true&calls_max=9&tls_ca=/ca.pem";
    let (options, place) = resolved(url).unwrap();
    assert_eq!(options.version, Version::V5);
    assert_eq!(options.client_id.as_deref(), Some("me"));
    assert!(!options.clean_session && !options.resubscribe && options.overlapping_copies);
    let seconds = |seconds| Duration::from_secs(seconds);
    assert_eq!(options.session_expiry, seconds(7200));
    assert_eq!((options.keepalive, options.close_grace), (seconds(7), seconds(8)));
    assert_eq!((options.reconnect.first, options.reconnect.max), (seconds(1), seconds(9)));
    assert_eq!((options.inflight_max, options.receive_max, options.queue_max), (3, 4, 5));
    assert_eq!((options.queue_bytes_max, options.packet_bytes_max), (600, 700));
    assert_eq!(options.user_properties[1], ("c".to_owned(), "d".to_owned()));
    assert_eq!(options.username.as_deref(), Some("us@er"));
    assert_eq!(options.password.as_deref(), Some("p:ss"));
    let will = Will { topic: "w".into(), payload: "x".into(), qos: Qos::ExactlyOnce, retain: true };
    assert_eq!(options.will, Some(will));
    assert_eq!(options.calls.calls_max, 9);
    assert_eq!(options.tls.ca, Some("/ca.pem".into()));
    assert_eq!((&*place.host, place.port, place.secure), ("::1", 9000, true));
    assert_eq!(place.path.as_deref(), Some("/a/b%20c"));
}

#[test]
fn each_scheme_has_its_port() {
    for (url, port, secure, path) in [
        ("mqtt://h", 1883, false, None),
        ("mqtts://h", 8883, true, None),
        ("ws://h", 80, false, Some("/mqtt")),
        ("wss://h/", 443, true, Some("/mqtt")),
        ("ws://h:80", 80, false, Some("/mqtt")),
    ] {
        let (_, place) = resolved(url).unwrap();
        assert_eq!(
            (place.port, place.secure, place.path.as_deref()),
            (port, secure, path),
            "{url}"
        );
        assert!(place.target.starts_with(&format!("h:{port}")), "{url}");
    }
}

#[test]
fn a_file_says_what_differs() {
    let text = "url = 'mqtt://h'\nversion = '5'\nkeepalive = '9s'\nuser_properties = [['a', 'b']]\n\
                [will]\ntopic = 't'\nqos = 1\n[calls]\ncalls_max = 3\n[reconnect]\nmax = '1s'\n";
    let options: Options = toml::from_str(text).unwrap();
    assert_eq!((options.version, options.keepalive), (Version::V5, Duration::from_secs(9)));
    assert_eq!(options.will.unwrap().qos, Qos::AtLeastOnce);
    let error = toml::from_str::<Options>("keepalives = '1s'").unwrap_err().to_string();
    assert!(error.contains("unknown field `keepalives`"), "{error}");
    assert!(toml::from_str::<Options>("will = { topic = 't', qos = 3 }").is_err());
}

#[test]
fn clients_that_are_not_named_are_told_apart() {
    let id = || resolved("mqtt://h").unwrap().0.client_id.unwrap();
    let (one, other) = (id(), id());
    assert_ne!(one, other);
    // Every broker has to accept as many.
    assert!(one.len() <= 23, "{one}");
}

#[test]
fn the_broker_expects_no_sign_before_the_client_gives_one() {
    for (said, seconds) in [("1s", 1), ("1600ms", 2), ("65535s", 65_535), ("0s", 0)] {
        let (options, _) = resolved(&format!("mqtt://h?keepalive={said}")).unwrap();
        assert_eq!(options.keepalive_seconds(), seconds, "{said}");
    }
}

#[test]
fn what_cannot_work_is_refused() {
    for (url, said) in [
        ("mqtt://h/path", "has the path /path"),
        ("http://h", "it can begin with mqtt://"),
        ("mqtt://h?version=3", "it is 4 (3.1.1) or 5"),
        ("mqtt://h?clean_session=false", "needs a client_id"),
        ("mqtt://h?clean_session=false&client_id=", "needs a client_id"),
        ("mqtt://h?keepalive=500ms", "it can be 1s to 65535s"),
        ("mqtt://h?inflight_max=0", "inflight_max is zero"),
        ("mqtt://h?queue_max=0", "queue_max is zero"),
        ("mqtt://h?packet_bytes_max=5", "it can be 128 to"),
        ("mqtt://:secret@h", "a password needs a username"),
        ("mqtt://h?will_payload=x", "will: \"\" is no topic"),
        ("mqtt://h?will_topic=a/%23", "wildcards"),
        ("mqtt://h?will_topic=a&will_qos=3", "there are 0, 1 and 2"),
        ("mqtt://h?user_properties=a", "write NAME:VALUE"),
        ("mqtt://h?keep_alive=5s", "does not exist"),
        ("mqtt://h?tls_ca=/ca.pem", "of no use with mqtt://; write mqtts://"),
        ("ws://h?tls_key=/key.pem", "of no use with ws://; write wss://"),
    ] {
        let error = resolved(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{url}");
        assert!(error.to_string().contains(said), "{url}: {error}");
        assert!(!error.to_string().contains("secret"), "{url}: {error}");
    }
}

#[test]
fn no_password_is_shown() {
    let mut options = Options::new("mqtt://u:secret@h");
    options.password = Some("secret".to_owned());
    let shown = format!("{options:?}");
    assert!(!shown.contains("secret") && shown.contains("..."), "{shown}");
}
