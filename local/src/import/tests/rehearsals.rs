use super::*;

#[tokio::test]
async fn a_rehearsal_says_what_the_import_then_does_and_changes_nothing() {
    let place = Place::new().await;
    place.import(Kind::Customers, &customers(1..=4)).await;
    place.import(Kind::Relationships, &relationships(&place.partner, [1])).await;
    place.import(Kind::Subscriptions, &subscriptions([(1, 1)])).await;
    let german = customers([7]).replace(",US", ",DE");
    place.import(Kind::Customers, &german).await;
    let nowhere = partner_of(&tenant(5));
    let files = [
        (Kind::Customers, customers([1, 5]) + &format!("{},Other,public,US\nx,y,public,US\n", tenant(2))),
        (
            Kind::Relationships,
            relationships(&place.partner, [1, 2, 6, 7, 999_999]) + &format!("{nowhere},{},2024-05-01\n", tenant(3)),
        ),
        (Kind::Subscriptions, subscriptions([(1, 1), (2, 1), (3, 4)])),
        (
            Kind::Invitations,
            format!("customer_tenant_id,roles,duration\n{},,\n{},helpdesk_administrator,P30D\n", tenant(1), tenant(3)),
        ),
    ];
    for (kind, text) in files {
        let events = place.events().await;
        let said = place.rehearse(kind, &text).await;
        assert_eq!(place.events().await, events);
        let lines: Vec<_> = said.iter().map(|row| row.line).collect();
        assert!(lines.is_sorted(), "{lines:?}");
        let expected: Vec<_> = said
            .iter()
            .map(|row| match row.outcome {
                Outcome::WouldCreate => (row.line, Outcome::Created, ""),
                Outcome::WouldFail => (row.line, Outcome::Failed, row.code.as_str()),
                outcome => (row.line, outcome, ""),
            })
            .collect();
        let rows = place.import(kind, &text).await;
        assert_eq!(outcomes(&rows), expected, "{kind} {said:?} {rows:?}");
        assert!(rows.iter().any(|row| row.outcome == Outcome::Created), "{kind}");
        assert!(rows.iter().any(|row| row.outcome == Outcome::Failed), "{kind}");
        // After the import, everything that did not fail exists.
        let after = place.rehearse(kind, &text).await;
        assert_eq!(count(&after, Outcome::WouldCreate), 0, "{kind} {after:?}");
    }
}

#[test]
fn a_row_is_one_sentence_for_a_person() {
    let row = Row::new(7, Outcome::WouldFail, "no customer has this tenant id").with_code("customer_unknown");
    assert_eq!(row.to_string(), "line 7: would_fail (customer_unknown): no customer has this tenant id");
    assert_eq!(Row::new(8, Outcome::WouldCreate, "").to_string(), "line 8: would_create");
}
