//! Accepting, in the contract's order: token → state → expiry → proof → role → partner → decision → transaction.

use data_encoding::BASE64URL_NOPAD;
use domain::{
    AcceptProof, AcceptedBy, Answer, Decision, DelegatedAdmin, Event, EventType, Grant, GrantData, Invitation,
    InvitationState, Partner, RelationshipData, RelationshipState, canonical_json, digest,
};
use platform::handler::App;
use platform::handler::views::AcceptanceView;
use platform::http_api::{Code, Problem, Request, Response};
use platform::store::{Answered, CustomerRequirements, InvitationChange, StoreError, TRIES};
use serde_json::json;

use crate::body::{Body, refused};
use crate::holder::Holder;
use crate::preview::{self, inviting_partner};

/// Accepts the path's invitation.
pub(crate) async fn accept(app: &App, request: &Request, holder: &Holder, body: &Body) -> Result<Response, Problem> {
    let policy = app.policy_for(request);
    let mut salt = [0; 16];
    salt.copy_from_slice(&app.random.bytes()[..16]);
    for _ in 0..TRIES {
        let invitation = holder.find(app, request).await?;
        match invitation.state(request.now) {
            InvitationState::Pending => {}
            InvitationState::Accepted => return replay(app, request, &invitation, body),
            InvitationState::Expired => return Err(expired()),
            state @ (InvitationState::Declined | InvitationState::Cancelled) => {
                return Err(Problem::answered_already(state));
            }
        }
        let partner = inviting_partner(app, request, &invitation).await?;
        let rules = app.cloud_rules(request, partner.cloud)?;
        if rules.accept_proof == AcceptProof::CustomerKey && matches!(holder, Holder::Link { .. }) {
            let detail = "In this cloud the customer answers with a key of its own.";
            return Err(Problem::new(Code::AcceptProofRequired, detail));
        }
        body.check_role(policy)?;
        if !partner.is_active() {
            return Err(Problem::partner_not_active());
        }
        let accepted_by = body.accepted_by(policy, salt)?;
        let required = invitation.must_grant(rules);
        let granted = body.word(policy)?.decide(invitation.delegated_admin.as_ref(), required).map_err(refused)?;
        let acceptance = Acceptance { app, request, holder, invitation: &invitation, partner: &partner };
        if let Some(answer) = acceptance.commit(accepted_by, granted).await? {
            return Ok(answer);
        }
    }
    Err(StoreError::Contention.into())
}

/// The same decision again gets the first answer, whoever says to have made it. It is read under the policy of its time,
/// so that a change of policy makes no repeat a new decision.
fn replay(app: &App, request: &Request, invitation: &Invitation, body: &Body) -> Result<Response, Problem> {
    let policy = app.policy.version(invitation.policy_version).unwrap_or_else(|| app.policy_for(request));
    let same = match invitation.answer.as_ref().map(|answer| &answer.decision) {
        Some(Decision::Accepted { granted, .. }) => {
            let word = body.word(policy);
            word.is_ok_and(|word| word.resolve(invitation.delegated_admin.as_ref()).as_ref() == Ok(granted))
        }
        _ => false,
    };
    match AcceptanceView::new(invitation).filter(|_| same) {
        Some(view) => Ok(Response::json(200, &view)?.replayed(true)),
        None => {
            Err(Problem::new(Code::InvalidTransition, "The invitation was accepted already, with another decision."))
        }
    }
}

/// 410 `invitation_expired`.
pub(crate) fn expired() -> Problem {
    Problem::new(Code::InvitationExpired, "The invitation's time is over. The partner can renew it.")
}

/// A decision that fits, about to be written.
struct Acceptance<'a> {
    app: &'a App,
    request: &'a Request,
    holder: &'a Holder,
    invitation: &'a Invitation,
    partner: &'a Partner,
}

impl Acceptance<'_> {
    /// Writes it. `None` when the invitation changed meanwhile.
    async fn commit(
        &self,
        accepted_by: AcceptedBy,
        granted: Option<DelegatedAdmin>,
    ) -> Result<Option<Response>, Problem> {
        let policy = self.app.policy_for(self.request);
        let (now, extension_days) = (self.request.now, policy.limits.grant_extension_days);
        let grant = granted.as_ref().map(|granted| self.invitation.grant(granted, now, extension_days));
        let event = self.event(&accepted_by, grant.as_ref())?;
        let answer = Answer { decision: Decision::Accepted { granted, accepted_by }, decided_at: now };
        let change =
            InvitationChange { before: self.invitation, answer: &answer, grant: grant.as_ref(), event: &event };
        let terms = CustomerRequirements::of(policy, self.partner);
        match self.app.store.accept_invitation(self.request.op(), &change, terms).await? {
            Answered::Done => {
                let view = AcceptanceView::new(&self.invitation.clone().answered(answer));
                let view = view.ok_or_else(|| Problem::internal("an acceptance has no view"))?;
                Ok(Some(Response::json(200, &view)?))
            }
            Answered::Changed => Ok(None),
            Answered::Tenant(refusal) => Err(refusal.into()),
            Answered::NotActive => Err(Problem::new(
                Code::InvalidTransition,
                "The relationship is no longer in the state this invitation was made for.",
            )),
            Answered::Superseded => Err(expired()),
        }
    }

    /// `invitation.accepted` with the relationship and the grant it starts, a digest of the person, and a hash of what the
    /// person was shown.
    fn event(&self, accepted_by: &AcceptedBy, grant: Option<&Grant>) -> Result<Event, Problem> {
        let (app, request, invitation) = (self.app, self.request, self.invitation);
        let (_, since) = invitation.period_at(request.now);
        let shown = serde_json::to_value(preview::view(app, request, invitation, self.partner));
        let shown = canonical_json(&shown.map_err(Problem::internal)?);
        let shown = digest("shown", &[shown.as_bytes()]);
        let data = [
            ("relationship", json!(RelationshipData { state: RelationshipState::Active, since })),
            ("grant", json!(grant.map(GrantData::started))),
            ("accepted_by", json!(accepted_by.digest())),
            ("shown", json!(BASE64URL_NOPAD.encode(&shown[..16]))),
        ];
        // `Body::check_role` has seen that by link this role is claimed.
        let actor = self.holder.actor(invitation, Some(app.policy_for(request).roles.customer));
        let mut event = invitation.event(EventType::InvitationAccepted, app.occurrence(request, &actor), data);
        event.subject.grant_id = grant.map(|grant| grant.grant_id.clone());
        Ok(event)
    }
}
