//! What is stored is read as what it was, whatever the encodings of both sides.

use crate::support::{builder, client, daemon};
use serde::{Deserialize, Serialize};
use workyard_globaldata::{Encoding, ErrorKind, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: Option<u8>,
    tags: Vec<String>,
}

fn user() -> User {
    User { name: "Ånn ☃".into(), age: Some(30), tags: vec!["a".into(), String::new()] }
}

#[tokio::test]
async fn structures_are_read_by_clients_of_another_encoding() {
    let daemon = daemon();
    let reader = client(&daemon).await;
    for encoding in [Encoding::Bincode, Encoding::Json] {
        let writer = builder(&daemon).encoding(encoding).connect().await.unwrap();
        writer.set("user", &user()).await.unwrap();
        let entry = reader.entry("user").await.unwrap().unwrap();
        assert_eq!(entry.value.as_ref().tag().name(), encoding.name());
        assert_eq!(entry.decode::<User>().unwrap(), user());
        let aged = |user: Option<User>| User { age: Some(31), ..user.unwrap() };
        let updated = reader.update("user", aged).await.unwrap();
        assert_eq!(updated.value, User { age: Some(31), ..user() });
    }
}

#[tokio::test]
async fn scalars_and_bytes_are_stored_as_themselves() {
    let daemon = daemon();
    let client = client(&daemon).await;
    client.set("int", &-5).await.unwrap();
    assert_eq!(client.entry("int").await.unwrap().unwrap().value, Value::Int(-5));
    client.set("float", &1.5).await.unwrap();
    assert_eq!(client.entry("float").await.unwrap().unwrap().value, Value::Float(1.5));
    client.set("text", "five").await.unwrap();
    assert_eq!(client.entry("text").await.unwrap().unwrap().value, Value::text("five"));
    assert_eq!(client.get::<Vec<u8>>("text").await.unwrap(), Some(b"five".to_vec()));
    for bytes in [vec![], vec![0, 255, 128], vec![7; 4 << 20]] {
        client.set_value("bytes", &Value::raw(bytes.clone())).await.unwrap();
        assert_eq!(client.get::<Vec<u8>>("bytes").await.unwrap(), Some(bytes));
    }
    let error = client.get::<User>("text").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(client.get::<User>("none").await.unwrap(), None);
}

#[tokio::test]
async fn keys_are_any_bytes() {
    let daemon = daemon();
    let client = client(&daemon).await;
    let names = [&b""[..], b"\0\xff\n", "naïve ☃ key".as_bytes(), &[b'x'; 4096]];
    for name in names {
        assert!(client.add(name, &1).await.unwrap());
        assert!(!client.add(name, &2).await.unwrap());
        assert_eq!(client.get(name).await.unwrap(), Some(1));
    }
    let mut keys = client.keys("");
    let mut count = 0;
    while let Some(info) = keys.next().await.transpose().unwrap() {
        assert!(names.contains(&info.key.as_ref()));
        count += 1;
    }
    assert_eq!(count, names.len());
    let error = client.set([b'x'; 4097], &1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    let error = client.set_value("x", &Value::raw(vec![0; 10 << 20])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(!client.exists("x").await.unwrap());
}
