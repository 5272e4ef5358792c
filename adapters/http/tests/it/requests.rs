//! What requests are made of, and what responses have.

use crate::server::{Server, ok, redirect, respond, write};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use workyard_http::{ErrorKind, HeaderMap, Http, Method, Options, StatusCode, Version};
use workyard_testbed::Told;

#[tokio::test]
async fn a_page_is_got() {
    let server = Server::start(|_| respond("200 OK", "X-Id: 7\r\nX-Id: 8\r\n", "grüße")).await;
    let http = Http::new().unwrap();
    let response = http.get(server.url("/a?b=c")).send().await.unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::OK, Version::HTTP_11));
    assert_eq!((response.header("x-id"), response.header("x-no")), (Some("7"), None));
    assert_eq!(response.headers().get_all("x-id").iter().count(), 2);
    assert_eq!((response.text().unwrap(), response.url().path()), ("grüße", "/a"));
    assert_eq!(response.into_bytes(), "grüße");
    let asked = server.only();
    assert_eq!((&*asked.method, &*asked.target, &*asked.version), ("GET", "/a?b=c", "HTTP/1.1"));
    let agent = concat!("workyard-http/", env!("CARGO_PKG_VERSION"));
    assert_eq!(asked.header("user-agent"), Some(agent));
    assert_eq!(asked.header("accept-encoding"), Some("gzip"));
    assert_eq!((asked.header("referer"), asked.header("cookie")), (None, None));
}

#[tokio::test]
async fn every_method_is_sent_as_it_is() {
    let server = Server::start(|_| respond("204 No Content", "", "")).await;
    let http = Http::new().unwrap();
    let url = server.url("/");
    let named =
        [http.get(&url), http.head(&url), http.post(&url), http.put(&url), http.patch(&url)];
    let others = [http.delete(&url), http.request(Method::OPTIONS, &url)];
    let own = http.request(Method::from_bytes(b"PURGE").unwrap(), &url);
    for request in named.into_iter().chain(others).chain([own]) {
        request.send().await.unwrap();
    }
    let methods: Vec<String> = server.asked().into_iter().map(|asked| asked.method).collect();
    let expected = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"];
    assert_eq!(methods, expected);
    assert_eq!(server.connections(), 1, "a connection is used again");
}

#[tokio::test]
async fn bodies_are_sent_as_what_they_are() {
    let server = Server::start(|asked| ok(&asked.body)).await;
    let http = Http::new().unwrap();
    let post = || http.post(server.url("/"));
    let form = [("name", "Ann & Bob"), ("city", "Köln")];
    let answers = [
        post().form(form).send().await.unwrap(),
        post().json(&json!({ "a": [1, 2] })).send().await.unwrap(),
        post().body(&b"\x00\xff"[..]).send().await.unwrap(),
        post().header("Content-Type", "application/problem+json").json(&1).send().await.unwrap(),
    ];
    assert_eq!(answers[1].json::<Value>().unwrap(), json!({ "a": [1, 2] }));
    assert_eq!(answers[2].bytes(), &b"\x00\xff"[..]);
    assert_eq!(answers[2].text().unwrap_err().kind(), ErrorKind::Protocol);
    let asked = server.asked();
    assert_eq!(asked[0].text(), "name=Ann+%26+Bob&city=K%C3%B6ln");
    let types: Vec<_> = asked.iter().map(|asked| asked.header("content-type")).collect();
    let form = Some("application/x-www-form-urlencoded");
    let problem = Some("application/problem+json");
    assert_eq!(types, [form, Some("application/json"), None, problem]);
}

#[tokio::test]
async fn headers_parameters_and_credentials_are_sent() {
    let server = Server::start(|_| ok("")).await;
    let http = Http::new().unwrap();
    let mut more = HeaderMap::new();
    more.insert("x-b", "2".parse().unwrap());
    more.append("x-b", "3".parse().unwrap());
    let get = http.get(server.url("/a?x=1")).query([("q", "a b"), ("x", "&")]);
    let get = get.header("X-A", "1").header("X-B", "gone").headers(more).bearer("token");
    get.version(Version::HTTP_10).send().await.unwrap();
    http.get(server.url("/")).basic("me", "p:w").send().await.unwrap();
    let asked = server.asked();
    assert_eq!((&*asked[0].target, &*asked[0].version), ("/a?x=1&q=a+b&x=%26", "HTTP/1.0"));
    assert_eq!(
        (asked[0].header("x-a"), asked[0].header("authorization")),
        (Some("1"), Some("Bearer token"))
    );
    let twice: Vec<_> = asked[0].headers.iter().filter(|(name, _)| name == "x-b").collect();
    assert_eq!(twice.len(), 2);
    assert_eq!(asked[1].header("authorization"), Some("Basic bWU6cDp3"));
}

#[tokio::test]
async fn paths_stand_behind_the_base_whose_user_is_for_its_host_alone() {
    let server = Server::start(|_| ok("")).await;
    let other = Server::start(|_| ok("")).await;
    let address = server.address;
    let http = Http::open(&format!("http://me:secret@{address}/v1?user_agent=shop")).unwrap();
    http.get("books?page=2").send().await.unwrap();
    http.get(server.url("/whole")).send().await.unwrap();
    http.get("books").bearer("own").send().await.unwrap();
    http.get(other.url("/")).send().await.unwrap();
    let asked = server.asked();
    let basic = Some("Basic bWU6c2VjcmV0");
    let said: Vec<_> = asked.iter().map(|it| (&*it.target, it.header("authorization"))).collect();
    let expected =
        [("/v1/books?page=2", basic), ("/whole", basic), ("/v1/books", Some("Bearer own"))];
    assert_eq!(said, expected);
    assert_eq!(asked[0].header("user-agent"), Some("shop"));
    assert_eq!(other.only().header("authorization"), None);
    let own = http.get(format!("http://you:own@{}/", other.address));
    own.send().await.unwrap();
    assert_eq!(other.asked()[1].header("authorization"), Some("Basic eW91Om93bg=="));
    let shown = format!("{http:?} {:?}", http.get("x?token=secret").bearer("secret"));
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn any_status_is_a_response_and_an_error_where_one_asks_for_that() {
    let server =
        Server::start(|asked| respond(&asked.target[1..].replace('-', " "), "", "why")).await;
    let http = Http::new().unwrap();
    for (status, code) in [("400-No", "400"), ("404-Not-Found", "404"), ("500-Oh", "500")] {
        let response = http.get(server.url(&format!("/{status}"))).send().await.unwrap();
        assert_eq!((response.status().as_str(), response.text().unwrap()), (code, "why"));
        let error = response.error_for_status().unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(code)));
        let place = format!("http {}: GET: {code} ", server.address);
        assert!(error.to_string().starts_with(&place), "{error}");
        assert!(!error.is_transient() && !error.outcome_unknown());
    }
    for status in ["200-OK", "304-Not-Modified"] {
        let response = http.get(server.url(&format!("/{status}"))).send().await.unwrap();
        response.error_for_status().unwrap();
    }
    assert_eq!(http.stats().succeeded, 5);
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_and_nothing_is_sent() {
    let server = Server::start(|_| ok("")).await;
    let http = Http::new().unwrap();
    let get = || http.get(server.url("/"));
    let wrong = [
        http.get("/path"),
        http.get("ftp://h/"),
        http.get("http://h:port/"),
        get().header("a b", "c"),
        get().header("a", "b\r\nc: d"),
        get().bearer("a\nb"),
        get().proxy("ftp://p"),
        get().json(&std::collections::BTreeMap::from([((1, 2), 3)])),
    ];
    for request in wrong {
        let shown = format!("{request:?}");
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{shown} {error}");
        assert!(!error.outcome_unknown());
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn cookies_are_kept_only_where_one_wants_them_and_for_their_host() {
    let script = |asked: &crate::server::Asked| match &*asked.target {
        "/set" => respond("200 OK", "Set-Cookie: id=7; Path=/\r\n", ""),
        _ => ok(""),
    };
    let (server, other) = (Server::start(script).await, Server::start(script).await);
    for (cookies, expected) in [(false, None), (true, Some("id=7"))] {
        let mut options = Options::default();
        options.cookies = cookies;
        let http = Http::with(options).unwrap();
        http.get(server.url("/set")).send().await.unwrap();
        http.get(server.url("/x")).send().await.unwrap();
        assert_eq!(server.asked().last().unwrap().header("cookie"), expected);
        let elsewhere = other.url("/x").replace("127.0.0.1", "localhost");
        http.get(elsewhere).send().await.unwrap();
        assert_eq!(other.asked().last().unwrap().header("cookie"), None);
    }
}

#[tokio::test]
async fn cookies_without_end_do_not_pile_up() {
    let server = Server::start(|asked| {
        let cookies = (0..40).map(|place| format!("Set-Cookie: c{}-{place}=x\r\n", asked.number));
        respond("200 OK", &cookies.collect::<String>(), "")
    })
    .await;
    let http = Http::open("http://h?cookies=true").unwrap();
    for _ in 0..5 {
        http.get(server.url("/")).send().await.unwrap();
    }
    let last = server.asked().pop().unwrap();
    let sent: Vec<_> = last.header("cookie").unwrap().split("; ").collect();
    assert_eq!(sent.len(), 50);
    assert_eq!(sent.iter().filter(|cookie| cookie.starts_with("c3-")).count(), 40);
}

#[tokio::test]
async fn progress_is_told() {
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let server = Server::start(move |asked| match &*asked.target {
        "/long" => ok(vec![b'x'; 1 << 20]),
        _ => vec![write(chunked)],
    })
    .await;
    let http = Http::new().unwrap();
    let told = |path: &'static str| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let (tell, get) = (Arc::clone(&told), http.get(server.url(path)));
        let get = get.progress(move |bytes, total| tell.lock().unwrap().push((bytes, total)));
        async move {
            get.send().await.unwrap();
            told.lock().unwrap().clone()
        }
    };
    let long = told("/long").await;
    assert!(long.is_sorted() && long.len() > 1, "{long:?}");
    assert_eq!(long.last(), Some(&(1 << 20, Some(1 << 20))));
    assert_eq!(told("/chunked").await.last(), Some(&(5, None)));
}

#[tokio::test]
async fn ready_says_whether_the_host_answers_and_lets_one_in() {
    let server = Server::start(|asked| match asked.header("authorization") {
        Some("Basic bWU6c2VjcmV0") => redirect(302, "/elsewhere"),
        Some(_) => respond("401 Unauthorized", "", ""),
        None => respond("500 Oh", "", ""),
    })
    .await;
    let ready = async |user: &str| {
        let url = format!("http://{user}{}/v1?attempts_max=1", server.address);
        Http::open(&url).unwrap().ready().await
    };
    ready("me:secret@").await.unwrap();
    assert_eq!((&*server.only().method, &*server.only().target), ("HEAD", "/v1"));
    let error = ready("me:wrong@").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("401")));
    assert!(!format!("{error:?} {error}").contains("wrong"), "{error}");
    let error = ready("").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some("500")));
    Http::new().unwrap().ready().await.unwrap();
}

#[tokio::test]
async fn whoever_observes_is_told_of_each_call_and_of_no_secret() {
    let server = Server::start(|_| ok("")).await;
    let told = Arc::new(Told::default());
    let mut options = Options::new(format!("http://me:secret@{}/v1", server.address));
    options.observer = Some(told.clone());
    let http = Http::with(options).unwrap();
    http.get("a?token=secret").send().await.unwrap();
    http.request(Method::from_bytes(b"OWN").unwrap(), "b").send().await.unwrap();
    let target = server.address;
    let expected = [format!("http {target} GET 1 ok"), format!("http {target} REQUEST 1 ok")];
    assert_eq!(told.lines(), expected);
}
