use std::sync::Arc;

use aws_sdk_dynamodb::Client;

use super::cache::Cache;
use super::error::StoreError;
use super::session_tenant::SessionTenant;
use crate::clock::Clock;
use crate::random::Random;
use domain::{AccessKey, KeyId, Partner, PartnerId, Session, SessionId, TenantId};

/// The table, and caches of what every request needs.
pub struct Store {
    client: Option<Client>,
    pub(super) table: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) partners: Cache<PartnerId, Partner>,
    pub(super) tenant_names: Cache<TenantId, String>,
    pub(super) keys: Cache<KeyId, AccessKey>,
    pub(super) sessions: Cache<SessionId, Session>,
    pub(super) session_tenants: Cache<TenantId, SessionTenant>,
}

impl Store {
    /// Without a client every call fails. This is for functions that have no right to call the table: what they don't refer to
    /// is not part of their program.
    pub fn new(
        client: impl Into<Option<Client>>,
        table: String,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            client: client.into(),
            table,
            clock,
            random,
            partners: Cache::default(),
            tenant_names: Cache::default(),
            keys: Cache::default(),
            sessions: Cache::default(),
            session_tenants: Cache::default(),
        }
    }

    pub(super) fn client(&self) -> Result<&Client, StoreError> {
        self.client.as_ref().ok_or_else(|| StoreError::failed("connecting", "this function has no table"))
    }
}
