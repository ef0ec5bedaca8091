//! Corrections of the records of customers and partners.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Cloud, Market, Partner, Tenant};

/// What an operator corrects. A member that is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Corrections {
    pub name: Option<String>,
    /// `Some(None)` removes it.
    pub domain: Option<Option<String>>,
    pub market: Option<Market>,
    /// Only of customers.
    pub cloud: Option<Cloud>,
}

/// A record with corrections applied.
#[derive(Clone, Debug)]
pub struct Corrected<T> {
    pub record: T,
    /// The members that differ from before, as the event has them. Empty if there are none.
    pub changed: Map<String, Value>,
}

impl<T> Corrected<T> {
    pub fn changes(&self, member: &str) -> bool {
        self.changed.contains_key(member)
    }
}

impl Corrections {
    pub fn of_customer(&self, tenant: &Tenant) -> Corrected<Tenant> {
        let (mut record, mut changed) = (tenant.clone(), Map::new());
        correct("name", &mut record.name, self.name.as_ref(), &mut changed);
        correct("domain", &mut record.domain, self.domain.as_ref(), &mut changed);
        correct("market", &mut record.market, self.market.as_ref(), &mut changed);
        correct("cloud", &mut record.cloud, self.cloud.as_ref(), &mut changed);
        if record.cloud != tenant.cloud {
            // Who signed in has proven an account in the other cloud.
            record.sessions_generation += 1;
        }
        Corrected { record, changed }
    }

    pub fn of_partner(&self, partner: &Partner) -> Corrected<Partner> {
        let (mut record, mut changed) = (partner.clone(), Map::new());
        correct("name", &mut record.name, self.name.as_ref(), &mut changed);
        correct("domain", &mut record.domain, self.domain.as_ref(), &mut changed);
        correct("market", &mut record.market, self.market.as_ref(), &mut changed);
        Corrected { record, changed }
    }
}

fn correct<T: Clone + PartialEq + Serialize>(
    member: &str,
    current: &mut T,
    wanted: Option<&T>,
    changed: &mut Map<String, Value>,
) {
    if let Some(wanted) = wanted.filter(|wanted| *wanted != current) {
        changed.insert(member.to_owned(), json!(wanted));
        current.clone_from(wanted);
    }
}
