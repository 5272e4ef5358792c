//! Prints what reading a text costs: time for each call, memory for each byte.
//!
//! ```sh
//! cargo run --release -p workyard-php --example scan_cost
//! ```

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};
use workyard_php::{Document, Ties, canonical, entries, scan};

const TIME: Duration = Duration::from_millis(300);

fn main() {
    println!("nanoseconds for each call, bytes of the text:");
    let publish = publish();
    measure("entries, publish of a small map", &publish, |text| {
        entries(text, |key, scan| {
            black_box((key, scan));
        })
        .is_ok()
    });
    for (what, text) in [
        ("publish of a small map", publish),
        ("publish of a string", publish_string()),
        ("row of 30 names and strings", row()),
        ("list of 1000 integers", list(1000, |at| format!("i:{at};"))),
        ("list of 1000 short floats", list(1000, |at| format!("d:{}.5;", at % 100))),
        ("list of 1000 long floats", list(1000, |at| format!("d:{};", 1.0 / (at + 3) as f64))),
        ("list of 1000 strings", list(1000, |_| "s:10:\"0123456789\";".to_owned())),
        ("string of 1 MB", string(&"x".repeat(1_000_000)).into_bytes()),
        (
            "4096 arrays inside each other",
            ["a:1:{i:0;".repeat(4096), "}".repeat(4096)]
                .concat()
                .replace(";}", ";N;}")
                .into_bytes(),
        ),
    ] {
        measure(&format!("scan, {what}"), &text, |text| scan(text).is_ok_and(|scan| scan.plain));
        measure(&format!("document and write, {what}"), &text, |text| {
            let mut out = Vec::with_capacity(text.len());
            Document::parse(text).expect("it is valid").root().write(Ties::Stored, &mut out);
            out == text
        });
    }
    let references = list(1000, |at| if at == 0 { "i:7;".to_owned() } else { "R:2;".to_owned() });
    measure("canonical, 1000 references", &references, |text| canonical(text).is_ok());
    println!("bytes of memory for each byte of the text, in the tree:");
    for (what, text) in [
        ("list of 1 000 000 nulls", list(1_000_000, |_| "N;".to_owned())),
        ("list of 1 000 000 empty arrays", list(1_000_000, |_| "a:0:{}".to_owned())),
        ("object of 1 000 000 integer names", object(1_000_000)),
    ] {
        let tree = Document::parse(&text).expect("it is valid");
        println!("  {:7.1}  {what}", tree.memory_bytes() as f64 / text.len() as f64);
    }
}

/// The best of many batches, so that other programs do not count.
fn measure(what: &str, text: &[u8], call: impl Fn(&[u8]) -> bool) {
    const BATCH: u32 = 16;
    assert!(call(text), "{what}");
    let start = Instant::now();
    let mut best = Duration::MAX;
    while start.elapsed() < TIME {
        let batch = Instant::now();
        for _ in 0..BATCH {
            black_box(call(black_box(text)));
        }
        best = best.min(batch.elapsed());
    }
    let each = best.as_nanos() as f64 / f64::from(BATCH);
    println!("  {each:11.1}  {what}: {}", text.len());
}

fn string(text: &str) -> String {
    format!("s:{}:\"{text}\";", text.len())
}

/// About 300 bytes, as the PHP client sends them.
fn publish() -> Vec<u8> {
    let data = [
        ("order", "i:184467;".to_owned()),
        ("user", string("3f2b8c1e-8f57-4f0a")),
        ("state", string("paid")),
        ("total", "d:129.95;".to_owned()),
        ("lines", "a:2:{i:0;i:17;i:1;i:42;}".to_owned()),
        ("express", "b:1;".to_owned()),
        ("note", string("leave it with the neighbours")),
    ];
    let data: String = data.iter().map(|(name, value)| string(name) + value).collect();
    let data = format!("a:7:{{{data}}}");
    request(&data)
}

fn publish_string() -> Vec<u8> {
    request(&string(&"x".repeat(200)))
}

fn request(data: &str) -> Vec<u8> {
    let fields = [
        ("type", string("publish")),
        ("channels", format!("a:1:{{i:0;{}}}", string("orders.paid"))),
        ("data", data.to_owned()),
    ];
    let fields: String = fields.iter().map(|(name, value)| string(name) + value).collect();
    format!("a:3:{{{fields}}}").into_bytes()
}

fn row() -> Vec<u8> {
    let row: String =
        (0..30).map(|at| string(&format!("column_{at}")) + &string("some text")).collect();
    format!("a:30:{{{row}}}").into_bytes()
}

fn list(count: usize, value: impl Fn(usize) -> String) -> Vec<u8> {
    let list: String = (0..count).map(|at| format!("i:{at};{}", value(at))).collect();
    format!("a:{count}:{{{list}}}").into_bytes()
}

fn object(count: usize) -> Vec<u8> {
    let list: String = (0..count).map(|at| format!("i:{at};N;")).collect();
    format!("O:1:\"A\":{count}:{{{list}}}").into_bytes()
}
