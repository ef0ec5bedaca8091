use aws_sdk_dynamodb::types::AttributeValue;

use super::ledger::{Ledger, Records};
use super::*;
use crate::output::Output;

#[tokio::test]
async fn every_guarantee_of_the_scenario_holds() {
    play(Output::to(Box::new(std::io::sink()))).await.unwrap();
}

fn records(of_contoso: &[&str]) -> Records {
    Records::from([("Contoso".to_owned(), of_contoso.iter().map(|record| (*record).to_owned()).collect())])
}

#[test]
fn the_ledger_finds_every_unexpected_difference() {
    let compare = |now: &[&str], may_add| {
        let mut ledger = Ledger::default();
        assert!(ledger.compare(records(&["b", "a"]), 2).is_empty());
        ledger.compare(records(now), may_add)
    };
    assert!(compare(&["b", "a"], 0).is_empty());
    assert!(compare(&["c", "b", "a"], 1).is_empty());
    for (now, may_add) in [
        (&["c", "b", "a"][..], 0),
        (&["b", "A"], 0),
        (&["b"], 0),
        (&[], 0),
        (&["a", "b"], 0),
        (&["d", "c", "b", "a"], 1),
    ] {
        assert!(!compare(now, may_add).is_empty(), "{now:?}");
    }
}

#[tokio::test]
async fn a_broken_guarantee_and_a_failed_step_are_counted() {
    let mut scenario = Scenario::open(Output::to(Box::new(std::io::sink()))).await.unwrap();
    const FAILING: &[Part] = &[
        Part { title: "", run: |s| Box::pin(async move { s.check("no", false) }) },
        Part {
            title: "",
            run: |s| {
                Box::pin(async move {
                    let call = s.parties.contoso.get("/partners");
                    s.step("a list does not return 201", call, 201).await.map(|_| ())
                })
            },
        },
        Part { title: "never run", run: |s| Box::pin(async move { s.check("no", false) }) },
    ];
    run(&mut scenario, FAILING).await.unwrap();
    assert_eq!((scenario.tally.held, scenario.tally.broken), (2, 2), "each part's common guarantee holds");
}

/// Changes a subscription in the table, which no command can do.
async fn tamper(scenario: &Scenario) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let (client, table) = (scenario.local().client(), scenario.local().table());
    let change = client.update_item().table_name(table).key("sk", text("SUBSCRIPTION"));
    let change = change.key("pk", text("SUBSCRIPTION#public#fabrikam-office-365"));
    let change = change.update_expression("SET quantity = :more").condition_expression("attribute_exists(pk)");
    change.expression_attribute_values(":more", AttributeValue::N("26".into())).send().await.unwrap();
}

#[tokio::test]
async fn a_changed_subscription_is_found() {
    const TAMPERED: &[Part] = &[
        Part { title: "", run: |s| Box::pin(joining::first_partner(s)) },
        Part {
            title: "",
            run: |s| {
                Box::pin(async move {
                    tamper(s).await;
                    joining::second_partner(s).await
                })
            },
        },
    ];
    let mut scenario = Scenario::open(Output::to(Box::new(std::io::sink()))).await.unwrap();
    run(&mut scenario, TAMPERED).await.unwrap();
    assert_eq!(scenario.tally.broken, 1);
}
