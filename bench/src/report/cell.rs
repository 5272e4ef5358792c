//! What one server's figures look like in one row of the table.

use super::Measured;
use crate::figures::{Figures, Spread};
use crate::meter::{OTHERS_CPU_SHARE, SERVER_CPU_US};
use crate::peer::Kind;
use crate::rows::{Goal, Section};

/// A row's cells.
pub(super) struct Cells<'a> {
    measured: &'a Measured,
}

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
        let median = |name| self.spread(kind, name).map(|spread| spread.median);
        let rate = median("per_s").map_or(String::new(), |rate| format!(", {}/s", short(rate)));
        match self.measured.row.section {
            Section::Saturated | Section::Keys | Section::Jobs => {
                format!("{}{}{rate}", short(headline.median), self.ratio(kind))
            }
            Section::Paced => {
                let quantile = |name| median(name).map_or(NOTHING.to_owned(), short);
                format!(
                    "{}{}, {}/{} µs",
                    short(headline.median),
                    self.ratio(kind),
                    quantile("p50_us"),
                    quantile("p99_us")
                )
            }
            Section::Memory => bytes(headline.median),
            Section::Connects => {
                let cpu = median(SERVER_CPU_US).map_or(NOTHING.to_owned(), short);
                format!("{}/s{}, {cpu} µs", short(headline.median), range(headline))
            }
        }
    }

    /// The first figure only, with its ratio.
    pub(super) fn brief(&self, kind: Kind) -> String {
        let Some(headline) = self.spread(kind, self.headline()) else {
            return NOTHING.to_owned();
        };
        match self.measured.row.section {
            Section::Memory => bytes(headline.median),
            Section::Connects => format!("{}/s", short(headline.median)),
            _ => match self.ratios(kind, Kind::Limit) {
                Some(ratio) if kind != Kind::Limit => {
                    format!("{} ({}x)", short(headline.median), short(ratio.median))
                }
                _ => short(headline.median),
            },
        }
    }

    /// How many times the CPU time of `base` it takes.
    pub(super) fn against(&self, kind: Kind, base: Kind) -> String {
        let ratio = self.ratios(kind, base);
        ratio
            .map_or(NOTHING.to_owned(), |ratio| format!("{}x{}", short(ratio.median), range(ratio)))
    }

    /// What Workyard has to reach.
    pub(super) fn goal(&self) -> String {
        match self.measured.row.goal {
            Some(Goal::TimesLimit(factor)) => format!("≤ {factor}x"),
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
            Section::Saturated | Section::Paced | Section::Keys | Section::Jobs => SERVER_CPU_US,
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
    fn ratios(&self, kind: Kind, base: Kind) -> Option<Spread> {
        let name = self.headline();
        let pairs = self.rounds(kind).iter().zip(self.rounds(base));
        Spread::of(pairs.filter_map(|(own, base)| Some(own.value(name)? / base.value(name)?)))
    }

    fn ratio(&self, kind: Kind) -> String {
        match kind {
            Kind::Limit => String::new(),
            _ => match self.ratios(kind, Kind::Limit) {
                Some(_) => format!(", {}", self.against(kind, Kind::Limit)),
                None => String::new(),
            },
        }
    }
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
        assert_eq!(bytes(1377.4), "1377 B");
        assert_eq!(bytes(21_100.0), "21.1 KB");
    }
}
