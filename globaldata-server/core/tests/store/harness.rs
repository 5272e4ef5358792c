//! Runs a store beside its model: the same requests, the same answers, and scans in between.
//!
//! To the model what has expired is gone at once; the store frees it when it comes to it, and takes a
//! revision then. So the harness counts what is still to be freed, and tells the model of the rest.

use crate::ask::{Answer, answer, ask_at, effects, expire, page};
use crate::model::Model;
use std::collections::{BTreeMap, BTreeSet};
use workyard_engine::{Effect, Engine, Time};
use workyard_globaldata_core::{Store, StoreLimits};
use workyard_protocol::globaldata::{BatchReply, KeyInfo, Reply, Request};

pub(crate) struct Harness {
    store: Store,
    pub(crate) model: Model,
    /// Variables that have expired and that the store still holds.
    lapsed: u64,
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
        Self { store, model, lapsed: 0, scan: None }
    }

    /// Asks both.
    pub(crate) fn request(&mut self, request: &Request<'_>) {
        let effects = effects(&mut self.store, self.model.now, request.clone());
        let freed = (0..=self.lapsed).find(|freed| self.explains(*freed, request, &effects));
        self.count_freed(freed.unwrap_or(0));
        let expected = self.model.answer(request);
        assert_eq!(without_text(answer(&effects)), expected, "{request:?}");
        self.check();
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, millis: u64) {
        let now = Time::from_millis(self.model.now.as_millis() + millis);
        self.lapsed += self.model.advance(now);
        self.check();
    }

    /// Lets the store free a portion of what has expired.
    pub(crate) fn expire(&mut self) {
        let portion = self.lapsed.min(self.model.limits.expire_keys_max as u64);
        expire(&mut self.store, self.model.now);
        self.count_freed(portion);
        self.check();
    }

    /// Whether the model answers so if the store freed so many of what has expired before it did.
    fn explains(&self, freed: u64, request: &Request<'_>, effects: &[Effect]) -> bool {
        let mut model = self.model.clone();
        model.revision += freed;
        let is_answer = model.answer(request) == without_text(answer(effects));
        let (census, expected) = (self.store.census(), model.census());
        let keys = expected.keys + self.lapsed - freed;
        is_answer && (census.keys, census.revision) == (keys, expected.revision)
    }

    /// Tells the model how many revisions the store has given to expiries.
    fn count_freed(&mut self, freed: u64) {
        self.model.revision += freed;
        self.lapsed -= freed;
    }

    fn check(&mut self) {
        let (census, expected) = (self.store.census(), self.model.census());
        assert_eq!(census.revision, expected.revision);
        assert_eq!(census.keys, expected.keys + self.lapsed);
        let next = self.store.next_deadline();
        if self.lapsed == 0 {
            assert_eq!((census, next), (expected, self.model.next_deadline()));
        } else {
            assert!(census.bytes > expected.bytes);
            assert!(next.is_some_and(|next| next <= self.model.now), "{next:?} is not past");
        }
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
        let request = page("", scan.cursor, limit);
        ask_at(&mut self.store, self.model.now, request, |answer| match answer {
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
        while self.lapsed > 0 {
            self.expire();
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
    let variable = &model.variables[info.key.as_bytes()];
    assert_eq!(info.revision, variable.revision);
    assert_eq!(info.tag, variable.value.as_ref().tag());
    assert_eq!(info.size as usize, variable.value.as_ref().byte_len());
    assert_eq!(info.ttl_ms, variable.ttl_ms(model.now));
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
