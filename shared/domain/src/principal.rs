//! The owners of access keys.

use super::{CallerKind, PartnerId, TenantId};

/// The owner of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Runs the service.
    Operator,
    Partner(PartnerId),
    Customer(TenantId),
}

impl Principal {
    pub fn kind(&self) -> CallerKind {
        match self {
            Self::Operator => CallerKind::Operator,
            Self::Partner(_) => CallerKind::Partner,
            Self::Customer(_) => CallerKind::Customer,
        }
    }

    /// Reads `operator`, or the id of a partner or a customer.
    pub fn parse(text: &str) -> Option<Self> {
        if text == CallerKind::Operator.as_str() {
            return Some(Self::Operator);
        }
        let partner = PartnerId::parse(text).map(Self::Partner);
        partner.or_else(|| TenantId::parse(text).map(Self::Customer))
    }

    /// `None` for operators.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Operator => None,
            Self::Partner(id) => Some(id.as_str()),
            Self::Customer(id) => Some(id.as_str()),
        }
    }
}
