//! A partner invites a customer to a reseller relationship, by key or by signed webhook, and may ask for delegated
//! administration. While the relationship is active, the same request creates an invitation of kind grant.

mod body;

use domain::{CloudPolicy, Invitation, InvitationState, Partner, Requirement};
use platform::config::Needs;
use platform::handler::views::{InvitationLinkView, InvitationView, Viewer};
use platform::handler::{
    ActingPartner, Context, Created as CreatedAnswer, CreatedAt, Envelope, IdempotencyKey, Json, PartnerKey,
    SignedWebhook, permission::CreateInvitation,
};
use platform::http_api::{Code, Problem};
use platform::lambda::Function;
use platform::store::{Created, CustomerRequirements};

use crate::body::{CreationBody, RequestKey};

pub const FUNCTION: Function = Function {
    name: "create-invitation",
    routes: platform::routes! {
        /// Invite a customer to a reseller relationship, or to grant delegated administration.
        "POST /v1/partners/{partner_id}/invitations" => by_key, writes [
            CloudMismatch, CloudNotSupported, CustomerIsCspTenant, CustomerUnknown, DelegatedAdminRequired,
            InvitationPending, MarketMismatch, RateLimited, RelationshipActive, SelfRelationship,
        ];
        /// Invite a customer by signed webhook.
        "POST /v1/webhooks/{partner_id}/invitations" => by_webhook, writes [
            CloudMismatch, CloudNotSupported, CustomerIsCspTenant, CustomerUnknown, DelegatedAdminRequired,
            IdempotencyKeyReused, InvitationPending, MarketMismatch, RateLimited, RelationshipActive, SelfRelationship,
        ];
    },
    needs: Needs::TABLE_AND_KEYS,
};

type Invited = CreatedAt<InvitationLinkView>;

async fn by_key(
    context: Context,
    caller: PartnerKey<CreateInvitation>,
    (IdempotencyKey(text), Json(body)): (IdempotencyKey, Json<CreationBody>),
) -> Result<Invited, Problem> {
    create(&context, &caller.acting, &RequestKey { channel: "key", text }, &body).await
}

async fn by_webhook(
    context: Context,
    webhook: SignedWebhook<CreateInvitation>,
    Envelope(body): Envelope<CreationBody>,
) -> Result<Invited, Problem> {
    let key = RequestKey { channel: "webhook", text: webhook.webhook_id };
    create(&context, &webhook.acting, &key, &body).await
}

async fn create(
    context: &Context,
    acting: &ActingPartner,
    key: &RequestKey,
    body: &CreationBody,
) -> Result<Invited, Problem> {
    let policy = context.policy();
    check(body, &acting.partner, context.cloud_rules(acting.partner.cloud)?)?;
    let limit = policy.limits.invitations_per_pair_and_day;
    let invitation = body.invitation(context, &acting.partner, key)?;
    let event = |invitation: &Invitation| body::event(invitation, context.occurrence(&acting.actor));
    let requirements = CustomerRequirements::new(policy, &acting.partner);
    match context.app.store.create_invitation(context.op(), invitation, requirements, limit, event).await? {
        Created::New(invitation) => invited(context, &invitation, CreatedAnswer::new),
        Created::AlreadyExists(invitation) if invitation.fingerprint == body.fingerprint() => {
            invited(context, &invitation, CreatedAnswer::replayed)
        }
        Created::AlreadyExists(_) => Err(Problem::new(
            Code::IdempotencyKeyReused,
            "This idempotency key was used for an invitation with other content. Use a new key for a new invitation.",
        )),
        Created::Tenant(refusal) => match acting.corrected_since(context, &refusal).await? {
            Some(acting) => Box::pin(create(context, &acting, key, body)).await,
            None => Err(refusal.into()),
        },
        Created::RelationshipActive => Err(Problem::new(
            Code::RelationshipActive,
            "The relationship with this customer is already active. To ask for delegated administration, name roles.",
        )),
        Created::Pending(open) => Err(Problem::invitation_pending(&open)),
        Created::LimitReached => Err(Problem::daily_limit(limit, "invitations", context.now())),
    }
}

/// What can be checked without the table.
fn check(body: &CreationBody, partner: &Partner, rules: &CloudPolicy) -> Result<(), Problem> {
    if rules.delegated_admin == Requirement::Required && body.delegated_admin.is_none() {
        let cloud = partner.cloud;
        let detail =
            format!("In the cloud {cloud} every invitation must ask for delegated administration. Name roles.");
        return Err(Problem::new(Code::DelegatedAdminRequired, detail));
    }
    if body.customer == partner.tenant_id {
        let detail = "A partner cannot invite its own tenant. Send the tenant id of the customer.";
        return Err(Problem::new(Code::SelfRelationship, detail));
    }
    Ok(())
}

/// The link is shown while the invitation is pending.
fn invited(
    context: &Context,
    invitation: &Invitation,
    answer: fn(InvitationLinkView) -> CreatedAnswer<InvitationLinkView>,
) -> Result<Invited, Problem> {
    let is_pending = invitation.state(context.now()) == InvitationState::Pending;
    let accept_url = if is_pending { Some(context.accept_url(invitation)?) } else { None };
    let location = format!("/v1/partners/{}/invitations/{}", invitation.partner_id, invitation.invitation_id);
    let view =
        InvitationLinkView { invitation: InvitationView::new(invitation, context.now(), Viewer::Partner), accept_url };
    Ok(CreatedAt::new(answer(view), location))
}
