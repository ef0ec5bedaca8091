//! How a grant's item is written and read. It is in its customer's partition, after its relationship.

use aws_sdk_dynamodb::types::AttributeValue;

use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, number, text};
use super::keys::{self, Listed, Mark};
use super::op_context::OpContext;
use super::table::Store;
use super::write::Write;
use domain::{DelegatedAdmin, Grant, GrantId, InvitationId, PartnerId, TenantId, Timestamp};

impl Store {
    /// A grant, read now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grant(
        &self,
        op: OpContext,
        customer: &TenantId,
        partner: &PartnerId,
        id: &GrantId,
    ) -> Result<Option<Grant>, StoreError> {
        let item = self.get(op, &keys::grant(customer, partner, id)).await?;
        Ok(item.as_ref().map(read_grant).transpose()?)
    }
}

/// The write of a new grant in a period that began at `since`.
pub(super) fn create_grant(grant: &Grant, since: Timestamp) -> Write {
    let (customer, partner) = (&grant.customer, &grant.partner_id);
    let notice = grant.next_notice(grant.starts_at);
    let item = ItemBuilder::new(keys::grant(customer, partner, &grant.grant_id))
        .text("partner", partner.as_str())
        .with("granted", admin_value(&grant.admin))
        .time("starts", grant.starts_at)
        .number("extension_days", grant.extension_days)
        .text("period", grant.period.as_str())
        .text("grant_state", "active")
        .no_events()
        .text(keys::GSI1_PK, keys::partner_view(partner))
        .text(keys::GSI2_PK, keys::customer_view(customer))
        .text(keys::LISTED, keys::listed_grant(since, customer, partner, grant.starts_at))
        .text(keys::ENDING, Listed::Grant.at(grant.ends_at(grant.starts_at)));
    let item = match notice {
        Some((at, _)) => item.mark(Mark::due(grant.grant_id.as_str(), at)),
        None => item,
    };
    Write::create(item.build())
}

pub(super) fn read_grant(item: &Item) -> Result<Grant, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let (customer, grant_id) = reader.key(keys::parse_grant)?;
    let granted = read_admin(&reader, "granted")?.ok_or_else(|| reader.corrupt("granted", "is missing"))?;
    let fixed_end = reader.maybe_time("fixed_end")?;
    // What was granted stays in the item. A narrowing adds what is left of it.
    let roles = reader.maybe_list("roles_left", |role| role.as_s().ok().cloned())?.unwrap_or(granted.roles);
    Ok(Grant {
        grant_id,
        partner_id: reader.parsed("partner", PartnerId::parse)?,
        customer,
        admin: DelegatedAdmin { roles, days: granted.days, auto_extend: granted.auto_extend && fixed_end.is_none() },
        starts_at: reader.time("starts")?,
        fixed_end,
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

/// Reads an attribute that [`admin_value`] made.
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
