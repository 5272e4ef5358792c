//! The codec of PHP's values compared with PHP itself, on values that are made up.

mod generate;
mod json;
mod mutate;
mod php;
mod question;
mod shrink;
mod verdict;

use fastrand::Rng;
use php::Php;
use question::Question;
use std::fmt;
use std::io;
use verdict::Verdict;

/// So many are asked at once.
const AT_ONCE: usize = 512;
const SHOWN_MAX: usize = 10;

/// How much is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How many values as they may come.
    pub values: usize,
    /// How many that something is wrong with.
    pub mutants: usize,
    /// Where chance begins.
    pub seed: u64,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// How many were compared.
    pub compared: usize,
    /// Of these, how many both took.
    pub taken: usize,
    /// Of those, how many came back as the very bytes that they were, and had to.
    pub unchanged: usize,
    /// How many both refused.
    pub refused: usize,
    /// How many only PHP took, and may.
    pub taken_by_php: usize,
    /// How many have an object that PHP gives an impossible name.
    pub nameless: usize,
    /// How many came out differently.
    pub different: usize,
    complaints: Vec<String>,
}

/// Asks PHP and us the same, and compares.
///
/// # Errors
/// When PHP cannot be run, or dies.
pub fn compare(extent: Extent) -> io::Result<Comparison> {
    let mut rng = Rng::with_seed(extent.seed);
    let mut php = Php::start()?;
    let mut comparison = Comparison::default();
    let mut different: Vec<Question> = Vec::new();
    let total = extent.values + extent.mutants;
    let mut made = 0;
    while made < total {
        let batch = made..total.min(made + AT_ONCE);
        let make = |index| match index < extent.values {
            true => Question::made(&mut rng),
            false => Question::mutated(&mut rng),
        };
        let questions: Vec<Question> = batch.map(make).collect();
        made += questions.len();
        let said = php.ask(&questions)?;
        for (question, said) in questions.into_iter().zip(said) {
            if comparison.add(verdict::of(&question, &said)) {
                different.push(question);
            }
        }
        // The shortest are the easiest to understand.
        different.sort_by_key(|question| question.text.len());
        different.truncate(SHOWN_MAX);
    }
    for question in different {
        comparison.complaints.push(shrink::shrunk(&mut php, question)?);
    }
    Ok(comparison)
}

impl Comparison {
    /// Counts one, and says whether it came out differently.
    fn add(&mut self, verdict: Verdict) -> bool {
        self.compared += usize::from(verdict != Verdict::NotCompared);
        let counted = match verdict {
            Verdict::NotCompared => return false,
            Verdict::Taken => &mut self.taken,
            Verdict::Unchanged => {
                self.taken += 1;
                &mut self.unchanged
            }
            Verdict::Refused => &mut self.refused,
            Verdict::TakenByPhp => &mut self.taken_by_php,
            Verdict::Nameless => &mut self.nameless,
            Verdict::Different => &mut self.different,
        };
        *counted += 1;
        verdict == Verdict::Different
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for complaint in &self.complaints {
            writeln!(formatter, "{complaint}\n")?;
        }
        write!(
            formatter,
            "compared {}: {} taken by both ({} unchanged, as they had to be), {} refused by both, \
             {} refused by us alone, as we may, {} with an impossible name, {} different",
            self.compared,
            self.taken,
            self.unchanged,
            self.refused,
            self.taken_by_php,
            self.nameless,
            self.different
        )
    }
}
