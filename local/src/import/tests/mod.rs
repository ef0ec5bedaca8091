//! Imports on the local run, with its real functions.

mod broken;
mod files;
mod happy;
mod rehearsals;

use std::future::pending;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::TenantId;
use platform::secrets::AccessKeyText;
use serde_json::{Value, json};

use super::*;
use crate::api::{Api, Call};
use crate::client::{Address, Client, Retry};
use crate::testing::Folder;
use crate::{Local, Options, start};

/// Few tries, and no long wait between them.
const IMPATIENT: Retry = Retry {
    tries: 4,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(20),
    ..crate::import::PATIENCE
};

/// A local run with one partner, and a folder for files.
struct Place {
    local: Local,
    folder: Folder,
    partner: String,
    partner_key: String,
}

fn tenant(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn partner_of(tenant_id: &str) -> String {
    domain::PartnerId::from_tenant(&TenantId::parse(tenant_id).unwrap()).to_string()
}

impl Place {
    async fn new() -> Self {
        let folder = Folder::new();
        std::fs::create_dir_all(&folder.0).unwrap();
        Self::with(start(Options::default()).await.unwrap(), folder).await
    }

    /// Every request is idempotent, so a later run in the same data folder has the same partner and key.
    async fn with(local: Local, folder: Folder) -> Self {
        let body = json!({"tenant_id": tenant(999_999), "name": "Northwind", "cloud": "public", "market": "US"});
        let (api, operator) = (Api::new(local.base_url()).unwrap(), local.operator_key().expose_secret());
        let answer = api.send(&Call::post("/v1/partners", &body).key(operator)).await.unwrap();
        let partner = answer.text("/partner/partner_id").unwrap().to_owned();
        let principal = json!({"kind": "partner", "id": partner});
        let body = json!({"principal": principal, "roles": ["sales_agent"], "name": "import"});
        let call = Call::post("/v1/keys", &body).key(operator).idempotency_key("key");
        let partner_key = api.send(&call).await.unwrap().text("/key").unwrap().to_owned();
        Self { local, folder, partner, partner_key }
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn server(&self, kind: Kind) -> Server {
        let key = match kind {
            Kind::Customers | Kind::Relationships => self.local.operator_key().expose_secret(),
            Kind::Invitations | Kind::Subscriptions => &self.partner_key,
        };
        server(self.local.base_url(), key)
    }

    /// Imports a text, which must come to its end.
    async fn import(&self, kind: Kind, text: &str) -> Vec<Row> {
        let path = self.file("import.csv", text);
        let (rows, stopped) = import(kind, &path, &self.server(kind)).await;
        assert!(stopped.is_none(), "{stopped:?}");
        rows
    }

    async fn rehearse(&self, kind: Kind, text: &str) -> Vec<Row> {
        let path = self.file("import.csv", text);
        let server = self.server(kind);
        let mut rows = Vec::new();
        let ready = Import::check(kind, &path).unwrap().prepare(&server, 4).await.unwrap();
        let ran = ready
            .rehearse(
                |row| {
                    rows.push(row.clone());
                    Ok(())
                },
                &mut Progress::silent(),
                pending(),
            )
            .await;
        assert!(ran.stopped.is_none(), "{:?}", ran.stopped);
        rows
    }

    /// All items of an operator's list.
    async fn list(&self, path: &str) -> Vec<Value> {
        let api = Api::new(self.local.base_url()).unwrap();
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let call = Call::get(format!("{path}?limit=100{cursor}")).key(self.local.operator_key().expose_secret());
            let page = api.send(&call).await.unwrap();
            items.extend(page.json()["items"].as_array().unwrap().clone());
            match page.text("/next_cursor") {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    async fn events(&self) -> usize {
        self.list("/v1/events").await.len()
    }
}

fn server(url: &str, key: &str) -> Server {
    let key = AccessKeyText::parse(key).unwrap();
    Server::new(Client::new(Address::parse(url).unwrap(), Some(&key)).unwrap(), IMPATIENT, |_, _| {})
}

/// The results in the order of the lines, and why it stopped.
async fn import(kind: Kind, path: &Path, server: &Server) -> (Vec<Row>, Option<Stop>) {
    let mut rows = Vec::new();
    let ready = match Import::check(kind, path).unwrap().prepare(server, 4).await {
        Ok(ready) => ready,
        Err(stop) => return (rows, Some(stop)),
    };
    let ran = ready
        .run(
            |row| {
                rows.push(row.clone());
                Ok(())
            },
            &mut Progress::silent(),
            pending(),
        )
        .await;
    assert_eq!(ran.tally.total(), rows.len() as u64);
    rows.sort_by_key(|row| row.line);
    (rows, ran.stopped)
}

/// The outcomes and codes of rows.
fn outcomes(rows: &[Row]) -> Vec<(u64, Outcome, &str)> {
    rows.iter().map(|row| (row.line, row.outcome, row.code.as_str())).collect()
}

fn count(rows: &[Row], outcome: Outcome) -> usize {
    rows.iter().filter(|row| row.outcome == outcome).count()
}

/// Customers with these numbers.
fn customers(numbers: impl IntoIterator<Item = u32>) -> String {
    let line = |number| format!("{},Customer {number},public,US\n", tenant(number));
    "tenant_id,name,cloud,market\n".to_owned() + &numbers.into_iter().map(line).collect::<String>()
}

/// Relationships with a partner.
fn relationships(partner: &str, numbers: impl IntoIterator<Item = u32>) -> String {
    let line = |number| format!("{partner},{},2024-05-01\n", tenant(number));
    "partner_id,customer_tenant_id,since\n".to_owned() + &numbers.into_iter().map(line).collect::<String>()
}

/// Subscriptions, each with its number and the number of its customer.
fn subscriptions(numbers: impl IntoIterator<Item = (u32, u32)>) -> String {
    let line = |(number, customer)| format!("SUB-{number},{},office,offer,5,monthly,P1Y\n", tenant(customer));
    "subscription_id,customer_tenant_id,service,offer_id,quantity,billing_cycle,term\n".to_owned()
        + &numbers.into_iter().map(line).collect::<String>()
}
