//! Importing relationships. The operator attests that the relationship existed before this system. It has no grants, because
//! roles need the customer's consent.

use domain::{EventType, PartnerId, RelationshipState, TenantId, Timestamp};
use platform::handler::views::RelationshipResponse;
use platform::handler::{Context, CreatedOnce, CreatedOnceAt, Json, Operator, Path};
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::shape;
use platform::http_api::{Code, InvalidField, Problem};
use platform::store::{CustomerRequirements, Imported, Step, retry_on_change};
use serde_json::json;

/// `{since, external_reference?}`
pub(crate) struct ImportBody {
    since: Timestamp,
    external_reference: Option<String>,
}

impl Body for ImportBody {
    const NAME: &'static str = "ImportRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let since = reader.required("since", shape::time());
        if since.is_some_and(|since| since > rules.now) {
            reader.invalid("since", InvalidField::range("a time that is not in the future is expected"));
        }
        let most = rules.policy.limits.external_reference_characters;
        let external_reference = reader.optional("external_reference", shape::line(most));
        Some(Self { since: since?, external_reference })
    }
}

/// New 201, an active relationship 200 as it is, one that has ended 409.
pub(crate) async fn import(
    context: Context,
    caller: Operator,
    (Path(partner), Path(customer), Json(body)): (Path<PartnerId>, Path<TenantId>, Json<ImportBody>),
) -> Result<CreatedOnceAt<RelationshipResponse>, Problem> {
    let imported = retry_on_change(|| try_import(&context, &caller, &partner, &customer, &body)).await?;
    Ok(imported.at(format!("/v1/partners/{partner}/customers/{customer}")))
}

async fn try_import(
    context: &Context,
    caller: &Operator,
    partner: &PartnerId,
    customer: &TenantId,
    body: &ImportBody,
) -> Result<Step<CreatedOnce<RelationshipResponse>>, Problem> {
    let store = &context.app.store;
    let found = store.partner_with_relationship(context.op(), partner, customer).await?;
    let (partner, before) = found.ok_or_else(Problem::not_found)?;
    match before.state {
        RelationshipState::None => {}
        RelationshipState::Active => {
            return Ok(Step::Done(CreatedOnce::replayed(RelationshipResponse::for_operator(&before))));
        }
        RelationshipState::Ended => {
            let detail =
                "The relationship has ended. Only the customer can start it again, by accepting an invitation.";
            return Err(Problem::new(Code::InvalidTransition, detail));
        }
    }
    context.cloud_rules(partner.cloud)?;
    if *customer == partner.tenant_id {
        let detail = "A partner cannot be its own customer. Send the tenant id of the customer.";
        return Err(Problem::new(Code::SelfRelationship, detail));
    }
    let after = before.imported(body.since, body.external_reference.clone());
    // Nothing proves that the customer agreed.
    let actor = caller.actor.clone().without_proof();
    let data = [("since", json!(body.since))];
    let event = before.event(EventType::RelationshipImported, context.occurrence(&actor), data);
    let requirements = CustomerRequirements::new(context.policy(), &partner);
    match store.import_relationship(context.op(), &partner, &before, &after, &event, requirements).await? {
        Imported::Done => Ok(Step::Done(CreatedOnce::new(RelationshipResponse::for_operator(&after)))),
        Imported::Changed => Ok(Step::Changed),
        Imported::Tenant(refusal) => Err(refusal.into()),
    }
}
