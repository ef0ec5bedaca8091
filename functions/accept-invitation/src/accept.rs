//! Accepting, in the contract's order: token → state → expiry → proof → role → partner → decision → transaction.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use shared::app::App;
use shared::auth::not_active;
use shared::domain::{
    AcceptProof, AcceptedBy, Answer, CloudPolicy, Decision, DelegatedAdmin, Event, EventType, Grant, GrantState,
    Invitation, InvitationState, Occurrence, Partner, PolicyVersion, Requirement, digest,
};
use shared::http::{Code, Problem, Request, Response};
use shared::store::{Answered, InvitationChange, Terms};

use crate::body::Body;
use crate::holder::Holder;

/// Twins of a request may change the invitation between reading and writing it; each time it is read again.
pub(crate) const TRIES: usize = 3;

/// Accepts the path's invitation.
pub(crate) async fn accept(app: &App, request: &Request, holder: &Holder, body: &Body) -> Result<Response, Problem> {
    let policy = app.policy_for(request);
    let mut salt = [0; 16];
    salt.copy_from_slice(&app.random.bytes()[..16]);
    for _ in 0..TRIES {
        let invitation = holder.find(app, request).await?;
        match invitation.state(request.now) {
            InvitationState::Pending => {}
            InvitationState::Accepted => return replay(&invitation, body, policy),
            InvitationState::Expired => return Err(expired()),
            InvitationState::Declined | InvitationState::Cancelled => {
                return Err(answered_otherwise(&invitation, request));
            }
        }
        let partner = inviting_partner(app, request, &invitation).await?;
        let rules = policy.cloud(partner.cloud).ok_or_else(cloud_not_supported)?;
        if rules.accept_proof == AcceptProof::CustomerKey && matches!(holder, Holder::Link { .. }) {
            return Err(Problem::new(
                Code::AcceptProofRequired,
                "In this cloud the customer answers with a key of its own.",
            ));
        }
        let accepted_by = body.accepted_by(policy, salt)?;
        if !partner.is_active() {
            return Err(not_active());
        }
        let granted = body.word(policy)?.decide(&invitation, must_grant(&invitation, rules))?;
        let accepted = Acceptance { invitation: &invitation, accepted_by, granted, holder };
        if let Some(answer) = accepted.commit(app, request, policy, &partner).await? {
            return Ok(answer);
        }
    }
    Err(Problem::new(Code::Contention, "The invitation kept changing; send the request again.").retry_after(1))
}

async fn inviting_partner(app: &App, request: &Request, invitation: &Invitation) -> Result<Partner, Problem> {
    app.store.partner(request.attempt(), &invitation.partner_id).await?.ok_or_else(Problem::internal)
}

fn must_grant(invitation: &Invitation, rules: &CloudPolicy) -> bool {
    rules.delegated_admin == Requirement::Required || invitation.is_grant()
}

/// The same decision again gets the first answer, whoever says to have made it.
fn replay(invitation: &Invitation, body: &Body, policy: &PolicyVersion) -> Result<Response, Problem> {
    let same = match invitation.answer.as_ref().map(|answer| &answer.decision) {
        Some(Decision::Accepted { granted, .. }) => {
            body.word(policy).is_ok_and(|word| word.resolve(invitation).as_ref() == Some(granted))
        }
        _ => false,
    };
    match invitation.acceptance_view().filter(|_| same) {
        Some(view) => Ok(Response::json(200, &view)?.replayed(true)),
        None => {
            Err(Problem::new(Code::InvalidTransition, "The invitation was accepted already, with another decision."))
        }
    }
}

pub(crate) fn answered_otherwise(invitation: &Invitation, request: &Request) -> Problem {
    Problem::new(Code::InvalidTransition, format!("The invitation is {} already.", invitation.state(request.now)))
}

pub(crate) fn expired() -> Problem {
    Problem::new(Code::InvitationExpired, "The invitation's time is over. The partner can renew it.")
}

fn cloud_not_supported() -> Problem {
    Problem::new(Code::CloudNotSupported, "The policy does not serve this cloud.")
}

/// A decision that fits, about to be written.
struct Acceptance<'a> {
    invitation: &'a Invitation,
    accepted_by: AcceptedBy,
    granted: Option<DelegatedAdmin>,
    holder: &'a Holder,
}

impl Acceptance<'_> {
    /// Writes it. `None` when the invitation changed meanwhile.
    async fn commit(
        self,
        app: &App,
        request: &Request,
        policy: &PolicyVersion,
        partner: &Partner,
    ) -> Result<Option<Response>, Problem> {
        let extension_days = policy.limits.grant_extension_days;
        let grant = self.granted.as_ref().map(|granted| self.invitation.grant(granted, request.now, extension_days));
        let event = self.event(request, policy, grant.as_ref());
        let decision = Decision::Accepted { granted: self.granted, accepted_by: self.accepted_by };
        let answer = Answer { decision, decided_at: request.now };
        let change =
            InvitationChange { before: self.invitation, answer: &answer, grant: grant.as_ref(), event: &event };
        match app.store.accept_invitation(request.attempt(), &change, Terms::of(policy, partner)).await? {
            Answered::Done => {
                let version = self.invitation.version + 1;
                let after = Invitation { answer: Some(answer.clone()), version, ..self.invitation.clone() };
                let view = after.acceptance_view().ok_or_else(Problem::internal)?;
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
    fn event(&self, request: &Request, policy: &PolicyVersion, grant: Option<&Grant>) -> Event {
        let invitation = self.invitation;
        let (_, since) = invitation.period_at(request.now);
        let shown = digest("shown", &[invitation.view(request.now).to_string().as_bytes()]);
        let data = [
            ("relationship", json!({"state": "active", "since": since})),
            ("grant", json!(grant.map(|grant| grant.view(request.now, GrantState::Active)))),
            ("accepted_by", json!(self.accepted_by.digest())),
            ("shown", json!(BASE64URL_NOPAD.encode(&shown[..16]))),
        ];
        let actor = self.holder.actor(invitation, policy);
        let occurrence = Occurrence { at: request.now, actor: &actor, policy_version: policy.version };
        let mut event = invitation.event(EventType::InvitationAccepted, occurrence, data);
        event.subject.grant_id = grant.map(|grant| grant.grant_id.clone());
        event
    }
}
