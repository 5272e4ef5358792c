//! What requests bring: queries, cookies, forms, uploads, JSON.

use super::http;
use super::reply::Reply;
use crate::peer::Peer;
use serde::{Deserialize, Serialize};
use workyard_worker::embedded::serve_while;
use workyard_worker::http::{BodyError, Cookie, Form, Response, StatusCode};

fn post(content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A form as text: its fields, and of each upload all that is known.
fn text_of(form: &Form) -> String {
    let fields = form.fields().map(|(name, value)| format!("{name}={value}\n"));
    let uploads = form.uploads().iter().map(|upload| {
        let content_type = upload.content_type.as_deref().unwrap_or("-");
        format!("{} {} {content_type} {:?}\n", upload.name, upload.file_name, upload.bytes)
    });
    fields.chain(uploads).collect()
}

#[test]
fn a_request_says_what_it_is() {
    let worker = http().on_message(async |connection, request| {
        let all: Vec<_> = request.query_pairs().map(|(name, value)| name + "=" + value).collect();
        connection.send(format!(
            "{} {} {:?} {:?} {:?} {:?} {:?} {}",
            request.method(),
            request.path(),
            request.path_decoded(),
            request.query("a"),
            request.query("none"),
            request.host(),
            request.header("X-THING"),
            all.join("|"),
        ))
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let reply = Reply::get(&mut peer, "/a%20b?a=1+2&b=%C3%BC&a=3", "x-thing: \u{fc}\r\n").await;
        let expected =
            "GET /a%20b \"/a b\" Some(\"1 2\") None Some(\"x\") Some(\"ü\") a=1 2|b=ü|a=3";
        assert_eq!(reply.text(), expected);
        let absolute = "BREW http://y:80/pot HTTP/1.1\r\nHost: x\r\n\r\n";
        let reply = Reply::to(&mut peer, absolute).await;
        let expected = "BREW /pot \"/pot\" None None Some(\"y:80\") None ";
        assert_eq!(reply.text(), expected);
    });
    served.unwrap();
}

#[test]
fn cookies_come_and_go() {
    let worker = http().on_message(async |connection, request| {
        if request.path() == "/bad" {
            return connection.send(Response::new().cookie(&Cookie::new("a", "b; c")));
        }
        let text = format!("{:?} {:?}", request.cookie("one"), request.cookies().last());
        let one = Cookie::new("one", "1").path("/").http_only();
        connection.send(Response::from(text).cookie(&one).cookie(&Cookie::removal("two")))
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let headers = "Cookie: one=a=b; bare; two=\"q\"\r\nCookie: three=\r\n";
        let reply = Reply::get(&mut peer, "/", headers).await;
        assert_eq!(reply.text(), "Some(\"a=b\") Some((\"three\", \"\"))");
        assert_eq!(reply.headers("set-cookie"), ["one=1; Path=/; HttpOnly", "two=; Max-Age=0"]);
        assert_eq!(Reply::get(&mut peer, "/bad", "").await.status(), "500");
    });
    served.unwrap();
}

#[test]
fn forms_are_taken_apart() {
    let worker = http().on_message(async |connection, request| {
        let form = request.form();
        connection.send(match form {
            Ok(form) => Response::from(text_of(&form)),
            Err(error) => Response::from((StatusCode::BAD_REQUEST, error.to_string())),
        })
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let urlencoded = "Application/X-WWW-Form-Urlencoded; charset=utf-8";
        let reply = Reply::to(&mut peer, post(urlencoded, b"a=1+2&b=%C3%BC&a=%ff&c")).await;
        assert_eq!(reply.text(), "a=1 2\nb=ü\na=\u{fffd}\nc=\n");

        let parts = b"--xyz\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA \xc3\xbc\r\n\
            --xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../a b.bin\"\r\n\
            Content-Type: application/x-thing\r\n\r\n\0\xff\r\n--xy\r\n\r\n\
            --xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--xyz--\r\n";
        let multipart = "multipart/form-data; boundary=xyz";
        let reply = Reply::to(&mut peer, post(multipart, parts)).await;
        let expected = "title=A ü\nfile ../a b.bin application/x-thing b\"\\0\\xff\\r\\n--xy\\r\\n\"\nfile  - b\"\"\n";
        assert_eq!(reply.text(), expected);

        let many = "a=1&".repeat(1001);
        let part = "--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        for (content_type, body, error) in [
            (urlencoded, many.as_bytes(), "more than 1000"),
            (multipart, (part.repeat(1001) + "--xyz--\r\n").as_bytes(), "more than 1000"),
            (multipart, part.as_bytes(), "the body is no form"),
            (multipart, b"--xyz\r\nno header\r\n\r\n1\r\n--xyz--\r\n", "the body is no form"),
            (multipart, b"", "the body is no form"),
            ("multipart/form-data", b"x", "the body is no form"),
            ("text/plain", b"a=1", "its type is \"text/plain\""),
        ] {
            let reply = Reply::to(&mut peer, post(content_type, body)).await;
            assert_eq!(reply.status(), "400");
            assert!(reply.text().contains(error), "{}", reply.text());
        }
    });
    served.unwrap();
}

#[test]
fn an_upload_may_be_large_and_have_any_bytes() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let expected = bytes.clone();
    let worker = http().on_message(async move |connection, request| {
        let form = request.form()?;
        let upload = form.upload("file").ok_or(BodyError::TooManyParts(0))?;
        connection.send(format!("{} {}", upload.file_name, upload.bytes == expected));
        Ok::<_, BodyError>(())
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let head = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n";
        let body = [&head[..], &bytes, b"\r\n--b--\r\n"].concat();
        let reply = Reply::to(&mut peer, post("multipart/form-data; boundary=b", &body)).await;
        assert_eq!(reply.text(), "x true");
    });
    served.unwrap();
}

#[test]
fn json_is_read_and_written() {
    #[derive(Serialize, Deserialize)]
    struct Point {
        x: i32,
        y: i32,
    }
    let worker = http().on_message(async |connection, request| {
        connection.send(match request.json::<Point>() {
            Ok(Point { x, y }) => Response::json(&Point { x: y, y: x })?,
            Err(error) => Response::from((StatusCode::BAD_REQUEST, error.to_string())),
        });
        Ok::<_, serde_json::Error>(())
    });
    let served = serve_while(worker, async |address| {
        let mut peer = Peer::connect(&address).await;
        let reply = Reply::to(&mut peer, post("application/json", br#"{"x": 1, "y": 2}"#)).await;
        assert_eq!(reply.text(), r#"{"x":2,"y":1}"#);
        let reply = Reply::to(&mut peer, post("application/json", br#"{"x": 1}"#)).await;
        assert!(reply.text().contains("missing field `y`"), "{}", reply.text());
    });
    served.unwrap();
}
