//! What PHP's serialize format costs: read as a tree, made canonical, written.

use criterion::Criterion;
use std::hint::black_box;
use std::time::Duration;
use workyard_php::{Document, canonical, scan, to_buffer};

const EVENT: &[u8] = b"a:3:{s:2:\"id\";i:7;s:4:\"paid\";b:1;s:5:\"price\";d:12.5;}";

/// The same, as PHP would not write it.
const ODD: &[u8] = b"a:3:{s:2:\"id\";i:+07;s:4:\"paid\";b:1;s:5:\"price\";d:12.50;}";

fn main() {
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .sample_size(20);
    let mut criterion = criterion.configure_from_args();
    let list = list();
    let mut group = criterion.benchmark_group("php");
    for (name, text) in [("event", EVENT), ("odd event", ODD), ("1000 integers", &list)] {
        assert!(canonical(text).is_ok(), "{name}");
        group.bench_function(format!("scan/{name}"), |bencher| {
            bencher.iter(|| black_box(scan(black_box(text)).is_ok()));
        });
        group.bench_function(format!("parse/{name}"), |bencher| {
            bencher.iter(|| black_box(Document::parse(black_box(text)).is_ok()));
        });
        group.bench_function(format!("canonical/{name}"), |bencher| {
            bencher.iter(|| black_box(canonical(black_box(text)).is_ok()));
        });
    }
    let numbers: Vec<i64> = (0..1000).collect();
    let mut out = Vec::new();
    group.bench_function("write/1000 integers", |bencher| {
        bencher.iter(|| {
            out.clear();
            to_buffer(black_box(&numbers), &mut out).expect("integers can be written");
            black_box(out.len())
        });
    });
    group.finish();
    criterion.final_summary();
}

fn list() -> Vec<u8> {
    let numbers: Vec<i64> = (0..1000).collect();
    workyard_php::to_vec(&numbers).expect("integers can be written")
}
