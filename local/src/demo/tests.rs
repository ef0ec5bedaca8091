use aws_sdk_dynamodb::types::AttributeValue;

use super::ledger::{Ledger, Records};
use super::*;
use crate::output::Output;

#[tokio::test]
async fn every_guarantee_of_the_story_holds() {
    play(Output::to(Box::new(std::io::sink()))).await.unwrap();
}

fn records(of_contoso: &[&str]) -> Records {
    Records::from([("Contoso".to_owned(), of_contoso.iter().map(|record| (*record).to_owned()).collect())])
}

#[test]
fn the_ledger_sees_whatever_is_not_as_it_was() {
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
async fn what_does_not_hold_is_told_and_counted() {
    let mut stage = Stage::open(Output::to(Box::new(std::io::sink()))).await.unwrap();
    const CUT: &[Chapter] = &[
        Chapter { title: "", play: |stage| Box::pin(async move { stage.check("no", false) }) },
        Chapter {
            title: "",
            play: |stage| {
                Box::pin(async move {
                    let call = stage.cast.contoso.get("/partners");
                    stage.act("nothing is created here", call, 201).await.map(|_| ())
                })
            },
        },
        Chapter { title: "never played", play: |stage| Box::pin(async move { stage.check("no", false) }) },
    ];
    tell(&mut stage, CUT).await.unwrap();
    assert_eq!((stage.tally.held, stage.tally.broken), (2, 2), "each chapter's own end holds");
}

/// What no command can do: changes a subscription in the table.
async fn tamper(stage: &Stage) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let (client, table) = (stage.local().client(), stage.local().table());
    let change = client.update_item().table_name(table).key("sk", text("SUBSCRIPTION"));
    let change = change.key("pk", text("SUBSCRIPTION#public#fabrikam-office-365"));
    let change = change.update_expression("SET quantity = :more").condition_expression("attribute_exists(pk)");
    change.expression_attribute_values(":more", AttributeValue::N("26".into())).send().await.unwrap();
}

#[tokio::test]
async fn a_changed_subscription_is_seen() {
    const TAMPERED: &[Chapter] = &[
        Chapter { title: "", play: |stage| Box::pin(joining::first_partner(stage)) },
        Chapter {
            title: "",
            play: |stage| {
                Box::pin(async move {
                    tamper(stage).await;
                    joining::second_partner(stage).await
                })
            },
        },
    ];
    let mut stage = Stage::open(Output::to(Box::new(std::io::sink()))).await.unwrap();
    tell(&mut stage, TAMPERED).await.unwrap();
    assert_eq!(stage.tally.broken, 1);
}
