use super::cursor::Scope;
use super::keys::{self, Listed};
use super::query::Index;
use domain::{EndpointId, PartnerId, Principal, TenantId};

/// Whose list it is.
#[derive(Clone, Debug)]
pub enum List {
    Partner(PartnerId),
    Customer(TenantId),
    /// An endpoint's deliveries.
    Endpoint(EndpointId),
    Operator,
    /// The keys of one owner.
    KeysOf(Principal),
}

impl List {
    pub(super) fn scope(&self, listed: Listed, request: &PageRequest, filter: &str) -> Scope {
        let (index, partition) = match self {
            Self::Partner(id) if listed == Listed::Grant => (Index::PARTNER_GRANTS, keys::partner_view(id)),
            Self::Customer(id) if listed == Listed::Grant => (Index::CUSTOMER_GRANTS, keys::customer_view(id)),
            Self::Partner(id) => (Index::PARTNER, keys::partner_view(id)),
            Self::Customer(id) => (Index::CUSTOMER, keys::customer_view(id)),
            Self::Endpoint(id) => (Index::PARTNER, keys::endpoint_view(id)),
            Self::KeysOf(principal) => (Index::CUSTOMER, keys::principal_view(principal)),
            Self::Operator if listed == Listed::Event => (Index::EVENTS, keys::operator_family(listed)),
            Self::Operator => (Index::PARTNER, keys::operator_family(listed)),
        };
        let is_sharded = matches!(self, Self::Operator);
        let binding = format!("{} | {} | {filter}", request.caller, listed.prefix());
        Scope { index, partition, is_sharded, prefix: listed.prefix(), binding }
    }
}

/// A request for one page.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The maximum number of items on the page.
    pub limit: usize,
    /// The cursor from the previous page.
    pub cursor: Option<String>,
    /// Cursors are bound to the caller.
    pub caller: String,
}

#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// `None` at the end.
    pub next_cursor: Option<String>,
}
