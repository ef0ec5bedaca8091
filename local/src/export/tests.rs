use platform::secrets::AccessKeyText;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::Api;
use crate::client::Address;
use crate::csv::Records;
use crate::{Local, Options, printable, samples, start};

fn client(local: &Local, key: &str) -> Client {
    let key = AccessKeyText::parse(key).unwrap();
    Client::new(Address::parse(local.base_url()).unwrap(), Some(&key)).unwrap()
}

async fn export(local: &Local, key: &str, what: What, format: Format) -> Result<String, ExportError> {
    let client = client(local, key);
    let export = Export { client: &client, retry: Retry { tries: 1, ..Retry::default() }, what, format, partner: None };
    let mut text = String::new();
    let count = export
        .run(|part| {
            text.push_str(part);
            Ok(())
        })
        .await?;
    let lines = if format == Format::Csv { count + 1 } else { count };
    let mut records = Records::new(text.as_bytes());
    if format == Format::Csv {
        assert_eq!(std::iter::from_fn(|| records.next_record().unwrap()).count() as u64, lines, "{text}");
    } else {
        assert_eq!(text.lines().count() as u64, lines, "{text}");
    }
    Ok(text)
}

#[tokio::test]
async fn each_caller_exports_its_own_records() {
    let local = start(Options::default()).await.unwrap();
    let samples = samples::seed(local.base_url(), local.operator_key()).await.unwrap();
    let operator = local.operator_key().expose_secret();
    let customers = export(&local, operator, What::Customers, Format::Csv).await.unwrap();
    assert!(customers.contains(&format!("{},Contoso,", samples.contoso.id)), "{customers}");
    let fabrikam = &samples.fabrikam;
    for key in [operator, &fabrikam.key, &samples.contoso.key] {
        let relationships = export(&local, key, What::Relationships, Format::Csv).await.unwrap();
        let line = format!("{},{}", fabrikam.id, samples.contoso.id);
        assert!(relationships.contains(&line) && relationships.contains(",active,"), "{relationships}");
        let grants = export(&local, key, What::Grants, Format::Csv).await.unwrap();
        assert!(grants.contains("helpdesk_administrator license_administrator"), "{grants}");
        let subscriptions = export(&local, key, What::Subscriptions, Format::Json).await.unwrap();
        let subscription: Value = serde_json::from_str(&subscriptions).unwrap();
        assert_eq!(subscription["subscription_id"], "FABRIKAM-1");
        let events = export(&local, key, What::Events, Format::Csv).await.unwrap();
        assert!(events.contains("subscription.registered"), "{events}");
        let relationships = export(&local, key, What::Relationships, Format::Json).await.unwrap();
        let first: Value = serde_json::from_str(relationships.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&first["partner_id"], &first["customer_tenant_id"]),
            (&json!(fabrikam.id), &json!(samples.contoso.id))
        );
    }
    let error = export(&local, &fabrikam.key, What::Customers, Format::Csv).await.unwrap_err();
    assert_eq!(error.to_string(), "customers are exported with the key of an operator");
}

#[tokio::test]
async fn an_export_has_every_page_and_no_formula() {
    let local = start(Options::default()).await.unwrap();
    let (operator, api) = (local.operator_key().expose_secret(), Api::new(local.base_url()).unwrap());
    for number in 0..205 {
        let tenant_id = format!("00000000-0000-4000-8000-{number:012}");
        let body =
            json!({"tenant_id": tenant_id, "name": format!("=1+{number}, \"Ltd\""), "cloud": "public", "market": "US"});
        assert_eq!(api.send(&Call::post("/v1/customers", &body).key(operator)).await.unwrap().status, 201);
    }
    let text = export(&local, operator, What::Customers, Format::Csv).await.unwrap();
    assert_eq!(text.lines().count(), 206);
    assert!(text.contains(",\"'=1+204, \"\"Ltd\"\"\","), "{text}");
}

#[test]
fn json_keeps_its_value_without_characters_that_control_a_terminal() {
    let raw: Box<RawValue> = serde_json::from_str("{\"name\":\"a\u{202E}b\u{E0001}\u{7F}\",\n \"n\":1}").unwrap();
    let line = json_row(&raw, &[("partner_id", "ptr_x".to_owned())]);
    assert_eq!(line, "{\"partner_id\":\"ptr_x\",\"name\":\"a\\u202eb\\udb40\\udc01\\u007f\",  \"n\":1}\n");
    let empty: Box<RawValue> = serde_json::from_str("{}").unwrap();
    assert_eq!(json_row(&empty, &[("a", "b".to_owned())]), "{\"a\":\"b\"}\n");
}

#[test]
fn fields_of_a_hostile_server_control_no_terminal() {
    let record = json!({"tenant_id": "\u{1b}]0;x\u{7}", "name": "a\u{202E}b\r\u{9b}", "created_at": ["a", "b"]});
    let raw: Box<RawValue> = serde_json::from_str(&record.to_string()).unwrap();
    let line = csv_row(What::Customers, &raw, &[]);
    assert!(!line.trim_end().contains(|c: char| c.is_control() || c == '\u{202E}'), "{line:?}");
    assert!(line.ends_with(",a b\r\n"), "{line:?}");
}

proptest! {
    #[test]
    fn an_escaped_document_has_the_same_value(text in any::<String>()) {
        let escaped = printable::json_line(&json!({ "a": text }).to_string());
        prop_assert_eq!(&serde_json::from_str::<Value>(&escaped).unwrap()["a"], &json!(text));
        let is_printable = !printable::text(&text).contains('\u{1b}');
        prop_assert!(is_printable);
        prop_assert!(!escaped.contains(char::is_control));
    }
}
