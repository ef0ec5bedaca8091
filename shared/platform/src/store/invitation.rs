//! How an invitation's item is written and read. The commands are in `create`, `answer` and `renew`.

use aws_sdk_dynamodb::types::AttributeValue;

use super::error::StoreError;
use super::grant::{admin_value, read_admin};
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader};
use super::keys::{self, Listed, Mark};
use super::op_context::OpContext;
use super::table::Store;
use domain::{
    AcceptedBy, Answer, CancelReason, Decision, DelegatedAdmin, Invitation, InvitationId, InvitationKind, Proof,
};

impl Store {
    /// An invitation, read now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invitation(&self, op: OpContext, id: &InvitationId) -> Result<Option<Invitation>, StoreError> {
        let item = self.get(op, &keys::invitation(id)).await?;
        Ok(item.as_ref().map(read_invitation).transpose()?)
    }

    /// Whether an invitation has changed since it was read.
    pub(super) async fn invitation_changed(&self, op: OpContext, before: &Invitation) -> Result<bool, StoreError> {
        let now = self.invitation(op, &before.invitation_id).await?;
        Ok(now.is_none_or(|now| now.version != before.version))
    }
}

/// The value of `answer` while there is none.
pub(super) const PENDING: &str = "pending";

/// The value of `granted` if it equals what was asked. The item stays below 1 KB, so an acceptance stays cheap.
pub(super) const AS_ASKED: AttributeValue = AttributeValue::Bool(true);

pub(super) fn invitation_item(invitation: &Invitation) -> Item {
    let mut item = ItemBuilder::new(keys::invitation(&invitation.invitation_id))
        .text("kind", invitation.kind.as_str())
        .text("partner_name", &invitation.partner_name)
        .maybe_text("message", invitation.message.as_ref())
        .maybe_text("contact_email", invitation.contact_email.as_ref())
        .maybe_text("external_reference", invitation.external_reference.as_ref())
        .time("created", invitation.created_at)
        .time("expires", invitation.expires_at)
        .text("answer", PENDING)
        .number("version", invitation.version)
        .number("policy", invitation.policy_version)
        .number("token_gen", invitation.token_generation)
        .number("key_number", invitation.key_number)
        .hash("token_hash", &invitation.token_hash)
        .hash("fingerprint", &invitation.fingerprint)
        .text(keys::GSI1_PK, keys::partner_view(&invitation.partner_id))
        .text(keys::GSI2_PK, keys::customer_view(&invitation.customer))
        .text(keys::LISTED, Listed::Invitation.at(invitation.created_at))
        .mark(Mark::due(invitation.invitation_id.as_str(), invitation.expires_at));
    if let Some(admin) = &invitation.delegated_admin {
        item = item.with("asked", admin_value(admin));
    }
    if let Some((period, since)) = &invitation.period {
        item = item.text("period", period.as_str()).time("since", *since);
    }
    item.build()
}

/// Partner and customer follow from the views in which the invitation is listed.
pub(super) fn read_invitation(item: &Item) -> Result<Invitation, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let period = reader.maybe_parsed("period", InvitationId::parse)?;
    let answer = read_answer(&reader)?;
    Ok(Invitation {
        invitation_id: reader.parsed(keys::PK, keys::parse_invitation)?,
        kind: reader.parsed("kind", InvitationKind::parse)?,
        partner_id: reader.parsed(keys::GSI1_PK, keys::parse_partner_view)?,
        partner_name: reader.text("partner_name")?.to_owned(),
        customer: reader.parsed(keys::GSI2_PK, keys::parse_customer_view)?,
        delegated_admin: read_admin(&reader, "asked")?,
        message: reader.maybe_text("message")?.map(str::to_owned),
        contact_email: reader.maybe_text("contact_email")?.map(str::to_owned),
        external_reference: reader.maybe_text("external_reference")?.map(str::to_owned),
        created_at: reader.time("created")?,
        expires_at: reader.time("expires")?,
        expiry_announced: answer.is_none() && reader.get(keys::GSI3_SK).is_none(),
        answer,
        erased_at: reader.maybe_time("erased")?,
        version: reader.number("version")?,
        policy_version: reader.number("policy")?,
        token_generation: reader.number("token_gen")?,
        key_number: reader.number("key_number")?,
        token_hash: reader.hash("token_hash")?,
        renewal: reader.get("renewal").map(|_| reader.hash("renewal")).transpose()?,
        fingerprint: reader.hash("fingerprint")?,
        period: period.zip(reader.maybe_time("since")?),
        chain: reader.chain()?,
    })
}

fn read_answer(reader: &ItemReader<'_>) -> Result<Option<Answer>, CorruptItem> {
    let decision = match reader.text("answer")? {
        PENDING => return Ok(None),
        "accepted" => Decision::Accepted { granted: read_granted(reader)?, accepted_by: read_person(reader)? },
        "declined" => Decision::Declined { reason: reader.maybe_text("reason")?.map(str::to_owned) },
        "cancelled" => Decision::Cancelled { reason: reader.maybe_parsed("cancel_reason", CancelReason::parse)? },
        _ => return Err(reader.corrupt("answer", "has an unknown value")),
    };
    let proof = reader.parsed("proof", Proof::parse)?;
    Ok(Some(Answer { decision, decided_at: reader.time("decided")?, proof }))
}

/// The person who accepted; `None` if the person was erased.
fn read_person(reader: &ItemReader<'_>) -> Result<Option<AcceptedBy>, CorruptItem> {
    let is_there = ["by_name", "by_email", "by_salt"].iter().any(|name| reader.get(name).is_some());
    if reader.get("erased").is_some() && !is_there {
        return Ok(None);
    }
    let name = reader.text("by_name")?.to_owned();
    let email = reader.text("by_email")?.to_owned();
    Ok(Some(AcceptedBy { name, email, salt: reader.bytes("by_salt")? }))
}

fn read_granted(reader: &ItemReader<'_>) -> Result<Option<DelegatedAdmin>, CorruptItem> {
    if reader.get("granted") != Some(&AS_ASKED) {
        return read_admin(reader, "granted");
    }
    let asked = read_admin(reader, "asked")?;
    asked.map(Some).ok_or_else(|| reader.corrupt("asked", "is missing"))
}
