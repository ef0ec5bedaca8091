//! Invitations: how the item is written and read. The commands are in `create`, `answer` and `renew`.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{CorruptItem, Item, ItemBuilder, ItemReader};
use super::keys::{self, Listed};
use super::transact::Refusal;
use super::{OpContext, Store, StoreError, grant};
use domain::{
    AcceptedBy, Answer, Chain, Decision, DelegatedAdmin, Invitation, InvitationId, InvitationKind, PartnerId, TenantId,
};

impl Store {
    /// An invitation, as it is now.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn invitation(&self, attempt: OpContext, id: &InvitationId) -> Result<Option<Invitation>, StoreError> {
        let item = self.get(attempt, &keys::invitation(id)).await?;
        Ok(item.as_ref().map(read_invitation).transpose()?)
    }
}

/// The writes of a command about an invitation.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Step {
    Invitation,
    Tenant,
    Relationship,
    Rest,
}

/// The refusal of one of the writes.
pub(super) fn find(refused: &[Refusal<Step>], step: Step) -> Option<&Refusal<Step>> {
    refused.iter().find(|refusal| refusal.write == step)
}

/// What `answer` says while there is none.
pub(super) const PENDING: &str = "pending";

/// What `granted` says when it is what was asked: stored once, the item stays below 1 KB and an acceptance cheap.
pub(super) const AS_ASKED: AttributeValue = AttributeValue::Bool(true);

/// The item of a new invitation.
pub(super) fn invitation_item(invitation: &Invitation, chain: Chain) -> Item {
    let (due, due_at) = keys::due(invitation.invitation_id.as_str(), invitation.expires_at);
    let mut item = ItemBuilder::new(keys::invitation(&invitation.invitation_id))
        .text("kind", invitation.kind.as_str())
        .text("partner_name", &invitation.partner_name)
        .maybe_text("message", invitation.message.as_ref())
        .time("created", invitation.created_at)
        .time("expires", invitation.expires_at)
        .text("answer", PENDING)
        .number("version", invitation.version)
        .number("policy", invitation.policy_version)
        .number("token_gen", invitation.token_generation)
        .number("key_number", invitation.key_number)
        .hash("token_hash", &invitation.token_hash)
        .hash("fingerprint", &invitation.fingerprint)
        .chain(chain)
        .text(keys::GSI1_PK, keys::partner_view(&invitation.partner_id))
        .text(keys::GSI2_PK, keys::customer_view(&invitation.customer))
        .text(keys::LISTED, Listed::Invitation.at(invitation.created_at))
        .text(keys::GSI3_PK, due)
        .text(keys::GSI3_SK, due_at);
    if let Some(admin) = &invitation.delegated_admin {
        item = item.with("asked", grant::admin_value(admin));
    }
    if let Some((period, since)) = &invitation.period {
        item = item.text("period", period.as_str()).time("since", *since);
    }
    item.build()
}

/// Reads an invitation's item. Partner and customer are known from the views it is listed in.
pub(super) fn read_invitation(item: &Item) -> Result<Invitation, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let period = reader.maybe_parsed("period", InvitationId::parse)?;
    let answer = read_answer(&reader)?;
    Ok(Invitation {
        invitation_id: reader.parsed(keys::PK, |pk| InvitationId::parse(pk.strip_prefix("INVITATION#")?))?,
        kind: reader.parsed("kind", InvitationKind::parse)?,
        partner_id: reader.parsed(keys::GSI1_PK, |pk| PartnerId::parse(pk.strip_prefix("PARTNER#")?))?,
        partner_name: reader.text("partner_name")?.to_owned(),
        customer: reader.parsed(keys::GSI2_PK, |pk| TenantId::parse(pk.strip_prefix("CUSTOMER#")?))?,
        delegated_admin: grant::read_admin(&reader, "asked")?,
        message: reader.maybe_text("message")?.map(str::to_owned),
        created_at: reader.time("created")?,
        expires_at: reader.time("expires")?,
        expiry_announced: answer.is_none() && reader.get(keys::GSI3_SK).is_none(),
        answer,
        version: reader.number("version")?,
        policy_version: reader.number("policy")?,
        token_generation: reader.number("token_gen")?,
        key_number: reader.number("key_number")?,
        token_hash: reader.hash("token_hash")?,
        fingerprint: reader.hash("fingerprint")?,
        period: period.zip(reader.maybe_time("since")?),
        chain: reader.chain()?,
    })
}

fn read_answer(reader: &ItemReader<'_>) -> Result<Option<Answer>, CorruptItem> {
    let decision = match reader.text("answer")? {
        PENDING => return Ok(None),
        "accepted" => Decision::Accepted {
            granted: read_granted(reader)?,
            accepted_by: AcceptedBy {
                name: reader.text("by_name")?.to_owned(),
                email: reader.text("by_email")?.to_owned(),
                salt: reader.bytes("by_salt")?,
            },
        },
        "declined" => Decision::Declined { reason: reader.maybe_text("reason")?.map(str::to_owned) },
        "cancelled" => Decision::Cancelled,
        _ => return Err(reader.corrupt("answer", "is unknown")),
    };
    Ok(Some(Answer { decision, decided_at: reader.time("decided")? }))
}

fn read_granted(reader: &ItemReader<'_>) -> Result<Option<DelegatedAdmin>, CorruptItem> {
    if reader.get("granted") != Some(&AS_ASKED) {
        return grant::read_admin(reader, "granted");
    }
    let asked = grant::read_admin(reader, "asked")?;
    asked.map(Some).ok_or_else(|| reader.corrupt("asked", "is missing"))
}
