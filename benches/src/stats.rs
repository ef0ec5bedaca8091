//! Medians, percentiles and spreads.

use serde_json::{Value, json};

/// Measured values in one unit.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn is_single(&self) -> bool {
        self.0.len() == 1
    }

    /// The value that this share of all values does not exceed, by the nearest rank; 0 if there are none.
    pub fn percentile(&self, percent: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
    }

    /// What the process took when the machine did nothing else; 0 if there are no values.
    pub fn least(&self) -> f64 {
        self.percentile(0.0)
    }

    pub fn median(&self) -> f64 {
        self.percentile(50.0)
    }

    /// Median and quartiles, with the number of values.
    pub fn to_json(&self) -> Value {
        json!({
            "least": round(self.least()), "median": round(self.median()), "p25": round(self.percentile(25.0)), "p75": round(self.percentile(75.0)),
            "p99": round(self.percentile(99.0)), "p999": round(self.percentile(99.9)), "values": self.0.len(),
        })
    }
}

impl<const COUNT: usize> From<[f64; COUNT]> for Sample {
    fn from(values: [f64; COUNT]) -> Self {
        Self(values.to_vec())
    }
}

/// Three digits after the point.
pub fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_of_the_sample() {
        let sample = Sample::from([4.0, 1.0, 3.0, 2.0]);
        assert_eq!([25.0, 50.0, 75.0, 99.9].map(|percent| sample.percentile(percent)), [1.0, 2.0, 3.0, 4.0]);
        assert!(Sample::default().median().abs() < f64::EPSILON);
    }
}
