//! Callers of routes that an operator may call as well, also while the partner is suspended.

use std::marker::PhantomData;

use domain::{Actor, Owner, PartnerId, Principal, TenantId};

use super::Context;
use super::caller::{ActingPartner, Caller, CustomerKey, KeyHolder, Operator, Owning, PartnerKey, Permission};
use crate::http_api::{Code, Problem};

/// The partner in the path, by its own key or by an operator's.
pub struct PartnerOrOperator<P> {
    /// The partner is active unless an operator acts.
    pub acting: ActingPartner,
    permission: PhantomData<P>,
}

impl<P: Permission> Caller for PartnerOrOperator<P> {
    const CODES: &'static [Code] = PartnerKey::<P>::CODES;

    async fn identify(context: &Context) -> Result<Self, Problem> {
        let key = KeyHolder::identify(context).await?;
        if key.principal != Principal::Operator {
            return Ok(Self { acting: PartnerKey::<P>::identify(context).await?.acting, permission: PhantomData });
        }
        let id = PartnerId::parse(context.request.path("partner_id")).ok_or_else(Problem::not_found)?;
        let partner = context.app.store.partner(context.op(), &id).await?.ok_or_else(Problem::not_found)?;
        let actor = Operator::identify(context).await?.actor;
        Ok(Self { acting: ActingPartner { partner, actor }, permission: PhantomData })
    }
}

impl<P: Permission> Owning for PartnerOrOperator<P> {
    fn into_owner(self) -> (Owner, Actor) {
        (Owner::Partner(self.acting.partner.partner_id), self.acting.actor)
    }
}

/// The customer in the path, by its own key or a session, or by an operator's key.
pub struct CustomerOrOperator {
    pub customer: TenantId,
    pub actor: Actor,
}

impl Caller for CustomerOrOperator {
    const CODES: &'static [Code] = &[
        Code::TokenMissing,
        Code::KeyInvalid,
        Code::HeaderRepeated,
        Code::SessionInvalid,
        Code::NotFound,
        Code::ApproverNotPermitted,
    ];

    async fn identify(context: &Context) -> Result<Self, Problem> {
        let key = KeyHolder::identify_customer(context).await?;
        if key.principal != Principal::Operator {
            let own = CustomerKey::identify(context).await?;
            return Ok(Self { customer: own.customer, actor: own.actor });
        }
        let customer = TenantId::parse(context.request.path("tenant_id")).ok_or_else(Problem::not_found)?;
        context.app.store.tenant_name(context.op(), &customer).await?.ok_or_else(Problem::not_found)?;
        Ok(Self { customer, actor: Operator::identify(context).await?.actor })
    }

    #[cfg(feature = "describe")]
    fn security() -> crate::describe::Security {
        crate::describe::Security::KeyOrSession
    }
}

impl Owning for CustomerOrOperator {
    fn into_owner(self) -> (Owner, Actor) {
        (Owner::Customer(self.customer), self.actor)
    }
}
