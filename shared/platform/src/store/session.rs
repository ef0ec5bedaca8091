//! Sessions of customers' administrators. They are no records: they have no events, and the table deletes them by their `ttl`.

use aws_sdk_dynamodb::types::AttributeValue;

use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, number};
use super::keys;
use super::op_context::OpContext;
use super::session_tenant::SessionTenant;
use super::table::Store;
use super::write::Write;
use domain::{Event, PersonId, Session, SessionId, SignInState, Tenant, TenantId};

/// How long the item of a session stays after its end, so that the table never deletes one that is live.
const KEPT_SECONDS: i64 = 3_600;

impl Store {
    /// A session, read at most 30 s ago.
    ///
    /// # Errors
    /// [`StoreError`], in all methods here.
    pub async fn session(&self, op: OpContext, id: &SessionId) -> Result<Option<Session>, StoreError> {
        if let Some(session) = self.sessions.get(id, op.occurred_at) {
            return Ok(Some(session));
        }
        let session = self.fresh_session(op, id).await?;
        if let Some(session) = &session {
            self.sessions.put(id.clone(), session.clone(), op.occurred_at);
        }
        Ok(session)
    }

    /// A session, read now.
    pub async fn fresh_session(&self, op: OpContext, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let item = self.get(op, &keys::session(id)).await?;
        Ok(item.as_ref().map(read_session).transpose()?)
    }

    /// The tenant of a session, if the session still has the tenant's state. What was read at most 30 s ago is enough to accept
    /// a session, but not to reject it: the session may be newer.
    pub async fn session_tenant(&self, op: OpContext, session: &Session) -> Result<Option<SessionTenant>, StoreError> {
        let fits = |tenant: &SessionTenant| tenant.state == session.state;
        if let Some(cached) = self.session_tenants.get(&session.tenant, op.occurred_at).filter(fits) {
            return Ok(Some(cached));
        }
        let current = self.tenant(op, &session.tenant).await?.as_ref().map(SessionTenant::new);
        if let Some(tenant) = &current {
            self.session_tenants.put(session.tenant.clone(), tenant.clone(), op.occurred_at);
        }
        Ok(current.filter(fits))
    }

    /// Writes a new session, and ends the one that it replaces in the same browser.
    pub async fn begin_session(
        &self,
        op: OpContext,
        session: &Session,
        replaced: Option<&SessionId>,
    ) -> Result<(), StoreError> {
        let create = Write::create(session_item(session));
        if let Some(id) = replaced {
            let outcome = self.transact(op, &[create.clone(), end(op, id)]).await?;
            // The table has already deleted the old one.
            if outcome.refusal(&keys::session(id)).is_none() {
                return if outcome.is_committed() { Ok(()) } else { self.confirm(op, session).await };
            }
        }
        match self.transact(op, &[create]).await?.is_committed() {
            true => Ok(()),
            false => self.confirm(op, session).await,
        }
    }

    /// Its id is random, so an item with the same hash is that of an earlier try of this write.
    async fn confirm(&self, op: OpContext, session: &Session) -> Result<(), StoreError> {
        match self.fresh_session(op, &session.session_id).await? {
            Some(found) if found.hash == session.hash => Ok(()),
            _ => Err(StoreError::Contention),
        }
    }

    /// Ends a session and erases the name and the email address. Without the session, nothing is written.
    pub async fn end_session(&self, op: OpContext, session: &Session) -> Result<(), StoreError> {
        let id = &session.session_id;
        self.transact(op, &[end(op, id)]).await?;
        let ended = Session { ended_at: Some(op.occurred_at), name: None, email: None, ..session.clone() };
        self.sessions.put(id.clone(), ended, op.occurred_at);
        Ok(())
    }

    /// Ends all sessions of a tenant. Returns `false` if the tenant has changed since it was read.
    pub async fn end_sessions(&self, op: OpContext, before: &Tenant, event: &Event) -> Result<bool, StoreError> {
        let key = keys::tenant(&before.tenant_id);
        let write = Write::change(key.clone(), &before.chain)
            .set("sessions_generation = :generation")
            .value(":generation", number(before.sessions_generation + 1));
        self.change(op, &key, &self.record(&before.chain, event, write)?).await
    }
}

fn end(op: OpContext, id: &SessionId) -> Write {
    Write::update(keys::session(id), "attribute_exists(pk)")
        .set("ended = :now")
        .remove("#name, email")
        .name("#name", "name")
        .value(":now", number(op.occurred_at.millis()))
}

fn session_item(session: &Session) -> Item {
    ItemBuilder::new(keys::session(&session.session_id))
        .hash("session_hash", &session.hash)
        .text("tenant", session.tenant.as_str())
        .text("person", session.person.as_str())
        .maybe_text("name", session.name.as_ref())
        .maybe_text("email", session.email.as_ref())
        .text("approver_role", &session.approver_role)
        .maybe_text("sign_out_url", session.sign_out_url.as_ref())
        .number("generation", session.state.generation)
        .with("is_partner", AttributeValue::Bool(session.state.is_partner))
        .time("created", session.created_at)
        .time("expires_at", session.expires_at)
        .number("ttl", session.expires_at.seconds() + KEPT_SECONDS)
        .build()
}

fn read_session(item: &Item) -> Result<Session, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let is_partner = reader.get("is_partner").and_then(|value| value.as_bool().ok()).copied();
    Ok(Session {
        session_id: reader.parsed(keys::PK, keys::parse_session)?,
        hash: reader.hash("session_hash")?,
        tenant: reader.parsed("tenant", TenantId::parse)?,
        person: reader.parsed("person", PersonId::parse)?,
        name: reader.maybe_text("name")?.map(str::to_owned),
        email: reader.maybe_text("email")?.map(str::to_owned),
        approver_role: reader.text("approver_role")?.to_owned(),
        sign_out_url: reader.maybe_text("sign_out_url")?.map(str::to_owned),
        state: SignInState {
            generation: reader.number("generation")?,
            is_partner: is_partner.ok_or_else(|| reader.corrupt("is_partner", "is missing or not true or false"))?,
        },
        created_at: reader.time("created")?,
        expires_at: reader.time("expires_at")?,
        ended_at: reader.maybe_time("ended")?,
    })
}
