use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use aws_sdk_dynamodb::types::AttributeValue;

use super::*;
use crate::testing::Folder;
use crate::{Local, Options, samples, start};

async fn opened(folder: &Folder) -> Local {
    start(Options { data_dir: Some(folder.0.clone()), ..Options::default() }).await.unwrap()
}

async fn seeded(folder: &Folder) -> Local {
    let local = opened(folder).await;
    samples::seed(local.base_url(), local.operator_key()).await.unwrap();
    local
}

/// Every file of a folder with its bytes and its time of change.
fn files(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.clone(), (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap())))
        .collect()
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// All items of the table.
async fn items(local: &Local) -> Vec<platform::store::Item> {
    local.client().scan().table_name(TABLE).send().await.unwrap().items.unwrap()
}

/// The first item whose partition key starts like this and that has all these attributes.
async fn item(local: &Local, pk: &str, attributes: &[(&str, &str)]) -> platform::store::Item {
    let is_it = |item: &platform::store::Item| {
        let has = |(name, value): &(&str, &str)| item.get(*name) == Some(&text(value));
        item["pk"].as_s().unwrap().starts_with(pk) && attributes.iter().all(has)
    };
    items(local).await.into_iter().find(is_it).unwrap_or_else(|| panic!("no {pk} {attributes:?}"))
}

async fn put(local: &Local, item: platform::store::Item) {
    local.client().put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
}

async fn delete(local: &Local, pk: &str, sk: &str) {
    let delete = local.client().delete_item().table_name(TABLE).key("pk", text(pk)).key("sk", text(sk));
    delete.send().await.unwrap();
}

/// Changes attributes of an item.
async fn edit(local: &Local, mut item: platform::store::Item, changes: &[(&str, Option<AttributeValue>)]) {
    for (name, value) in changes {
        match value {
            Some(value) => item.insert((*name).to_owned(), value.clone()),
            None => item.remove(*name),
        };
    }
    put(local, item).await;
}

#[tokio::test]
async fn a_folder_in_use_and_after_the_stop_is_verified_and_not_written() {
    let folder = Folder::new();
    let local = seeded(&folder).await;
    assert!(is_in_use(&folder.0));
    // The courier may write meanwhile, so only the names are compared.
    let names = || files(&folder.0).into_keys().collect::<Vec<_>>();
    let before = names();
    let in_use = verify(&folder.0).await.unwrap();
    assert_eq!(names(), before);
    assert!(in_use.heads.len() > 5 && in_use.events > 5, "{in_use:?}");
    local.stop().await;
    assert!(!is_in_use(&folder.0));
    let before = files(&folder.0);
    let after = verify(&folder.0).await.unwrap();
    assert_eq!((&after.heads, &after.records), (&in_use.heads, &in_use.records));
    assert_eq!(lines(&verify(&folder.0).await.unwrap()), lines(&after));
    assert!(files(&folder.0) == before, "a file was written");
}

/// Root may write anywhere, so this also compares the files.
#[cfg(unix)]
#[tokio::test]
async fn a_read_only_folder_is_verified() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    seeded(&folder).await.stop().await;
    let set = |mode| fs::set_permissions(&folder.0, fs::Permissions::from_mode(mode)).unwrap();
    let before = files(&folder.0);
    for file in before.keys() {
        fs::set_permissions(file, fs::Permissions::from_mode(0o400)).unwrap();
    }
    set(0o500);
    let verified = verify(&folder.0).await;
    let after = files(&folder.0);
    set(0o700);
    verified.unwrap();
    assert!(after == before, "a file was written");
}

#[tokio::test]
async fn an_earlier_output_is_compared() {
    let (folder, earlier) = (Folder::new(), Folder::new());
    let local = seeded(&folder).await;
    let printed = lines(&verify(&folder.0).await.unwrap()).join("\n");
    fs::create_dir(&earlier.0).unwrap();
    let file = earlier.0.join("earlier.txt");
    fs::write(&file, &printed).unwrap();
    let audited = verify(&folder.0).await.unwrap();
    assert_eq!(compare(&audited, &file).unwrap(), audited.heads.len());

    // More events are no fault. An event that was replaced is one.
    let (record, head) = audited.heads.iter().find(|(_, head)| head.sequence > 0).unwrap();
    let mut longer = audited.clone();
    longer.heads.get_mut(record).unwrap().hashes.push([7; 32]);
    longer.heads.get_mut(record).unwrap().sequence += 1;
    compare(&longer, &file).unwrap();
    let last = usize::try_from(head.sequence).unwrap() - 1;
    longer.heads.get_mut(record).unwrap().hashes[last] = [8; 32];
    let lost = compare(&longer, &file).unwrap_err().to_string();
    assert!(lost.ends_with(&format!("{record}: event {} is not the one that it had", head.sequence)), "{lost}");

    delete(&local, "SUBSCRIPTION#public#fabrikam-1", "SUBSCRIPTION").await;
    delete(&local, "EVENTS#SUBSCRIPTION#public#fabrikam-1", "0000000001").await;
    let audited = verify(&folder.0).await.unwrap();
    let lost = compare(&audited, &file).unwrap_err().to_string();
    assert!(lost.ends_with("SUBSCRIPTION#public#fabrikam-1: it was deleted together with its events"), "{lost}");
    for wrong in ["", "other", &printed.replacen("head ", "head  ", 1)] {
        fs::write(&file, wrong).unwrap();
        assert!(matches!(compare(&audited, &file), Err(VerifyError::NotAnOutput(..))), "{wrong}");
    }
    local.stop().await;
}

/// Copies of a folder that are damaged.
struct Damages {
    /// The undamaged folder.
    original: Folder,
}

impl Damages {
    /// Changes the data in a copy of the folder. The output of `verify` must contain these texts.
    async fn edit(&self, what: &str, expected: &[&str], change: impl AsyncFnOnce(&Local)) {
        let folder = self.copy();
        let local = opened(&folder).await;
        change(&local).await;
        local.stop().await;
        self.verify(&folder, what, expected).await;
    }

    fn copy(&self) -> Folder {
        let folder = Folder::new();
        crate::data_dir::DataDir::open(&folder.0).unwrap();
        for file in files(&self.original.0).into_keys() {
            fs::copy(&file, folder.0.join(file.file_name().unwrap())).unwrap();
        }
        folder
    }

    async fn verify(&self, folder: &Folder, what: &str, expected: &[&str]) {
        let error = verify(&folder.0).await.expect_err(what).to_string();
        let error = error.replace(&folder.0.display().to_string(), "data");
        for expected in expected {
            assert!(error.contains(expected), "{what}: {error}");
        }
    }
}

#[tokio::test]
async fn ten_kinds_of_damage_are_reported() {
    let all = Damages { original: Folder::new() };
    seeded(&all.original).await.stop().await;
    let subscription = "SUBSCRIPTION#public#fabrikam-1";
    all.edit("1. another partner of record", &[subscription, "was changed"], async |local| {
        let other = item(local, "PARTNER#", &[("name", "Northwind")]).await["pk"].clone();
        edit(local, item(local, subscription, &[]).await, &[("gsi1pk", Some(other))]).await;
    })
    .await;
    all.edit("2. quantity 1 becomes 999999", &[subscription, "different from the events: quantity"], async |local| {
        edit(local, item(local, subscription, &[]).await, &[("quantity", Some(number(999_999)))]).await;
    })
    .await;
    all.edit("3. a partner's key becomes an operator's key", &["KEY#", "was changed"], async |local| {
        let changes = [("principal", Some(text("operator"))), ("principal_id", None), ("revoked_at", None)];
        edit(local, item(local, "KEY#", &[("principal", "partner")]).await, &changes).await;
    })
    .await;
    all.edit("4. a subscription is deleted, its event is not", &[subscription, "it was deleted"], async |local| {
        delete(local, subscription, "SUBSCRIPTION").await;
    })
    .await;
    all.edit("5. a partner is deleted with its events", &["PARTNER#", "it was deleted"], async |local| {
        for found in items(local).await {
            let pk = found["pk"].as_s().unwrap().as_str();
            if pk.starts_with("PARTNER#") || pk.starts_with("EVENTS#PARTNER#") {
                delete(local, pk, found["sk"].as_s().unwrap()).await;
            }
        }
    })
    .await;
    all.edit("6. a key is inserted with event_seq 0", &["KEY#key_x", "it was inserted"], async |local| {
        let no_events = [("event_seq", Some(number(0))), ("event_hash", Some(AttributeValue::B(vec![0; 32].into())))];
        let mut changes = vec![("pk", Some(text("KEY#key_x")))];
        changes.extend(no_events);
        edit(local, item(local, "KEY#", &[]).await, &changes).await;
    })
    .await;
    all.edit("7. an event is changed", &[subscription, "event 1 does not match its hash"], async |local| {
        let event = item(local, "EVENTS#SUBSCRIPTION#public#fabrikam-1", &[]).await;
        edit(local, event, &[("event_data", Some(text("{}")))]).await;
    })
    .await;
    all.edit("8. an invitation is opened again", &["RELATIONSHIP#", "open_invitation"], async |local| {
        let relationship = item(local, "CUSTOMER#", &[("relation", "active")]).await;
        let id = relationship["period"].clone();
        edit(local, relationship, &[("open_invitation", Some(id)), ("open_until", Some(number(9_999_999_999_999)))])
            .await;
    })
    .await;
    all.edit("9. the counter of invitations is reset", &["RELATIONSHIP#", "attribute invited_"], async |local| {
        let relationship = item(local, "CUSTOMER#", &[("relation", "active")]).await;
        let counter = relationship.keys().find(|name| name.starts_with("invited_")).unwrap().clone();
        edit(local, relationship, &[(counter.as_str(), Some(number(0)))]).await;
    })
    .await;
    let folder = all.copy();
    let file = DataDir::database_in(&folder.0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[4 * 4096..14 * 4096].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    all.verify(&folder, "10. garbage in pages 5 to 14", &["multipartner.db is damaged: "]).await;
}

#[tokio::test]
async fn a_folder_without_data_is_not_created_or_changed() {
    let folder = Folder::new();
    assert!(matches!(verify(&folder.0).await, Err(VerifyError::NoData(_))));
    assert!(!folder.0.exists());
    fs::create_dir(&folder.0).unwrap();
    fs::write(DataDir::database_in(&folder.0), "no database").unwrap();
    let error = verify(&folder.0).await.unwrap_err();
    assert!(matches!(error, VerifyError::Damaged { .. }), "{error}");
}
