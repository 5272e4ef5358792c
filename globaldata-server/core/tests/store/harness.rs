//! Runs a store beside its model: the same requests, the same answers, and scans in between.

use crate::ask::{Answer, ask, page};
use crate::model::Model;
use std::collections::{BTreeMap, BTreeSet};
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{BatchReply, KeyInfo, Reply, Request};

pub(crate) struct Harness {
    store: Store,
    pub(crate) model: Model,
    scan: Option<Scan>,
}

/// A scan under way.
#[derive(Default)]
struct Scan {
    cursor: u64,
    /// What has existed ever since it began.
    throughout: BTreeSet<Vec<u8>>,
    /// How often each was listed.
    listed: BTreeMap<Vec<u8>, u32>,
}

impl Harness {
    pub(crate) fn new(limits: &StoreLimits) -> Self {
        let (store, model) = (Store::new(limits.clone()), Model::new(limits.clone()));
        Self { store, model, scan: None }
    }

    /// Asks both.
    pub(crate) fn request(&mut self, request: &Request<'_>) {
        let expected = self.model.answer(request);
        ask(&mut self.store, request.clone(), |answer| {
            assert_eq!(without_text(answer), expected, "{request:?}");
        });
        assert_eq!(self.store.census(), self.model.census(), "after {request:?}");
        if let Some(scan) = &mut self.scan {
            scan.throughout.retain(|key| self.model.variables.contains_key(key));
        }
    }

    /// Asks for the next page of the scan under way, or the first of another.
    pub(crate) fn page(&mut self, limit: u32) {
        let variables = &self.model.variables;
        let scan = self.scan.get_or_insert_with(|| Scan {
            throughout: variables.keys().cloned().collect(),
            ..Scan::default()
        });
        ask(&mut self.store, page("", scan.cursor, limit), |answer| match answer {
            Answer::Reply(Reply::Keys { cursor, keys }) => {
                assert!(keys.len() <= limit as usize);
                for info in keys {
                    check_info(&self.model, &info);
                    *scan.listed.entry(info.key.as_bytes().to_vec()).or_default() += 1;
                }
                scan.cursor = cursor;
            }
            other => panic!("no page: {other:?}"),
        });
        if scan.cursor == 0 {
            self.scan.take().expect("a scan is under way").check();
        }
    }

    /// Scans to the end, and once more from the beginning.
    pub(crate) fn finish(&mut self) {
        while self.scan.is_some() {
            self.page(1000);
        }
        self.page(1000);
        while self.scan.is_some() {
            self.page(1000);
        }
    }
}

impl Scan {
    fn check(self) {
        for key in &self.throughout {
            let times = self.listed.get(key).copied().unwrap_or(0);
            assert_eq!(times, 1, "{:?} was listed {times} times", String::from_utf8_lossy(key));
        }
    }
}

fn check_info(model: &Model, info: &KeyInfo<'_>) {
    let (revision, value) = &model.variables[info.key.as_bytes()];
    assert_eq!(info.revision, *revision);
    assert_eq!(info.tag, value.as_ref().tag());
    assert_eq!(info.size as usize, value.as_ref().byte_len());
}

/// Texts are checked by the dialogues; the model has none.
fn without_text(answer: Answer<'_>) -> Answer<'_> {
    match answer {
        Answer::Refused(reason, _) => Answer::Refused(reason, String::new()),
        Answer::Reply(Reply::Batch(BatchReply::Refused { step, mut refusal })) => {
            refusal.text = "".into();
            Answer::Reply(Reply::Batch(BatchReply::Refused { step, refusal }))
        }
        reply @ Answer::Reply(_) => reply,
    }
}
