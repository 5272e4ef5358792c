//! Prints what it costs the store to change and read lists, sets and maps of several sizes: each change
//! reads and writes the value whole.
//!
//! `cargo run --release -p workyard-globaldata-server --example container_cost`

#![expect(clippy::print_stdout, reason = "it is a program that prints")]

mod support {
    pub(crate) mod ear;
}

use std::hint::black_box;
use std::time::{Duration, Instant};
use support::ear::{self, Ear};
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{
    End, Expiry, Look, Modification, Modify, PushItems, Question, Request,
};
use workyard_protocol::{FieldName, Key, Number, ValueRef};

/// Items of each container; with 16 bytes each, the last is near the limit of 1 MiB.
const SIZES: [u32; 4] = [10, 100, 1000, 40_000];

/// How often each is done in one round, and how many rounds: the best of them is printed, as the others
/// were disturbed.
const TIMES: u32 = 50;
const ROUNDS: u32 = 20;

fn main() {
    println!("{:>14} {:>10} {:>10} {:>10} {:>10} us", "", SIZES[0], SIZES[1], SIZES[2], SIZES[3]);
    let push = |end| {
        let items = vec![ValueRef::raw(b"0123456789abcdef")];
        Request::Modify(modify("list", Modification::Push(PushItems { end, items, keep: None })))
    };
    let pop = |end| Request::Modify(modify("list", Modification::Pop { end, count: 1 }));
    row("push and pop", || vec![push(End::Back), pop(End::Back)]);
    row("push, pop front", || vec![push(End::Front), pop(End::Front)]);
    let last = || Question::Range { start: -1, count: 1 };
    row("last item", || vec![look("list", last())]);
    let member = || vec![ValueRef::raw(b"member")];
    row("set add, remove", || {
        let change = |modification| Request::Modify(modify("set", modification));
        vec![change(Modification::SetAdd(member())), change(Modification::SetRemove(member()))]
    });
    row("set contains", || vec![look("set", Question::Contains(member()))]);
    let field = FieldName::new("00000007").expect("a short name");
    row("map increment", || {
        let (by, initial) = (Number::Int(1), None);
        vec![Request::Modify(modify("map", Modification::MapIncrement { field, by, initial }))]
    });
    row("map field", || vec![look("map", Question::Fields(vec![field]))]);
}

/// One operation on a container of each size. What it changes it changes back.
fn row(name: &str, requests: impl Fn() -> Vec<Request<'static>>) {
    let costs = SIZES.map(|size| {
        let mut store = filled(size);
        let requests = requests();
        let rounds = (0..ROUNDS).map(|_| round(&mut store, &requests));
        rounds.min().unwrap_or_default().as_nanos() as f64 / f64::from(TIMES) / 1000.0
    });
    let [one, two, three, four] = costs;
    println!("{name:>14} {one:>10.2} {two:>10.2} {three:>10.2} {four:>10.2}");
}

fn round(store: &mut Store, requests: &[Request<'static>]) -> Duration {
    let begin = Instant::now();
    for _ in 0..TIMES {
        for request in requests {
            ask(store, request.clone());
        }
    }
    begin.elapsed() / u32::try_from(requests.len()).expect("a few")
}

fn filled(size: u32) -> Store {
    let mut store = Store::new(StoreLimits::default());
    let names: Vec<String> = (0..size).map(|number| format!("{number:08}")).collect();
    for names in names.chunks(1000) {
        let items = || names.iter().map(ValueRef::raw).collect::<Vec<_>>();
        let field = |name| (FieldName::new(name).expect("a short name"), ValueRef::Int(1));
        let push = PushItems { end: End::Back, items: items(), keep: None };
        ask(&mut store, Request::Modify(modify("list", Modification::Push(push))));
        ask(&mut store, Request::Modify(modify("set", Modification::SetAdd(items()))));
        let fields = names.iter().map(field).collect();
        ask(&mut store, Request::Modify(modify("map", Modification::MapSet(fields))));
    }
    store
}

fn modify<'a>(name: &'a str, modification: Modification<'a>) -> Modify<'a> {
    Modify { key: key(name), expiry: Expiry::Keep, modification }
}

fn look<'a>(name: &'a str, question: Question<'a>) -> Request<'a> {
    Request::Look(Look { key: key(name), question })
}

fn key(name: &str) -> Key<'_> {
    Key::new(name).expect("a short name")
}

fn ask(store: &mut Store, request: Request<'_>) {
    let mut ear = Ear::default();
    ear::ask(store, 0, request, &mut ear);
    black_box(ear.heard());
}
