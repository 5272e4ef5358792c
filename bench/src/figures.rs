//! Named figures of one run.

/// Figures by name, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures(Vec<(&'static str, f64)>);

impl Figures {
    pub(crate) fn add(&mut self, name: &'static str, value: f64) {
        self.0.push((name, value));
    }

    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.0.iter().copied()
    }
}

/// The middle of several values, and how far they spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Nothing when there are no values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        Some(Self { median, min, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_few() {
        assert_eq!(Spread::of([]), None);
        let spread = |median, min, max| Some(Spread { median, min, max });
        assert_eq!(Spread::of([2.0]), spread(2.0, 2.0, 2.0));
        assert_eq!(Spread::of([3.0, 1.0]), spread(2.0, 1.0, 3.0));
        assert_eq!(Spread::of([9.0, 1.0, 2.0]), spread(2.0, 1.0, 9.0));
    }
}
