//! Frames of the Workerman wire made by hand: a second, independent reading of it.

/// The answer that says null.
pub const NULL: &[u8] = b"\0\0\0\x06N;";
/// The answer that says no.
pub const FALSE: &[u8] = b"\0\0\0\x08b:0;";
/// The answer that says yes.
pub const TRUE: &[u8] = b"\0\0\0\x08b:1;";
/// What globaldata-server says before it hangs up.
pub const BAD_REQUEST: &[u8] = b"\0\0\0\x17s:11:\"bad request\";";

/// A frame: its length, these four bytes included, then its body.
///
/// # Panics
/// When it is longer than a length can say.
#[must_use]
pub fn frame(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("frames are short");
    [&length.to_be_bytes(), body].concat()
}

/// PHP's text of a string.
#[must_use]
pub fn text(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("s:{}:\"", bytes.len()).as_bytes(), bytes, b"\";"].concat()
}

/// PHP's text of an integer.
#[must_use]
pub fn integer(number: i64) -> Vec<u8> {
    format!("i:{number};").into_bytes()
}

/// PHP's text of an array with these keys and values, which are texts already.
#[must_use]
pub fn array(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let entries_text = entries.iter().flat_map(|(key, value)| [*key, *value]);
    let mut out = format!("a:{}:{{", entries.len()).into_bytes();
    entries_text.for_each(|text| out.extend_from_slice(text));
    out.push(b'}');
    out
}

/// A frame to channel-server: a verb, one channel or queue, and data if there is any.
#[must_use]
pub fn channel(verb: &str, name: &[u8], data: Option<&[u8]>) -> Vec<u8> {
    let list = array(&[(b"i:0;", &text(name))]);
    let (type_key, type_text) = (text("type"), text(verb));
    let (channels_key, data_key) = (text("channels"), text("data"));
    let mut entries: Vec<(&[u8], &[u8])> = vec![(&type_key, &type_text), (&channels_key, &list)];
    entries.extend(data.map(|data| (data_key.as_slice(), data)));
    frame(&array(&entries))
}

/// The frame that asks channel-server for the next jobs.
#[must_use]
pub fn reserve() -> Vec<u8> {
    frame(&array(&[(&text("type"), &text("reserve"))]))
}

/// What channel-server sends: an `event` or a job of a `queue`.
#[must_use]
pub fn pushed(kind: &str, name: &[u8], data: &[u8]) -> Vec<u8> {
    frame(&array(&[
        (&text("type"), &text(kind)),
        (&text("channel"), &text(name)),
        (&text("data"), data),
    ]))
}

/// A frame to globaldata-server: a command, a key, and one more field if there is one.
#[must_use]
pub fn key(command: &str, key: &[u8], field: Option<(&str, &[u8])>) -> Vec<u8> {
    let (command_key, command) = (text("cmd"), text(command));
    let (key_key, key) = (text("key"), text(key));
    let field = field.map(|(name, value)| (text(name), value));
    let mut entries: Vec<(&[u8], &[u8])> = vec![(&command_key, &command), (&key_key, &key)];
    entries.extend(field.as_ref().map(|(name, value)| (name.as_slice(), *value)));
    frame(&array(&entries))
}

/// A frame to globaldata-server that writes a key if its value has this md5.
#[must_use]
pub fn cas(key: &[u8], md5: &str, value: &[u8]) -> Vec<u8> {
    frame(&array(&[
        (&text("cmd"), &text("cas")),
        (&text("md5"), &text(md5)),
        (&text("key"), &text(key)),
        (&text("value"), value),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_the_original_clients() {
        assert_eq!(frame(b"N;"), NULL);
        assert_eq!(frame(b"b:1;"), TRUE);
        assert_eq!(frame(&text("bad request")), BAD_REQUEST);
        let subscribe = channel("subscribe", b"user_login", None);
        let body = b"a:2:{s:4:\"type\";s:9:\"subscribe\";s:8:\"channels\";\
            a:1:{i:0;s:10:\"user_login\";}}";
        assert_eq!(subscribe, [b"\0\0\0\x50", body.as_slice()].concat());
        let increment = key("increment", b"abc", Some(("step", &integer(2))));
        let body = b"a:3:{s:3:\"cmd\";s:9:\"increment\";s:3:\"key\";s:3:\"abc\";s:4:\"step\";i:2;}";
        assert_eq!(increment, [b"\0\0\0\x47", body.as_slice()].concat());
        assert_eq!(cas(b"abc", &"0".repeat(32), &integer(18))[..4], *b"\0\0\0\x75");
    }
}
