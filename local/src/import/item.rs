//! What a line asks for.

use domain::{PartnerId, TenantId, canonical_json, digest};
use serde_json::{Map, Value};

use super::fields::Fields;
use super::header::Named;
use super::kind::Kind;

/// A line that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub line: u64,
    pub customer: TenantId,
    /// Only of a relationship.
    pub partner: Option<PartnerId>,
    /// What identifies the record: two lines with the same key are about the same record.
    pub key: String,
    /// The JSON object that is sent.
    pub body: String,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    Item(Item),
    /// Why it is not sent, which is not an error.
    Skipped(&'static str),
}

impl Item {
    /// Reads a line. The error lists everything that is wrong with it.
    pub fn read(kind: Kind, line: u64, named: &Named<'_>) -> Result<Parsed, String> {
        let mut fields = Fields::new(named);
        let read = match kind {
            Kind::Customers => customer(&mut fields, line),
            Kind::Relationships => relationship(&mut fields, line),
            Kind::Invitations => invitation(&mut fields, line),
            Kind::Subscriptions => subscription(&mut fields, line),
        };
        let faults = fields.into_faults();
        read.filter(|_| faults.is_empty()).ok_or_else(|| faults.join("; "))
    }

    /// Identifies the content. Lines with the same content are the same request, in this run and in the next.
    pub fn content(&self, kind: Kind) -> [u8; 32] {
        let partner = self.partner.as_ref().map(PartnerId::as_str).unwrap_or_default();
        let parts = [kind.to_string(), self.key.clone(), partner.to_owned(), self.body.clone()];
        digest("import", &parts.each_ref().map(|part| part.as_bytes()))
    }
}

fn customer(fields: &mut Fields<'_>, line: u64) -> Option<Parsed> {
    let tenant = fields.tenant("tenant_id");
    fields.line("name", true);
    fields.domain("domain");
    fields.cloud("cloud");
    fields.market("market");
    let customer = tenant?;
    Some(item(line, customer.to_string(), customer, None, fields.take()))
}

fn relationship(fields: &mut Fields<'_>, line: u64) -> Option<Parsed> {
    if fields.has("state", "ended") {
        return Some(Parsed::Skipped("the relationship has ended; only active relationships are imported"));
    }
    let partner = fields.partner("partner_id");
    let customer = fields.tenant("customer_tenant_id");
    fields.since("since");
    fields.line("external_reference", false);
    let (partner, customer, mut body) = (partner?, customer?, fields.take());
    // They are in the path.
    body.remove("partner_id");
    body.remove("customer_tenant_id");
    Some(item(line, format!("{partner} {customer}"), customer, Some(partner), body))
}

fn invitation(fields: &mut Fields<'_>, line: u64) -> Option<Parsed> {
    let customer = fields.tenant("customer_tenant_id");
    fields.delegated_admin();
    fields.paragraph("message");
    fields.email("contact_email");
    fields.line("external_reference", false);
    fields.number("expires_in_days", false);
    let customer = customer?;
    Some(item(line, customer.to_string(), customer, None, fields.take()))
}

fn subscription(fields: &mut Fields<'_>, line: u64) -> Option<Parsed> {
    let id = fields.subscription("subscription_id");
    let customer = fields.tenant("customer_tenant_id");
    fields.line("service", true);
    fields.line("offer_id", true);
    fields.number("quantity", true);
    fields.billing();
    fields.line("friendly_name", false);
    fields.line("external_reference", false);
    fields.date("started_on");
    if fields.is_given("partner_of_record") {
        fields.partner("partner_of_record");
    }
    let (id, customer) = (id?, customer?);
    Some(item(line, id.folded(), customer, None, fields.take()))
}

fn item(line: u64, key: String, customer: TenantId, partner: Option<PartnerId>, body: Map<String, Value>) -> Parsed {
    // In canonical form, because idempotency keys derive from it.
    let body = canonical_json(&Value::Object(body));
    Parsed::Item(Item { line, customer, partner, key, body })
}
