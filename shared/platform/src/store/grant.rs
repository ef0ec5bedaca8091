//! Grants: each beside its relationship, in the customer's partition.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, number, text};
use super::keys;
use super::write::Write;
use domain::{DelegatedAdmin, Grant, GrantId, InvitationId, PartnerId, TenantId, Timestamp};

/// The write of a new grant in a period that began at `since`.
pub(super) fn write(grant: &Grant, since: Timestamp) -> Write {
    let (customer, partner) = (&grant.customer, &grant.partner_id);
    let due = grant.next_notice(grant.starts_at).map(|(at, _)| keys::due(grant.grant_id.as_str(), at));
    let (due, due_at) = due.unzip();
    let item = ItemBuilder::new(keys::grant(customer, partner, &grant.grant_id))
        .text("partner", partner.as_str())
        .with("granted", admin_value(&grant.admin))
        .time("starts", grant.starts_at)
        .number("extension_days", grant.extension_days)
        .text("period", grant.period.as_str())
        .text("grant_state", "active")
        .chain(grant.chain)
        .text(keys::GSI1_PK, keys::partner_view(partner))
        .text(keys::GSI2_PK, keys::customer_view(customer))
        .text(keys::LISTED, keys::listed_grant(since, customer, partner, grant.starts_at))
        .maybe_text(keys::GSI3_PK, due)
        .maybe_text(keys::GSI3_SK, due_at);
    Write::create(item.build())
}

/// Reads a grant's item.
pub(super) fn read_grant(item: &Item) -> Result<Grant, CorruptItem> {
    let reader = ItemReader::new(item)?;
    Ok(Grant {
        grant_id: reader.parsed(keys::SK, |sk| GrantId::parse(sk.rsplit_once('#')?.1))?,
        partner_id: reader.parsed("partner", PartnerId::parse)?,
        customer: reader.parsed(keys::PK, |pk| TenantId::parse(pk.strip_prefix("CUSTOMER#")?))?,
        admin: read_admin(&reader, "granted")?.ok_or_else(|| reader.corrupt("granted", "is missing"))?,
        starts_at: reader.time("starts")?,
        extension_days: reader.number("extension_days")?,
        period: reader.parsed("period", InvitationId::parse)?,
        ended_at: reader.maybe_time("ended")?,
        chain: reader.chain()?,
    })
}

/// Roles, days and extension as one attribute: `{r: [role, …], d: days, x: auto-extend}`.
pub(super) fn admin_value(admin: &DelegatedAdmin) -> AttributeValue {
    let roles = AttributeValue::L(admin.roles.iter().map(text).collect());
    let members = [("r", roles), ("d", number(admin.days)), ("x", AttributeValue::Bool(admin.auto_extend))];
    AttributeValue::M(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Reads what [`admin_value`] wrote, if it is there.
pub(super) fn read_admin(reader: &ItemReader<'_>, name: &str) -> Result<Option<DelegatedAdmin>, CorruptItem> {
    let Some(value) = reader.get(name) else { return Ok(None) };
    let read = || {
        let members = value.as_m().ok()?;
        let roles =
            members.get("r")?.as_l().ok()?.iter().map(|role| role.as_s().ok().cloned()).collect::<Option<_>>()?;
        let days = members.get("d")?.as_n().ok()?.parse().ok()?;
        Some(DelegatedAdmin { roles, days, auto_extend: *members.get("x")?.as_bool().ok()? })
    };
    read().map(Some).ok_or_else(|| reader.corrupt(name, "is malformed"))
}
