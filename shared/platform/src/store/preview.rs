//! What a preview of an invitation shows besides the invitation.

use super::error::StoreError;
use super::keys;
use super::op_context::OpContext;
use super::partner::read_partner;
use super::relationship::read_relationship;
use super::table::Store;
use super::tenant::read_tenant;
use domain::{Invitation, Partner, Relationship, Tenant};

/// The parties of an invitation, and their relationship if there is one.
#[derive(Clone, Debug)]
pub struct Parties {
    pub partner: Partner,
    pub customer: Tenant,
    pub relationship: Option<Relationship>,
}

impl Store {
    /// The parties of an invitation, read now in one call. `None` if a party is missing, which cannot be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parties(&self, op: OpContext, invitation: &Invitation) -> Result<Option<Parties>, StoreError> {
        let (customer, partner) = (&invitation.customer, &invitation.partner_id);
        let wanted = [keys::partner(partner), keys::tenant(customer), keys::relationship(customer, partner)];
        let mut found = self.get_many(op, &wanted, true).await?.into_iter();
        let mut next = || found.next().flatten();
        let (Some(partner), Some(customer), relationship) = (next(), next(), next()) else { return Ok(None) };
        let relationship = relationship.as_ref().map(read_relationship).transpose()?;
        Ok(Some(Parties { partner: read_partner(&partner)?, customer: read_tenant(&customer)?, relationship }))
    }
}
