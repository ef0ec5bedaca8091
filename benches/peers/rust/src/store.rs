//! The table, by the SDK.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure::AllOld,
    TransactWriteItem, Update,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{from_item, to_item};

use crate::hashes::{day, text};
use crate::items::{Acceptance, AccessKey, Event, Invitation, Partner, Relationship, Subscription, Tenant};
use crate::{DAY_MS, Failure, Outcome};

type Item = HashMap<String, AttributeValue>;
type Cache<T> = Mutex<HashMap<String, (i64, T)>>;

const CACHE_MS: i64 = 30_000;
const INVITATIONS_PER_DAY: u32 = 5;

pub struct Store {
    client: Client,
    table: String,
    keys: Cache<AccessKey>,
    partners: Cache<Partner>,
}

/// The reasons of a transaction that was refused.
pub struct Refused(Vec<CancellationReason>);

impl Refused {
    pub fn failed(&self, position: usize) -> bool {
        self.0.get(position).is_some_and(|reason| reason.code() == Some("ConditionalCheckFailed"))
    }

    fn item<T: DeserializeOwned>(&self, position: usize) -> Outcome<Option<T>> {
        let item = self.0.get(position).and_then(|reason| reason.item.clone());
        Ok(item.map(from_item).transpose()?)
    }

    pub async fn item_or_read<T: DeserializeOwned>(
        &self,
        position: usize,
        store: &Store,
        pk: &str,
        sk: &str,
    ) -> Outcome<Option<T>> {
        match self.item(position)? {
            Some(item) => Ok(Some(item)),
            None => store.get(pk, sk).await,
        }
    }

    pub fn relationship(&self, position: usize) -> Outcome<Option<Relationship>> {
        self.item(position)
    }

    pub fn check_tenant(&self, position: usize, partner: &Partner) -> Outcome<()> {
        if !self.failed(position) {
            return Ok(());
        }
        let code = match self.item::<Tenant>(position)? {
            None => "customer_unknown",
            Some(tenant) if tenant.csp_partner.is_some() => "customer_is_csp_tenant",
            Some(tenant) if tenant.cloud != partner.cloud => "cloud_mismatch",
            Some(_) => "market_mismatch",
        };
        Err(Failure::Problem(422, code))
    }
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn b(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

fn map<V, const LEN: usize>(entries: [(&str, V); LEN]) -> Option<HashMap<String, V>> {
    Some(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn key(pk: &str, sk: &str) -> Option<Item> {
    map([("pk", s(pk)), ("sk", s(sk))])
}

impl Store {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table, keys: Cache::default(), partners: Cache::default() }
    }

    pub async fn get<T: DeserializeOwned>(&self, pk: &str, sk: &str) -> Outcome<Option<T>> {
        let call = self.client.get_item().table_name(&self.table).set_key(key(pk, sk)).consistent_read(true);
        Ok(call.send().await?.item.map(from_item).transpose()?)
    }

    pub async fn access_key(&self, id: &str, now: i64) -> Outcome<Option<AccessKey>> {
        self.cached(&self.keys, &format!("KEY#{id}"), "KEY", now).await
    }

    pub async fn partner(&self, id: &str, now: i64) -> Outcome<Option<Partner>> {
        self.cached(&self.partners, &format!("PARTNER#{id}"), "PARTNER", now).await
    }

    async fn cached<T: Clone + DeserializeOwned>(
        &self,
        cache: &Cache<T>,
        pk: &str,
        sk: &str,
        now: i64,
    ) -> Outcome<Option<T>> {
        let known =
            cache.lock().expect("a cache").get(pk).filter(|(at, _)| now - at < CACHE_MS).map(|(_, item)| item.clone());
        if known.is_some() {
            return Ok(known);
        }
        let item: Option<T> = self.get(pk, sk).await?;
        if let Some(item) = &item {
            cache.lock().expect("a cache").insert(pk.to_owned(), (now, item.clone()));
        }
        Ok(item)
    }

    fn put(&self, item: &impl Serialize) -> Outcome<TransactWriteItem> {
        let put = Put::builder().table_name(&self.table).set_item(Some(to_item(item)?));
        let put = put.condition_expression("attribute_not_exists(pk)").return_values_on_condition_check_failure(AllOld);
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    fn check(&self, pk: &str, sk: &str, condition: &str, values: Option<Item>) -> Outcome<TransactWriteItem> {
        let check =
            ConditionCheck::builder().table_name(&self.table).set_key(key(pk, sk)).condition_expression(condition);
        let check = check.set_expression_attribute_values(values).return_values_on_condition_check_failure(AllOld);
        Ok(TransactWriteItem::builder().condition_check(check.build()?).build())
    }

    fn check_tenant(&self, customer: &str, partner: &Partner) -> Outcome<TransactWriteItem> {
        let condition =
            "attribute_exists(pk) AND cloud = :cloud AND market = :market AND attribute_not_exists(csp_partner)";
        let values = map([(":cloud", s(&partner.cloud)), (":market", s(&partner.market))]);
        self.check(&format!("TENANT#{customer}"), "TENANT", condition, values)
    }

    #[allow(clippy::too_many_arguments)]
    pub async fn create(
        &self,
        invitation: &Invitation,
        partner: &Partner,
        customer: &str,
        partner_id: &str,
        id: &str,
        now: i64,
        event: &Event,
    ) -> Outcome<Option<Refused>> {
        let days: Vec<_> =
            (0..8).map(|ago| (format!("#day{ago}"), format!("invited_{}", day(now - ago * DAY_MS)))).collect();
        let old: Vec<_> = days[1..].iter().map(|(name, _)| name.as_str()).collect();
        let values = map([
            (":schema", n(1)),
            (":none", s("none")),
            (":active", s("active")),
            (":id", s(id)),
            (":until", n(invitation.expires)),
            (":now", n(now)),
            (":zero", n(0)),
            (":one", n(1)),
            (":zeros", b(&[0; 32])),
            (":limit", n(INVITATIONS_PER_DAY)),
        ]);
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(key(&format!("CUSTOMER#{customer}"), &format!("PARTNER#{partner_id}")))
            .condition_expression(
                "(attribute_not_exists(open_invitation) OR open_until <= :now) AND \
                 (attribute_not_exists(#day0) OR #day0 < :limit) AND (attribute_not_exists(relation) OR relation <> :active)",
            )
            .update_expression(format!(
                "SET v = if_not_exists(v, :schema), relation = if_not_exists(relation, :none), \
                 open_invitation = :id, open_until = :until, version = if_not_exists(version, :zero) + :one, \
                 event_seq = if_not_exists(event_seq, :zero), event_hash = if_not_exists(event_hash, :zeros), \
                 #day0 = if_not_exists(#day0, :zero) + :one REMOVE {}",
                old.join(", ")
            ))
            .set_expression_attribute_values(values)
            .set_expression_attribute_names(Some(days.iter().cloned().collect()))
            .return_values_on_condition_check_failure(AllOld)
            .build()?;
        let relationship = TransactWriteItem::builder().update(update).build();
        let tenant = self.check_tenant(customer, partner)?;
        self.transact(vec![self.put(invitation)?, tenant, relationship, self.put(event)?]).await
    }

    #[allow(clippy::too_many_arguments)]
    pub async fn accept(
        &self,
        before: &Invitation,
        change: &Acceptance,
        partner: &Partner,
        customer: &str,
        partner_id: &str,
        id: &str,
        now: i64,
        event: &Event,
    ) -> Outcome<Option<Refused>> {
        let new: Item = to_item(change)?;
        let set: Vec<_> = new.keys().map(|name| format!("{name} = :{name}")).collect();
        let mut values: Item = new.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect();
        values.extend(
            map([
                (":pending", s("pending")),
                (":now", n(now)),
                (":token_hash", b(&before.token_hash)),
                (":before", n(before.version)),
            ])
            .into_iter()
            .flatten(),
        );
        let close = Update::builder()
            .table_name(&self.table)
            .set_key(key(&before.pk, &before.sk))
            .condition_expression(
                "answer = :pending AND expires > :now AND attribute_exists(gsi3sk) AND token_hash = :token_hash AND version = :before",
            )
            .update_expression(format!("SET {} REMOVE gsi3pk, gsi3sk", set.join(", ")))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(AllOld)
            .build()?;
        let values = map([
            (":id", s(id)),
            (":none", s("none")),
            (":active", s("active")),
            (":now", n(now)),
            (":proof", s("link")),
            (":one", n(1)),
            (":partner", s(format!("PARTNER#{partner_id}"))),
            (":customer", s(format!("CUSTOMER#{customer}"))),
            (":listed", s(format!("RELATIONSHIP#{}#{customer}#{partner_id}", text(now)))),
        ]);
        let start = Update::builder()
            .table_name(&self.table)
            .set_key(key(&format!("CUSTOMER#{customer}"), &format!("PARTNER#{partner_id}")))
            .condition_expression("open_invitation = :id AND relation = :none")
            .update_expression(
                "SET relation = :active, period = :id, since = :now, gsi1pk = :partner, gsi2pk = :customer, \
                 listed = :listed, proof = :proof, version = version + :one REMOVE ended, open_invitation, open_until",
            )
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(AllOld)
            .build()?;
        let [close, start] = [close, start].map(|update| TransactWriteItem::builder().update(update).build());
        self.transact(vec![close, self.check_tenant(customer, partner)?, start, self.put(event)?]).await
    }

    pub async fn register(
        &self,
        subscription: &Subscription,
        customer: &str,
        partner_id: &str,
        event: &Event,
    ) -> Outcome<Option<Refused>> {
        let active = map([(":active", s("active"))]);
        let (customer_key, partner_key) = (format!("CUSTOMER#{customer}"), format!("PARTNER#{partner_id}"));
        let relationship = self.check(&customer_key, &partner_key, "relation = :active", active)?;
        let condition = "attribute_exists(pk) AND attribute_not_exists(csp_partner)";
        let tenant = self.check(&format!("TENANT#{customer}"), "TENANT", condition, None)?;
        self.transact(vec![self.put(subscription)?, relationship, tenant, self.put(event)?]).await
    }

    /// Nothing if it was written.
    async fn transact(&self, writes: Vec<TransactWriteItem>) -> Outcome<Option<Refused>> {
        for pause in [20, 40, 80, 160, 300, 300, 300, 0] {
            let Err(error) = self.client.transact_write_items().set_transact_items(Some(writes.clone())).send().await
            else {
                return Ok(None);
            };
            let reasons = match error {
                SdkError::ServiceError(context) => match context.into_err() {
                    TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                        cancelled.cancellation_reasons.unwrap_or_default()
                    }
                    other => return Err(other.into()),
                },
                other => return Err(other.into()),
            };
            let any = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
            if any("ConditionalCheckFailed") {
                return Ok(Some(Refused(reasons)));
            }
            if !any("TransactionConflict") {
                return Err(Failure::Other("the transaction was cancelled".into()));
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Err(Failure::Other("too many conflicts".into()))
    }
}
