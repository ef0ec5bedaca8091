//! Accepting, in the order of the contract: token, state, expiry, version, role, partner, decision, proof,
//! transaction.

use data_encoding::BASE64URL_NOPAD;
use domain::{
    AcceptedBy, Answer, CloudPolicy, Decision, DelegatedAdmin, Event, EventType, Grant, GrantData, Invitation,
    InvitationState, Partner, RelationshipData, RelationshipState, RequiredProof, digest,
};
use platform::handler::views::{AcceptanceView, InvitationView, InvitingPartnerView, Viewer};
use platform::handler::{Context, CustomerKey, Json, LinkHolder, Replayable};
use platform::http_api::body::Rules;
use platform::http_api::{Code, Problem};
use platform::store::{Answered, CustomerRequirements, InvitationChange, Step, retry_on_change};
use serde_json::json;

use crate::body::{AcceptByKey, AcceptByLink, AcceptanceBody};
use crate::decision;
use crate::holder::Holder;
use crate::preview::inviting_partner;

type Accepted = Replayable<AcceptanceView>;

pub(crate) async fn by_link(
    context: Context,
    _: LinkHolder,
    Json(body): Json<AcceptByLink>,
) -> Result<Accepted, Problem> {
    accept(&context, &Holder::from_token(&body.token), &body.acceptance).await
}

pub(crate) async fn by_key(
    context: Context,
    caller: CustomerKey,
    Json(AcceptByKey(body)): Json<AcceptByKey>,
) -> Result<Accepted, Problem> {
    accept(&context, &caller.into(), &body).await
}

async fn accept(context: &Context, holder: &Holder, body: &AcceptanceBody) -> Result<Accepted, Problem> {
    let mut salt = [0; 16];
    salt.copy_from_slice(&context.app.random.bytes()[..16]);
    retry_on_change(|| try_accept(context, holder, body, salt)).await
}

async fn try_accept(
    context: &Context,
    holder: &Holder,
    body: &AcceptanceBody,
    salt: [u8; 16],
) -> Result<Step<Accepted>, Problem> {
    let invitation = holder.invitation(context).await?;
    match invitation.state(context.now()) {
        InvitationState::Pending => {}
        InvitationState::Accepted => return replay(context, holder, &invitation, body).map(Step::Done),
        InvitationState::Expired => return Err(problem_expired()),
        state @ (InvitationState::Declined | InvitationState::Cancelled) => {
            return Err(Problem::answered_already(state));
        }
    }
    body.check_version(invitation.version)?;
    let rules = context.rules();
    body.check_role(&rules)?;
    let partner = context.require_active(inviting_partner(context, &invitation).await?).await?;
    let cloud = context.cloud_rules(partner.cloud)?;
    let accepted_by = body.person(&rules, salt)?;
    let decision = decision::read(&body.delegated_admin, rules)?;
    let is_required = invitation.must_grant(cloud);
    let granted = decision::granted(&decision, invitation.delegated_admin.as_ref(), is_required)?;
    check_proof(holder, &invitation, cloud, granted.is_some())?;
    Acceptance { context, holder, invitation: &invitation, partner: &partner }.commit(accepted_by, granted).await
}

/// The same decision again returns the first response, also if another person is stated. The decision is read under the
/// policy of the invitation, so that a later policy does not turn a repeat into another decision.
fn replay(
    context: &Context,
    holder: &Holder,
    invitation: &Invitation,
    body: &AcceptanceBody,
) -> Result<Accepted, Problem> {
    let policy = context.app.policy.version(invitation.policy_version).unwrap_or_else(|| context.policy());
    let rules = Rules { policy, now: context.now() };
    let is_same = match invitation.answer.as_ref().map(|answer| &answer.decision) {
        Some(Decision::Accepted { granted, .. }) => decision::read(&body.delegated_admin, rules)
            .is_ok_and(|decision| decision.resolve(invitation.delegated_admin.as_ref()).as_ref() == Ok(granted)),
        _ => false,
    };
    match AcceptanceView::new(invitation, holder.viewer()).filter(|_| is_same) {
        Some(view) => Ok(Replayable::replayed(view)),
        None => {
            let detail = "The invitation was already accepted, with another decision on delegated administration.";
            Err(Problem::new(Code::InvalidTransition, detail))
        }
    }
}

/// Whether the link is enough for what the answer does, by the policy. The transaction checks whether it starts again a
/// relationship that has ended.
fn check_proof(holder: &Holder, invitation: &Invitation, cloud: &CloudPolicy, grants: bool) -> Result<(), Problem> {
    let (needed, proof) = (RequiredProof::Customer, cloud.accept_proof);
    let starts = !invitation.is_grant() && proof.relationship == needed;
    let what = match (starts, grants && proof.roles == needed) {
        _ if holder.is_customer() => return Ok(()),
        (false, false) => return Ok(()),
        (true, false) => "to start the relationship",
        (false, true) => "to grant the roles",
        (true, true) => "to start the relationship and to grant the roles",
    };
    Err(problem_of_proof(what))
}

fn problem_of_proof(what: &str) -> Problem {
    let detail = format!(
        "The link is not enough {what}. Sign in as an administrator of the customer, or use a key of the customer."
    );
    Problem::new(Code::AcceptProofRequired, detail)
}

/// 410 `invitation_expired`.
pub(crate) fn problem_expired() -> Problem {
    Problem::new(Code::InvitationExpired, "The invitation has expired. Ask the partner to renew it.")
}

/// A decision that fits, about to be written.
struct Acceptance<'a> {
    context: &'a Context,
    holder: &'a Holder,
    invitation: &'a Invitation,
    partner: &'a Partner,
}

impl Acceptance<'_> {
    async fn commit(
        &self,
        accepted_by: AcceptedBy,
        granted: Option<DelegatedAdmin>,
    ) -> Result<Step<Accepted>, Problem> {
        let (context, invitation) = (self.context, self.invitation);
        let (policy, now) = (context.policy(), context.now());
        let extension_days = policy.limits.grant_extension_days;
        let grant = granted.as_ref().map(|granted| invitation.grant(granted, now, extension_days));
        let event = self.event(&accepted_by, grant.as_ref())?;
        let decision = Decision::Accepted { granted, accepted_by: Some(accepted_by) };
        let answer = Answer { decision, decided_at: now, proof: event.actor.proof };
        let change = InvitationChange { before: invitation, answer: &answer, grant: grant.as_ref(), event: &event };
        let requirements = CustomerRequirements::new(policy, self.partner);
        let may_restart = self.holder.is_customer();
        match context.app.store.accept_invitation(context.op(), &change, requirements, may_restart).await? {
            Answered::Done => {
                let view = AcceptanceView::new(&invitation.clone().with_answer(answer), self.holder.viewer());
                let view = view.ok_or_else(|| Problem::internal("an acceptance has no view"))?;
                Ok(Step::Done(Replayable::done(view)))
            }
            Answered::Changed => Ok(Step::Changed),
            Answered::Tenant(refusal) => match context.corrected_since(&refusal, self.partner).await? {
                // The next try finds the corrected partner in the cache.
                Some(_) => Ok(Step::Changed),
                None => Err(refusal.into()),
            },
            Answered::NotActive => {
                let detail = "The relationship has changed since the invitation was created.";
                Err(Problem::new(Code::InvalidTransition, detail))
            }
            Answered::Superseded => Err(problem_expired()),
            Answered::MayNotRestart => Err(problem_of_proof("to start again a relationship that has ended")),
        }
    }

    /// `invitation.accepted` with the relationship and the grant that start, a digest of the person, and a digest of what the
    /// person was shown.
    fn event(&self, accepted_by: &AcceptedBy, grant: Option<&Grant>) -> Result<Event, Problem> {
        let (context, invitation) = (self.context, self.invitation);
        let (_, since) = invitation.period_at(context.now());
        let shown = json!({
            "invitation": InvitationView::new(invitation, context.now(), Viewer::Link),
            "partner": InvitingPartnerView::new(self.partner),
        });
        // With the salt of the person, so that nothing about the message can be guessed once both are erased.
        let shown = digest("shown", &[&accepted_by.salt, shown.to_string().as_bytes()]);
        let data = [
            ("relationship", json!(RelationshipData { state: RelationshipState::Active, since })),
            ("grant", json!(grant.map(GrantData::started))),
            ("accepted_by", json!(accepted_by.digest())),
            ("shown", json!(BASE64URL_NOPAD.encode(&shown[..16]))),
        ];
        // By link, `check_role` has checked that this role is claimed.
        let actor = self.holder.actor(invitation, Some(context.policy().roles.customer));
        let mut event = invitation.event(EventType::InvitationAccepted, context.occurrence(&actor), data);
        event.subject.grant_id = grant.map(|grant| grant.grant_id.clone());
        Ok(event)
    }
}
