//! A grant expires, extends itself, or ends with its relationship. The job writes the matching events.

use std::collections::BTreeSet;

use domain::Timestamp;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Call, Customer, Partner, World};

use crate::common::{announced, audited, events_of, granted, run, shown};

/// The duration in days, automatic extension, and each notice with its day.
type Life = (u32, bool, &'static [(u32, &'static str)]);

/// Grants with different durations, and the notices that are due for each within 400 days.
const LIVES: [Life; 7] = [
    (40, false, &[(10, "expiring 30"), (33, "expiring 7"), (39, "expiring 1"), (40, "expired")]),
    (31, false, &[(1, "expiring 30"), (24, "expiring 7"), (30, "expiring 1"), (31, "expired")]),
    (30, false, &[(23, "expiring 7"), (29, "expiring 1"), (30, "expired")]),
    (2, false, &[(1, "expiring 1"), (2, "expired")]),
    (1, false, &[(1, "expired")]),
    (10, true, &[(10, "extended"), (190, "extended"), (370, "extended")]),
    (730, false, &[]),
];

/// Creates a grant for each entry of [`LIVES`], all starting now. Returns their ids.
async fn lives(world: &World) -> Vec<String> {
    let partner = world.partner().await;
    let mut grants = Vec::new();
    for (days, extends, _) in LIVES {
        let customer = world.customer().await;
        grants.push(granted(world, &partner, &customer, &format!("P{days}D"), extends).await);
    }
    grants
}

/// The notices of a grant: the day on which each was due, its text, and the day on which its event was written.
async fn announcements(world: &World, grant: &str) -> Vec<(u32, String, u32)> {
    // Every virtual clock starts at this time.
    let start = Timestamp::parse("2026-11-22T12:00:00.000Z").unwrap().millis();
    let day = |time: &Value| {
        let time = Timestamp::parse(time.as_str().unwrap()).unwrap();
        u32::try_from((time.millis() - start) / 86_400_000).unwrap()
    };
    let mut found = Vec::new();
    for event in events_of(world, grant).await {
        let (data, came) = (&event["data"], day(&event["occurred_at"]));
        found.push(match event["type"].as_str().unwrap() {
            "grant.expiring" => {
                let days = u32::try_from(data["days"].as_u64().unwrap()).unwrap();
                (day(&data["ends_at"]) - days, format!("expiring {days}"), came)
            }
            "grant.expired" => (day(&data["ended_at"]), "expired".to_owned(), came),
            "grant.extended" => {
                assert_eq!(day(&data["ends_at"]), day(&data["extended_at"]) + 180);
                (day(&data["extended_at"]), "extended".to_owned(), came)
            }
            _ => continue,
        });
    }
    found
}

#[tokio::test]
async fn each_notice_is_announced_once_on_its_day() {
    let Some(world) = World::with_clock().await else { return };
    let grants = lives(&world).await;
    let days: BTreeSet<_> = LIVES.iter().flat_map(|(_, _, expected)| expected.iter().map(|(day, _)| *day)).collect();
    let mut today = 0;
    for day in days {
        // One millisecond before the day, nothing is due.
        world.clock().advance_millis(i64::from(day - today) * 86_400_000 - 1);
        today = day;
        assert_eq!(announced(&world).await, 0);
        world.clock().advance_millis(1);
        join_all([announced(&world), announced(&world)]).await;
    }
    for ((days, extends, expected), grant) in LIVES.iter().zip(&grants) {
        let expected: Vec<_> = expected.iter().map(|(day, what)| (*day, (*what).to_owned(), *day)).collect();
        assert_eq!(announcements(&world, grant).await, expected, "{days} days, extends: {extends}");
    }
    audited(&world).await;
}

#[tokio::test]
async fn after_an_outage_one_run_announces_in_order_what_is_still_true() {
    let Some(world) = World::with_clock().await else { return };
    let grants = lives(&world).await;
    world.clock().advance_days(400);
    // After the end it is too late to say that a grant will end.
    let is_true = |what: &str| !what.starts_with("expiring");
    let all = LIVES.iter().flat_map(|(_, _, notices)| *notices).filter(|(_, what)| is_true(what)).count();
    let reports = join_all((0..3).map(|_| announced(&world))).await;
    assert_eq!(reports.iter().sum::<u64>(), all as u64, "{reports:?}");
    assert_eq!(announced(&world).await, 0);
    for ((days, extends, expected), grant) in LIVES.iter().zip(&grants) {
        let expected = expected.iter().filter(|(_, what)| is_true(what));
        let expected: Vec<_> = expected.map(|(day, what)| (*day, (*what).to_owned(), 400)).collect();
        assert_eq!(announcements(&world, grant).await, expected, "{days} days, extends: {extends}");
    }
    audited(&world).await;
}

#[tokio::test]
async fn notices_before_the_end_are_late_but_not_lost() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let grant = granted(&world, &partner, &customer, "P40D", false).await;
    world.clock().advance_millis(40 * 86_400_000 - 1);
    assert_eq!(announced(&world).await, 3);
    let late = [(10, "expiring 30"), (33, "expiring 7"), (39, "expiring 1")];
    let mut expected: Vec<_> = late.map(|(day, what)| (day, what.to_owned(), 39)).into();
    assert_eq!(announcements(&world, &grant).await, expected);
    world.clock().advance_millis(1);
    assert_eq!(announced(&world).await, 1);
    expected.push((40, "expired".to_owned(), 40));
    assert_eq!(announcements(&world, &grant).await, expected);
    audited(&world).await;
}

#[tokio::test]
async fn state_and_end_do_not_depend_on_the_job() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let plain = granted(&world, &partner, &customer, "P10D", false).await;
    let extends = granted(&world, &partner, &customer, "P10D", true).await;
    world.clock().advance_millis(10 * 86_400_000 - 1);
    for (millis, plain_state, extended_end) in [
        (0, "active", "2026-12-02T12:00:00.000Z"),
        (1, "expired", "2027-05-31T12:00:00.000Z"),
        (180 * 86_400_000 - 1, "expired", "2027-05-31T12:00:00.000Z"),
        (1, "expired", "2027-11-27T12:00:00.000Z"),
    ] {
        world.clock().advance_millis(millis);
        for told in [false, true] {
            let (first, second) = (shown(&world, &customer, &plain).await, shown(&world, &customer, &extends).await);
            let (first, second) = (first.unwrap(), second.unwrap());
            assert_eq!(
                (&first["state"], &first["ends_at"]),
                (&json!(plain_state), &json!("2026-12-02T12:00:00.000Z")),
                "{told}"
            );
            assert_eq!((&second["state"], &second["ends_at"]), (&json!("active"), &json!(extended_end)), "{told}");
            assert_eq!(second["auto_extend"], true);
            run(&world).await;
        }
    }
}

/// The job does not announce a grant that was ended, alone or with its relationship, and has no other effect.
#[tokio::test]
async fn an_ended_grant_is_not_announced() {
    for extends in [false, true] {
        let Some(world) = World::with_clock().await else { return };
        let (partner, customer, leaving) = (world.partner().await, world.customer().await, world.customer().await);
        let alone = granted(&world, &partner, &customer, "P40D", extends).await;
        let with_relationship = granted(&world, &partner, &leaving, "P40D", extends).await;
        world.clock().advance_days(5);
        world.send(&customer.call("DELETE", &format!("/grants/{alone}"))).await.expect(200);
        world.send(&leaving.end(&partner)).await.expect(200);
        world.clock().advance_days(500);
        let before = crate::common::seen(&world, &partner, &leaving).await;
        assert_eq!(announced(&world).await, 0);
        assert_eq!(run(&world).await, json!({"announced": 0, "skipped": 0, "unreadable": 0}), "nothing may remain due");
        assert_eq!(crate::common::seen(&world, &partner, &leaving).await, before);
        for grant in [alone, with_relationship] {
            assert_eq!(announcements(&world, &grant).await, []);
        }
    }
}

#[tokio::test]
async fn grants_are_suspended_while_their_partner_is() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (active, ended) = (
        granted(&world, &partner, &customer, "P100D", false).await,
        granted(&world, &partner, &customer, "P100D", false).await,
    );
    let expired = granted(&world, &partner, &customer, "P1D", false).await;
    world.send(&customer.call("DELETE", &format!("/grants/{ended}"))).await.expect(200);
    world.clock().advance_days(2);
    let states = async || {
        let mut states = Vec::new();
        for grant in [&active, &ended, &expired] {
            states.push(shown(&world, &customer, grant).await.unwrap()["state"].as_str().unwrap().to_owned());
        }
        states
    };
    assert_eq!(states().await, ["active", "ended", "expired"]);
    world.suspend(&partner).await;
    assert_eq!(states().await, ["suspended", "ended", "expired"]);
    world.operator(Call::new("POST", format!("/v1/partners/{}/resume", partner.partner_id))).await.expect(200);
    world.forget().await;
    assert_eq!(states().await, ["active", "ended", "expired"]);
    // The duration of a suspended grant keeps running.
    world.suspend(&partner).await;
    world.clock().advance_days(100);
    assert_eq!(states().await, ["expired", "ended", "expired"]);
}

/// The state and end of a grant, as a repeated `DELETE` from either side returns them. There is no other way to read a
/// grant of an earlier period.
async fn as_it_is(world: &World, partner: &Partner, customer: &Customer, grant: &str) -> (String, String) {
    let path = format!("/grants/{grant}");
    let mut seen = Vec::new();
    for call in [partner.call("DELETE", &path), customer.call("DELETE", &path)] {
        let grant = world.send(&call).await.expect(200)["grant"].clone();
        let text = |name: &str| grant[name].as_str().unwrap().to_owned();
        seen.push((text("state"), text("ends_at")));
    }
    assert_eq!(seen[0], seen[1]);
    seen.remove(0)
}

#[tokio::test]
async fn grants_of_an_earlier_period_keep_their_state_and_end() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let mut grants = Vec::new();
    // Three periods of 30 days. In each, one grant expires, one is ended, and one ends with the relationship.
    for end in ["2026-12-22", "2027-01-21", "2027-02-20"] {
        let expires = granted(&world, &partner, &customer, "P10D", false).await;
        let ended = granted(&world, &partner, &customer, "P100D", false).await;
        let with_relationship = granted(&world, &partner, &customer, "P100D", true).await;
        let expired_at = shown(&world, &customer, &expires).await.unwrap()["ends_at"].as_str().unwrap().to_owned();
        world.clock().advance_days(20);
        let answer = world.send(&partner.call("DELETE", &format!("/grants/{ended}"))).await.expect(200);
        let ended_at = answer["grant"]["ends_at"].as_str().unwrap().to_owned();
        world.clock().advance_days(10);
        world.send(&customer.end(&partner)).await.expect(200);
        grants.push((expires, "expired", expired_at));
        grants.push((ended, "ended", ended_at));
        grants.push((with_relationship, "ended", format!("{end}T12:00:00.000Z")));
        for (grant, state, at) in &grants[grants.len() - 3..] {
            let grant = shown(&world, &customer, grant).await.unwrap();
            assert_eq!((&grant["state"], &grant["ends_at"]), (&json!(state), &json!(at)), "in the latest period");
        }
    }
    world.relate(&partner, &customer).await;
    let now = granted(&world, &partner, &customer, "P100D", false).await;
    world.clock().advance_days(1);
    let before = world.table().await;
    for (grant, state, at) in grants {
        assert_eq!(as_it_is(&world, &partner, &customer, &grant).await, (state.to_owned(), at));
        assert_eq!(shown(&world, &customer, &grant).await, None, "grants of earlier periods are not listed");
    }
    assert_eq!(world.table().await, before);
    assert_eq!(shown(&world, &customer, &now).await.unwrap()["state"], "active");
}
