//! What one server's figures look like in one row of the table.

use super::Measured;
use crate::figures::{Figures, Spread};
use crate::meter::{OTHERS_CPU_SHARE, SERVER_CPU_US};
use crate::peer::Kind;
use crate::rows::{Goal, Section};
use crate::trace::counted;

/// A row's cells.
pub(super) struct Cells<'a> {
    measured: &'a Measured,
}

/// Fewer for each are not worth a word.
const COUNT_MIN: f64 = 0.000_01;

const NOTHING: &str = "–";

impl<'a> Cells<'a> {
    pub(super) fn of(measured: &'a Measured) -> Self {
        Self { measured }
    }

    /// Everything the table says of a server.
    pub(super) fn full(&self, kind: Kind) -> String {
        let Some(headline) = self.spread(kind, self.headline()) else {
            return NOTHING.to_owned();
        };
        if let Some(counted) = self.counted(kind) {
            return counted;
        }
        let median = |name| self.spread(kind, name).map(|spread| spread.median);
        let rate = median("per_s").map_or(String::new(), |rate| format!(", {}/s", short(rate)));
        match self.measured.row.section {
            Section::Saturated
            | Section::Keys
            | Section::Jobs
            | Section::Echo
            | Section::Scale(_) => {
                format!("{}{}{rate}", short(headline.median), self.ratio(kind))
            }
            Section::Paced => {
                let latency = self.latencies(kind, &["p50_us", "p99_us"]);
                format!("{}{}, {latency}", short(headline.median), self.ratio(kind))
            }
            Section::Latency => {
                let latency = self.latencies(kind, &["p50_us", "p99_us", "p999_us"]);
                let ratios = ["p50_us", "p99_us"].map(|name| self.ratios(kind, Kind::Limit, name));
                match ratios {
                    [Some(p50), Some(p99)] if kind != Kind::Limit => {
                        format!("{latency}, {}, {}", times(p50), times(p99))
                    }
                    _ => latency,
                }
            }
            Section::Stalled => {
                let with = self.latencies(kind, &["p50_us", "p99_us", "p999_us"]);
                let without = ["without_p50_us", "without_p99_us", "without_p999_us"];
                let ratio = self.within(kind, "p99_us", "without_p99_us");
                let missed = median("stalled_missed_share").unwrap_or_default() * 100.0;
                let peak = median("whole_peak_rss_mib").unwrap_or_default();
                format!(
                    "{with}, without {}, {}, {missed:.0} % missed, {peak:.0} MiB",
                    self.latencies(kind, &without),
                    ratio.map_or(NOTHING.to_owned(), times)
                )
            }
            Section::Memory => bytes(headline.median),
            Section::Connects => {
                let cpu = median(SERVER_CPU_US).map_or(NOTHING.to_owned(), short);
                format!("{}/s{}, {cpu} µs", short(headline.median), range(headline))
            }
        }
    }

    /// What a tool counted for each, if one looked on.
    fn counted(&self, kind: Kind) -> Option<String> {
        let mut texts = Vec::new();
        for (name, title) in counted() {
            if let Some(count) = self.spread(kind, name)
                && count.median >= COUNT_MIN
            {
                texts.push(format!("{} {title}", tiny(count.median)));
            }
        }
        (!texts.is_empty()).then(|| texts.join(", "))
    }

    /// The first figure only, with its ratio.
    pub(super) fn brief(&self, kind: Kind) -> String {
        if let Some(counted) = self.counted(kind) {
            return counted;
        }
        let Some(headline) = self.spread(kind, self.headline()) else {
            return NOTHING.to_owned();
        };
        match self.measured.row.section {
            Section::Memory => bytes(headline.median),
            Section::Connects => format!("{}/s", short(headline.median)),
            _ => match self.ratios(kind, Kind::Limit, self.headline()) {
                Some(ratio) if kind != Kind::Limit => {
                    format!("{} ({}x)", short(headline.median), short(ratio.median))
                }
                _ => short(headline.median),
            },
        }
    }

    /// How many times the CPU time of `base` it takes.
    pub(super) fn against(&self, kind: Kind, base: Kind) -> String {
        self.ratios(kind, base, self.headline()).map_or(NOTHING.to_owned(), times)
    }

    /// Whether a tool looked on, which makes times meaningless.
    pub(super) fn is_traced(&self) -> bool {
        self.measured.runs.iter().any(|(kind, _)| self.counted(*kind).is_some())
    }

    /// What the row is called, with the rate if that was measured first.
    pub(super) fn title(&self) -> String {
        let row = &self.measured.row;
        let rate = match row.section {
            Section::Latency | Section::Stalled => self.common_rate(),
            _ => None,
        };
        rate.map_or(row.title.clone(), |rate| format!("{}, {}/s", row.title, short(rate)))
    }

    fn common_rate(&self) -> Option<f64> {
        let mut kinds = self.measured.runs.iter().map(|(kind, _)| *kind);
        kinds.find_map(|kind| {
            let published = self.spread(kind, "published_per_s");
            Some(published.or(self.spread(kind, "per_s"))?.median)
        })
    }

    /// The figure that a curve is drawn of.
    pub(super) fn point(&self, kind: Kind) -> Option<f64> {
        Some(self.spread(kind, self.headline())?.median)
    }

    /// How many times what it was in the line above.
    pub(super) fn step(&self, kind: Kind, above: Option<&Self>) -> String {
        let before = above.and_then(|above| above.point(kind));
        match (self.point(kind), before) {
            (Some(point), Some(before)) => format!("{}x", short(point / before)),
            _ => NOTHING.to_owned(),
        }
    }

    /// What Workyard has to reach.
    pub(super) fn goal(&self) -> String {
        match self.measured.row.goal {
            Some(
                Goal::TimesLimit(factor) | Goal::TimesLatency(factor) | Goal::TimesWithout(factor),
            ) => format!("≤ {factor}x"),
            Some(Goal::Bytes(count)) => format!("≤ {}", bytes(count)),
            Some(Goal::PerSecond(rate)) => format!("≥ {}/s", short(rate)),
            None => NOTHING.to_owned(),
        }
    }

    /// Cores that other programs used meanwhile.
    pub(super) fn others(&self) -> String {
        let runs = self.measured.runs.iter().flat_map(|(_, rounds)| rounds);
        let shares = runs.filter_map(|figures| figures.value(OTHERS_CPU_SHARE));
        Spread::of(shares).map_or(NOTHING.to_owned(), |spread| format!("{:.2}", spread.median))
    }

    fn headline(&self) -> &'static str {
        match self.measured.row.section {
            Section::Saturated
            | Section::Paced
            | Section::Keys
            | Section::Jobs
            | Section::Echo
            | Section::Scale(_) => SERVER_CPU_US,
            Section::Latency | Section::Stalled => "p99_us",
            Section::Memory => "rss_bytes_each",
            Section::Connects => "per_s",
        }
    }

    fn rounds(&self, kind: Kind) -> &'a [Figures] {
        let mut runs = self.measured.runs.iter();
        let found = runs.find(|(known, _)| *known == kind);
        found.map_or(&[], |(_, rounds)| rounds)
    }

    fn spread(&self, kind: Kind, name: &str) -> Option<Spread> {
        let rounds = self.rounds(kind).iter();
        Spread::of(rounds.filter_map(|figures| figures.value(name)))
    }

    /// The ratios to another server of the same round: what slows the whole machine down for a while
    /// cancels out.
    fn ratios(&self, kind: Kind, base: Kind, name: &str) -> Option<Spread> {
        let pairs = self.rounds(kind).iter().zip(self.rounds(base));
        Spread::of(pairs.filter_map(|(own, base)| Some(own.value(name)? / base.value(name)?)))
    }

    /// The ratios of two figures of the same run.
    fn within(&self, kind: Kind, name: &str, base: &str) -> Option<Spread> {
        let rounds = self.rounds(kind).iter();
        Spread::of(rounds.filter_map(|figures| Some(figures.value(name)? / figures.value(base)?)))
    }

    fn latencies(&self, kind: Kind, names: &[&str]) -> String {
        let median = |name: &&str| self.spread(kind, name).map(|spread| spread.median);
        let texts = names.iter().map(|name| median(name).map_or(NOTHING.to_owned(), short));
        format!("{} µs", texts.collect::<Vec<_>>().join("/"))
    }

    fn ratio(&self, kind: Kind) -> String {
        match kind {
            Kind::Limit => String::new(),
            _ => match self.ratios(kind, Kind::Limit, self.headline()) {
                Some(_) => format!(", {}", self.against(kind, Kind::Limit)),
                None => String::new(),
            },
        }
    }
}

/// A ratio and how far it spreads.
fn times(ratio: Spread) -> String {
    format!("{}x{}", short(ratio.median), range(ratio))
}

fn range(spread: Spread) -> String {
    if spread.min == spread.max {
        return String::new();
    }
    format!(" [{}–{}]", short(spread.min), short(spread.max))
}

/// About three digits.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.2}M", value / 1e6),
        size if size >= 1e4 => format!("{:.1}k", value / 1e3),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.3}"),
    }
}

/// The same where what is small counts.
fn tiny(value: f64) -> String {
    if value < 0.01 { format!("{value:.5}") } else { short(value) }
}

fn bytes(count: f64) -> String {
    if count < 10_000.0 { format!("{count:.0} B") } else { format!("{:.1} KB", count / 1e3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.0314, "0.031"),
            (4.5, "4.50"),
            (22.84, "22.8"),
            (999.4, "999"),
            (9_999.0, "9999"),
            (73_000.0, "73.0k"),
            (20_410_000.0, "20.41M"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!([0.000_42, 0.0625].map(tiny), ["0.00042", "0.062"]);
        assert_eq!(bytes(1377.4), "1377 B");
        assert_eq!(bytes(21_100.0), "21.1 KB");
    }
}
