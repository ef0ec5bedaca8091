use super::*;

/// A tenant id with letters.
const LETTERS: &str = "abcdef00-0000-4000-8000-00000000000a";

#[tokio::test]
async fn a_partner_program_is_imported_in_order_and_a_second_run_changes_nothing() {
    let place = Place::new().await;
    let files = [
        (Kind::Customers, customers(1..=9)),
        (Kind::Relationships, relationships(&place.partner, 1..=9)),
        (Kind::Subscriptions, subscriptions((1..=200).map(|number| (number, number % 3 + 1)))),
    ];
    for (kind, text) in &files {
        let rows = place.import(*kind, text).await;
        assert_eq!(count(&rows, Outcome::Created), rows.len(), "{rows:?}");
    }
    let events = place.events().await;
    for (kind, text) in &files {
        let rows = place.import(*kind, text).await;
        assert_eq!(count(&rows, Outcome::Unchanged), text.lines().count() - 1, "{rows:?}");
        assert!(rows.iter().all(|row| row.message.is_empty()), "{rows:?}");
    }
    assert_eq!(place.events().await, events);
    assert_eq!(place.list(&format!("/v1/partners/{}/subscriptions", place.partner)).await.len(), 200);
    let relationships = place.list(&format!("/v1/partners/{}/customers", place.partner)).await;
    assert_eq!(relationships[0]["since"], "2024-05-01T00:00:00.000Z");
    assert_eq!((&relationships[0]["proof"], &relationships[0]["grants"]), (&json!("none"), &json!([])));
}

#[tokio::test]
async fn columns_come_in_any_order_and_values_are_tidied() {
    let place = Place::new().await;
    let upper = LETTERS.to_uppercase();
    let text = format!(
        "\u{FEFF}Market,CLOUD,name,tenant id,domain\r\n us , Public ,\" Contoso, \"\"Ltd\"\" \", {upper} ,Bücher.Example\r\n"
    );
    let rows = place.import(Kind::Customers, &text).await;
    assert_eq!(outcomes(&rows), [(2, Outcome::Created, "")]);
    let found = place.list("/v1/customers").await;
    let found = found.iter().find(|customer| customer["tenant_id"] == LETTERS).unwrap();
    assert_eq!(found["name"], "Contoso, \"Ltd\"");
    assert_eq!((&found["market"], &found["domain"]), (&json!("US"), &json!("xn--bcher-kva.example")));
}

#[tokio::test]
async fn invitations_get_links_and_the_same_links_again() {
    let place = Place::new().await;
    place.import(Kind::Customers, &customers(1..=2)).await;
    let text = format!(
        "customer_tenant_id,roles,duration,auto_extend,message,expires_in_days\n\
         {},helpdesk_administrator;license_administrator,P365D,false,\"Hello,\nplease accept\",60\n{},,,,,\n{},,,,,\n",
        tenant(1),
        tenant(2),
        tenant(3)
    );
    let rows = place.import(Kind::Invitations, &text).await;
    let expected = [(2, Outcome::Created, ""), (4, Outcome::Created, ""), (5, Outcome::Failed, "customer_unknown")];
    assert_eq!(outcomes(&rows), expected);
    let link = rows[0].link.as_ref().unwrap();
    assert!(link.accept_url.starts_with(place.local.base_url()) && link.expires_at.ends_with('Z'), "{link:?}");
    let again = place.import(Kind::Invitations, &text).await;
    assert_eq!(outcomes(&again)[..2], [(2, Outcome::Unchanged, ""), (4, Outcome::Unchanged, "")]);
    assert_eq!(again[0].link, rows[0].link);
    let invitations = place.list(&format!("/v1/partners/{}/invitations", place.partner)).await;
    assert_eq!(invitations.len(), 2);
    let asked = invitations.iter().find(|invitation| invitation["customer_tenant_id"] == tenant(1)).unwrap();
    assert_eq!(asked["delegated_admin"]["duration"], "P365D");
    assert_eq!(asked["message"], "Hello,\nplease accept");
}

#[tokio::test]
async fn each_line_that_fails_says_why_and_the_others_are_done() {
    let place = Place::new().await;
    place.import(Kind::Customers, &customers(1..=2)).await;
    place.import(Kind::Relationships, &relationships(&place.partner, [1])).await;
    let long = "x".repeat(200);
    let line = |id: &str, customer: u32, service: &str, quantity: &str| {
        format!("{id},{},{service},offer,{quantity},monthly,P1Y\n", tenant(customer))
    };
    let text = subscriptions([])
        + &line("a", 1, "office", "1")
        + &line("b", 1, &long, "1")
        + &line("c", 1, "office", "0")
        + &line("d", 1, "office", "1000000001")
        + &line("e", 2, "office", "1")
        + &line("f", 1, "office", "1");
    let rows = place.import(Kind::Subscriptions, &text).await;
    let expected = [
        (2, Outcome::Created, ""),
        (3, Outcome::Failed, "validation_failed"),
        (4, Outcome::Failed, "line_invalid"),
        (5, Outcome::Failed, "validation_failed"),
        (6, Outcome::Failed, "no_active_relationship"),
        (7, Outcome::Created, ""),
    ];
    assert_eq!(outcomes(&rows), expected);
    assert!(rows[1].message.starts_with("`service`: "), "{}", rows[1].message);
    assert!(rows[3].message.starts_with("`quantity`: "), "{}", rows[3].message);
    let changed =
        place.import(Kind::Subscriptions, &text.replace("a,", "A,").replace(",1,monthly", ",2,monthly")).await;
    assert_eq!(outcomes(&changed)[0], (2, Outcome::Failed, "subscription_exists"));
    let other = customers([1]).replace("Customer", "Other");
    assert_eq!(outcomes(&place.import(Kind::Customers, &other).await), [(2, Outcome::Failed, "tenant_exists")]);
    let later = relationships(&place.partner, [1]).replace("2024", "2025");
    let rows = place.import(Kind::Relationships, &later).await;
    assert_eq!(outcomes(&rows), [(2, Outcome::Unchanged, "")]);
    assert!(rows[0].message.contains("since 2024-05-01T00:00:00.000Z"), "{}", rows[0].message);
}

#[tokio::test]
async fn duplicate_lines_are_recognized() {
    let place = Place::new().await;
    let upper = LETTERS.to_uppercase();
    let lines = format!("{LETTERS},A,public,US\n {upper},\"A\",Public,us\n{upper},Other,public,US\n");
    let text = customers([]) + &lines;
    let rows = place.import(Kind::Customers, &text).await;
    let expected = [(2, Outcome::Created, ""), (3, Outcome::Duplicate, ""), (4, Outcome::Failed, "line_conflict")];
    assert_eq!(outcomes(&rows), expected);
    assert!(rows[1].message.contains("line 2") && rows[2].message.contains("line 2"), "{rows:?}");
}

#[tokio::test]
async fn the_key_of_another_role_is_one_error_and_nothing_is_sent() {
    let place = Place::new().await;
    let events = place.events().await;
    for (kind, other, text) in [
        (Kind::Customers, Kind::Invitations, customers(1..=3)),
        (Kind::Subscriptions, Kind::Customers, subscriptions([(1, 1)])),
    ] {
        let path = place.file("import.csv", &text);
        let (rows, stopped) = import(kind, &path, &place.server(other)).await;
        assert!(rows.is_empty(), "{rows:?}");
        let error = stopped.unwrap().to_string();
        assert!(error.contains("an operator") && error.contains("a partner"), "{error}");
    }
    let unknown = AccessKeyText::from_bytes(&[9; 32]);
    let path = place.file("import.csv", customers(1..=3));
    let server = server(place.local.base_url(), unknown.expose_secret());
    let (_, stopped) = import(Kind::Customers, &path, &server).await;
    assert!(matches!(stopped, Some(Stop::Refused(Refused::Client(crate::client::ClientError::Key(_))))), "{stopped:?}");
    assert_eq!(place.events().await, events);
}

#[tokio::test]
async fn a_role_that_may_not_write_stops_at_the_first_answer() {
    let place = Place::new().await;
    place.import(Kind::Customers, &customers(1..=100)).await;
    let principal = json!({"kind": "partner", "id": place.partner});
    let body = json!({"principal": principal, "roles": ["helpdesk_agent"], "name": "read"});
    let api = Api::new(place.local.base_url()).unwrap();
    let call = Call::post("/v1/keys", &body).key(place.local.operator_key().expose_secret());
    let key = api.send(&call).await.unwrap().text("/key").unwrap().to_owned();
    let path = place.file("import.csv", subscriptions((1..=100).map(|number| (number, number))));
    let (rows, stopped) = import(Kind::Subscriptions, &path, &server(place.local.base_url(), &key)).await;
    assert!(rows.is_empty(), "{rows:?}");
    assert!(stopped.unwrap().to_string().contains("role"));
}

#[tokio::test]
async fn an_export_is_imported_into_another_deployment() {
    let (place, other) = (Place::new().await, Place::new().await);
    let hostile = customers(1..=3) + &format!("{},\"=HYPERLINK(\"\"x\"\"), 'y\",public,US\n", tenant(4));
    place.import(Kind::Customers, &hostile).await;
    place.import(Kind::Relationships, &relationships(&place.partner, 1..=3)).await;
    place.import(Kind::Subscriptions, &subscriptions((1..=50).map(|number| (number, number % 3 + 1)))).await;
    for (kind, what) in [
        (Kind::Customers, crate::export::What::Customers),
        (Kind::Relationships, crate::export::What::Relationships),
        (Kind::Subscriptions, crate::export::What::Subscriptions),
    ] {
        let text = exported(&place, what).await;
        let rows = other.import(kind, &text).await;
        assert_eq!(rows.iter().filter(|row| row.outcome.is_failure()).count(), 0, "{rows:?}");
    }
    let comparable = async |place: &Place, path: String, left_out: &[&str]| {
        let mut items = place.list(&path).await;
        for item in &mut items {
            left_out.iter().for_each(|name| drop(item.as_object_mut().unwrap().remove(*name)));
        }
        items.sort_by_key(Value::to_string);
        items
    };
    for (path, left_out) in [
        ("/v1/customers".to_owned(), vec!["created_at"]),
        (format!("/v1/partners/{}/customers", partner_of(&tenant(999_999))), vec![]),
        (format!("/v1/partners/{}/subscriptions", place.partner), vec!["registered_at"]),
    ] {
        let (one, two) = (comparable(&place, path.clone(), &left_out).await, comparable(&other, path, &left_out).await);
        assert!(!one.is_empty());
        assert_eq!(one, two);
    }
}

async fn exported(place: &Place, what: crate::export::What) -> String {
    let key = AccessKeyText::parse(place.local.operator_key().expose_secret()).unwrap();
    let client = Client::new(Address::parse(place.local.base_url()).unwrap(), Some(&key)).unwrap();
    let format = crate::export::Format::Csv;
    let export = crate::export::Export { client: &client, retry: IMPATIENT, what, format, partner: None };
    let mut text = String::new();
    export
        .run(|part| {
            text.push_str(part);
            Ok(())
        })
        .await
        .unwrap();
    text
}
