//! Which lists an export reads. It depends on the caller.

use domain::CallerKind;

use super::columns::What;
use super::error::ExportError;
use crate::client::path;

pub enum List {
    One {
        path: String,
        context: Vec<(&'static str, String)>,
    },
    /// The list of each partner: an operator has no list of all relationships, grants or subscriptions.
    EachPartner,
}

pub fn lists(what: What, caller: CallerKind, id: Option<&str>, partner: Option<&str>) -> Result<List, ExportError> {
    let plain = |path: &str| List::One { path: path.to_owned(), context: Vec::new() };
    let one = |(path, context)| List::One { path, context };
    match (caller, what) {
        (CallerKind::Operator, What::Customers) => Ok(plain("/v1/customers")),
        (CallerKind::Operator, What::Events) if partner.is_none() => Ok(plain("/v1/events")),
        (CallerKind::Operator, _) => Ok(partner.map_or(List::EachPartner, |id| one(of_partner(what, Some(id))))),
        (_, What::Customers) => Err(ExportError::WrongKey { what, needed: "an operator" }),
        _ if partner.is_some() => Err(ExportError::NotOperator),
        (CallerKind::Partner, _) => Ok(one(of_partner(what, id))),
        (CallerKind::Customer, _) => Ok(one(of_customer(what, id))),
    }
}

/// The list of a partner's records, and what the records leave out.
pub fn of_partner(what: What, id: Option<&str>) -> (String, Vec<(&'static str, String)>) {
    let id = id.unwrap_or_default();
    match what {
        What::Relationships => {
            (path("/v1/partners/{partner_id}/customers", &[id]), vec![("partner_id", id.to_owned())])
        }
        _ => (path(&format!("/v1/partners/{{partner_id}}/{what}"), &[id]), Vec::new()),
    }
}

fn of_customer(what: What, id: Option<&str>) -> (String, Vec<(&'static str, String)>) {
    let id = id.unwrap_or_default();
    match what {
        What::Relationships => {
            (path("/v1/customers/{tenant_id}/partners", &[id]), vec![("customer_tenant_id", id.to_owned())])
        }
        _ => (path(&format!("/v1/customers/{{tenant_id}}/{what}"), &[id]), Vec::new()),
    }
}
