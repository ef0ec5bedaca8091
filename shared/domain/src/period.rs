//! When attempts to an endpoint have the same meaning.

/// Identifies the time since the endpoint last became pending and its partner was last suspended or resumed. An attempt of
/// an earlier period says nothing about this one: it may have gone to another URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The endpoint's own period.
    pub endpoint: u64,
    /// The sequence of the event that last changed the partner's status; 0 for an endpoint of a customer.
    pub partner: u64,
}

impl Period {
    /// `<endpoint>.<partner>`
    pub fn to_text(self) -> String {
        format!("{}.{}", self.endpoint, self.partner)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (endpoint, partner) = text.split_once('.')?;
        Some(Self { endpoint: endpoint.parse().ok()?, partner: partner.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_of_a_period_parses() {
        let period = Period { endpoint: 12, partner: 0 };
        assert_eq!(Period::parse(&period.to_text()), Some(period));
        for wrong in ["", "1", "1.", ".1", "1.2.3", "-1.2", "1.x"] {
            assert_eq!(Period::parse(wrong), None, "{wrong}");
        }
    }
}
