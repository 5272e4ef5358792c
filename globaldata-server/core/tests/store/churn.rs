//! Thousands of variables come and go, so that chunks of slots fill, empty and fill again.

use crate::ask::{Answer, ask, delete, exists, key, page, raw, set};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{Batch, BatchReply, Expect, Expiry, Reply, Request, Step};

const NUMBERS: u32 = 6000;

#[derive(Clone, Debug)]
enum Op {
    Set(Range<u32>),
    Delete(Range<u32>),
    /// Deletes, then sets, in one batch; what is in both has never been away.
    Batch {
        delete: Range<u32>,
        set: Range<u32>,
        applies: bool,
    },
    Page(u32),
}

#[derive(Default)]
struct Churn {
    exists: BTreeSet<u32>,
    cursor: u64,
    throughout: BTreeSet<u32>,
    listed: BTreeMap<u32, u32>,
}

impl Churn {
    fn run(&mut self, store: &mut Store, op: &Op) {
        match op {
            Op::Set(numbers) => {
                for number in numbers.clone() {
                    ask(store, set(&number.to_string(), raw("value")), |_| ());
                    self.exists.insert(number);
                }
            }
            Op::Delete(numbers) => {
                for number in numbers.clone() {
                    ask(store, delete(&number.to_string()), |_| ());
                    self.exists.remove(&number);
                }
            }
            Op::Batch { delete, set, applies } => self.batch(store, delete, set, *applies),
            Op::Page(limit) => self.page(store, *limit),
        }
        self.throughout.retain(|number| self.exists.contains(number));
        assert_eq!(store.census().keys, self.exists.len() as u64, "after {op:?}");
    }

    fn batch(&mut self, store: &mut Store, delete: &Range<u32>, set: &Range<u32>, applies: bool) {
        let names: Vec<String> = (0..NUMBERS).map(|number| number.to_string()).collect();
        let key = |number: u32| key(&names[number as usize]);
        let mut steps: Vec<Step<'_>> =
            delete.clone().map(|number| Step::Delete { key: key(number) }).collect();
        steps.extend(set.clone().map(|number| Step::Set {
            key: key(number),
            expiry: Expiry::Never,
            value: raw("other"),
        }));
        if !applies {
            steps.push(Step::Require { key: key(0), expect: Expect::Revision(u64::MAX) });
        }
        ask(store, Request::Batch(Batch { steps }), |answer| match answer {
            Answer::Reply(Reply::Batch(BatchReply::Applied { .. })) => assert!(applies),
            Answer::Reply(Reply::Batch(BatchReply::Conflict { .. })) => assert!(!applies),
            other => panic!("no answer to a batch: {other:?}"),
        });
        if applies {
            self.exists.retain(|number| !delete.contains(number));
            self.exists.extend(set.clone());
        }
    }

    fn page(&mut self, store: &mut Store, limit: u32) {
        if self.cursor == 0 {
            self.throughout = self.exists.clone();
            self.listed.clear();
        }
        let listed = &mut self.listed;
        self.cursor = ask(store, page("", self.cursor, limit), |answer| match answer {
            Answer::Reply(Reply::Keys { cursor, keys }) => {
                for info in keys {
                    *listed
                        .entry(info.key.to_string().parse().expect("keys are numbers"))
                        .or_default() += 1;
                }
                cursor
            }
            other => panic!("no page: {other:?}"),
        });
        if self.cursor == 0 {
            for number in &self.throughout {
                assert_eq!(self.listed.get(number), Some(&1), "{number}");
            }
        }
    }
}

fn numbers() -> impl Strategy<Value = Range<u32>> {
    (0..NUMBERS, 0..4000u32).prop_map(|(begin, count)| begin..(begin + count).min(NUMBERS))
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => numbers().prop_map(Op::Set),
        2 => numbers().prop_map(Op::Delete),
        3 => (numbers(), numbers(), any::<bool>())
            .prop_map(|(delete, set, applies)| Op::Batch { delete, set, applies }),
        3 => (1..1000u32).prop_map(Op::Page),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn thousands_come_and_go(ops in vec(op(), 1..20)) {
        let mut store = Store::new(StoreLimits::default());
        let mut churn = Churn::default();
        for op in &ops {
            churn.run(&mut store, op);
        }
        while churn.cursor != 0 {
            churn.run(&mut store, &Op::Page(1000));
        }
        for number in 0..NUMBERS {
            let expected = churn.exists.contains(&number);
            ask(&mut store, exists(&number.to_string()), |answer| match answer {
                Answer::Reply(Reply::Existence(existence)) => {
                    assert_eq!(existence.is_some(), expected, "{number}");
                }
                other => panic!("no existence: {other:?}"),
            });
        }
        churn.run(&mut store, &Op::Delete(0..NUMBERS));
        assert_eq!(store.census().bytes, 0);
    }
}
