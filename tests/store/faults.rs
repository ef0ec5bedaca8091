//! Every command with every fault of the table at every position. Each case checks the exact response, the number of
//! requests to the table, and the effect of a retry afterwards.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tests::faults::{Fault, Record, TRANSACT};
use tests::{Answer, Call, SimOptions};

use crate::commands::{Again, COMMANDS, Command, Stage};

/// The response that the caller receives.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// Success, despite the fault.
    Success,
    /// An error with this status, code and `Retry-After`.
    Refused(u16, &'static str, Option<&'static str>),
}

const IN_PROGRESS: Expected = Expected::Refused(409, "idempotency_in_progress", Some("1"));
const CONTENTION: Expected = Expected::Refused(503, "contention", Some("1"));
const THROTTLED: Expected = Expected::Refused(503, "throttled", Some("2"));
const UNKNOWN: Expected = Expected::Refused(503, "outcome_unknown", Some("2"));
const INTERNAL: Expected = Expected::Refused(500, "internal", None);

/// The expected requests to the table: how many, and whether they share one token.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Attempts {
    /// At least this many requests, each with its own token.
    FreshAtLeast(usize),
    /// This many requests that are byte-for-byte identical, including the token. Later requests may differ.
    Exactly(usize),
    /// At least this many requests, all byte-for-byte identical, including the token.
    AtLeast(usize),
    Any,
}

/// Faults at one place in a command, and their expected result.
#[derive(Clone, Debug)]
struct Case {
    operation: &'static str,
    /// The first request of the operation that gets a fault, counted from 1.
    first: usize,
    /// The faults of consecutive requests.
    faults: Vec<Fault>,
    /// Whether the last fault repeats forever.
    forever: bool,
    expected: Expected,
    attempts: Attempts,
    /// Whether an event is committed, even if the response is an error.
    commits: bool,
}

/// The rows for writes in webhooks-reliability §2.5, for a transaction with this many writes. `commits` is false if a
/// condition fails.
fn write_cases(first: usize, writes: usize, commits: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |faults: Vec<Fault>, forever, expected, attempts| {
        let done = |fault: &Fault| matches!(fault, Fault::LostAfter | Fault::CutAfter | Fault::StalledAfter);
        let commits = expected == Expected::Success || commits && faults.iter().any(done);
        cases.push(Case { operation: TRANSACT, first, faults, forever, expected, attempts, commits });
    };
    for position in 0..writes {
        let at = |code| vec![Fault::Cancelled(vec![(position, code)])];
        let conflict = if position == 0 { IN_PROGRESS } else { CONTENTION };
        add(at("TransactionConflict"), true, conflict, Attempts::FreshAtLeast(10));
        for code in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
            add(at(code), true, THROTTLED, Attempts::Any);
            add(at(code), false, Expected::Success, Attempts::Any);
        }
        add(at("TransactionConflict"), false, Expected::Success, Attempts::Any);
        for code in ["ItemCollectionSizeLimitExceeded", "ValidationError", "DuplicateItem"] {
            add(at(code), true, INTERNAL, Attempts::Exactly(1));
        }
        if position > 0 {
            // If position 0 has a conflict, a concurrent copy of this request may cause failures at other positions.
            for code in ["ConditionalCheckFailed", "ThrottlingError", "ValidationError"] {
                let reasons = vec![(0, "TransactionConflict"), (position, code)];
                add(vec![Fault::Cancelled(reasons)], true, IN_PROGRESS, Attempts::FreshAtLeast(10));
            }
            let reasons = vec![(0, "ThrottlingError"), (position, "TransactionConflict")];
            add(vec![Fault::Cancelled(reasons)], true, THROTTLED, Attempts::Any);
        }
    }
    for code in ["ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"] {
        add(vec![Fault::Error(code)], true, THROTTLED, Attempts::AtLeast(4));
        add(vec![Fault::Error(code)], false, Expected::Success, Attempts::Exactly(2));
    }
    let unknown = [
        Fault::Error("TransactionInProgressException"),
        Fault::Error("InternalServerError"),
        Fault::Error("ServiceUnavailable"),
        Fault::Bare(500),
        Fault::Bare(503),
        Fault::LostBefore,
        Fault::StalledBefore,
        Fault::LostAfter,
        Fault::CutAfter,
        Fault::StalledAfter,
    ];
    for fault in unknown {
        add(vec![fault.clone()], true, UNKNOWN, Attempts::AtLeast(3));
        add(vec![fault], false, Expected::Success, Attempts::Exactly(2));
    }
    let fatal = [
        "IdempotentParameterMismatchException",
        "AccessDeniedException",
        "ResourceNotFoundException",
        "ValidationException",
        "UnknownException",
    ];
    for code in fatal {
        add(vec![Fault::Error(code)], true, INTERNAL, Attempts::Exactly(1));
    }
    let conflict = || Fault::Cancelled(vec![(0, "TransactionConflict")]);
    let elsewhere = || Fault::Cancelled(vec![(writes - 1, "TransactionConflict")]);
    for faults in [
        vec![Fault::LostAfter, conflict()],
        vec![Fault::StalledAfter, elsewhere()],
        vec![conflict(), Fault::LostAfter],
        vec![Fault::LostAfter, Fault::Error("ThrottlingException"), elsewhere()],
    ] {
        add(faults, false, Expected::Success, Attempts::Any);
    }
    cases
}

fn read_cases(operation: &'static str, first: usize) -> Vec<Case> {
    let case = |fault, forever, expected, attempts| {
        let faults = vec![fault];
        Case { operation, first, faults, forever, expected, attempts, commits: expected == Expected::Success }
    };
    let passing = [
        Fault::Error("ThrottlingException"),
        Fault::Error("ProvisionedThroughputExceededException"),
        Fault::Error("RequestLimitExceeded"),
        Fault::Error("InternalServerError"),
        Fault::Bare(503),
        Fault::LostBefore,
        Fault::CutAfter,
        Fault::StalledAfter,
    ];
    let mut cases: Vec<Case> = passing
        .into_iter()
        .flat_map(|fault| {
            [
                case(fault.clone(), true, THROTTLED, Attempts::Exactly(3)),
                case(fault, false, Expected::Success, Attempts::Exactly(2)),
            ]
        })
        .collect();
    for code in ["AccessDeniedException", "ResourceNotFoundException", "ValidationException", "UnknownException"] {
        cases.push(case(Fault::Error(code), true, INTERNAL, Attempts::Exactly(1)));
    }
    cases
}

impl Case {
    fn inject(&self, stage: &Stage) {
        let case = self.clone();
        stage.world.sim().faults.plan(move |seen| {
            let at = (seen.operation == case.operation).then(|| seen.number.checked_sub(case.first)).flatten()?;
            let last = case.faults.last().filter(|_| case.forever);
            case.faults.get(at).or(last).cloned()
        });
    }

    /// Checks the response, the number of committed events and the requests to the table.
    fn check(&self, command: &Command, answer: &Answer, records: &[Record]) {
        let what = format!("{}: {self:?}", command.name);
        let body = String::from_utf8_lossy(&answer.body);
        // A renewal that was written is found by its event, because renewing again would replace the link.
        let is_found = command.name == "renew" && self.commits && self.expected == UNKNOWN;
        match if is_found { Expected::Success } else { self.expected } {
            Expected::Success => assert!(matches!(answer.status, 200 | 201), "{what}: {} {body}", answer.status),
            Expected::Refused(status, code, retry_after) => {
                let seen = (answer.status, answer.code(), answer.header("retry-after"));
                assert_eq!(seen, (status, code.to_owned(), retry_after), "{what}: {body}");
                assert_eq!(answer.json()["retryable"], retry_after.is_some(), "{what}");
            }
        }
        let same: Vec<_> =
            records.iter().filter(|record| record.operation == self.operation).skip(self.first - 1).collect();
        let different = || same.iter().map(|record| record.request.to_string()).collect::<BTreeSet<_>>().len();
        let committed = committed_events(records);
        assert_eq!(committed, usize::from(self.commits), "{what}: {body}");
        let fits = match self.attempts {
            Attempts::FreshAtLeast(times) => same.len() >= times && different() == same.len(),
            Attempts::Exactly(times) => {
                same.len() >= times && same[..times].iter().all(|r| r.request == same[0].request)
            }
            Attempts::AtLeast(times) => same.len() >= times && different() == 1,
            Attempts::Any => true,
        };
        assert!(fits, "{what}: {} requests, {} different", same.len(), different());
    }
}

/// The number of committed events, regardless of the response to the caller.
pub fn committed_events(records: &[Record]) -> usize {
    let mut tokens = BTreeSet::new();
    let events = |record: &Record| {
        let writes = record.request["TransactItems"].as_array().into_iter().flatten();
        let of_event =
            |write: &&Value| write["Put"]["Item"]["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("EVENTS#"));
        writes.filter(of_event).count()
    };
    let committed = records.iter().filter(|record| record.operation == TRANSACT && record.done());
    committed.filter(|record| tokens.insert(record.request["ClientRequestToken"].to_string())).map(events).sum()
}

static CASES: AtomicUsize = AtomicUsize::new(0);

/// All items without the salts and the values that depend on them, because those differ between runs of the same command. Which
/// texts have a digest stays.
fn effect(stage: &Stage) -> Vec<Value> {
    let mut items = stage.world.sim().items();
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        item.remove("by_salt");
        item.remove("salt");
        item.remove("event_hash");
        let texts = item.get_mut("texts").and_then(|texts| texts["M"].as_object_mut());
        for (_, digest) in texts.into_iter().flatten() {
            let is_there = digest["B"].as_str().is_some_and(|base64| !base64.is_empty());
            *digest = is_there.into();
        }
        if let Some(data) = item.get_mut("event_data") {
            let mut parsed: Value = serde_json::from_str(data["S"].as_str().unwrap_or_default()).unwrap_or_default();
            let removed = parsed.as_object_mut().map(|data| ["accepted_by", "shown"].map(|name| data.remove(name)));
            if removed.is_some_and(|removed| removed.iter().any(Option::is_some)) {
                data["S"] = parsed.to_string().into();
            }
        }
    }
    items
}

/// Runs all cases of one command.
async fn survives(name: &str) {
    let command = COMMANDS.iter().find(|command| command.name == name).expect("the command exists");
    let stage = Stage::new(SimOptions::default()).await;
    let sim = stage.world.sim();
    // Warm up the caches: partners and keys are cached for 30 s, so reading them is not part of the command. Every case
    // starts at the same time, so that the caches stay warm.
    let start = stage.world.now();
    let call = (command.ready)(&stage).await;
    stage.world.send(&call).await.expect(command.status);
    let call = (command.ready)(&stage).await;
    let ready = sim.engine.snapshot();
    let before = effect(&stage);
    sim.faults.take();
    stage.world.send(&call).await.expect(command.status);
    let after = effect(&stage);
    let left = after.iter().filter(|item| !before.contains(item) && item["event_type"].is_object());
    assert_eq!(left.map(|item| &item["event_type"]["S"]).collect::<Vec<_>>(), [command.event], "{name}");

    let (with_effect, without): (Vec<_>, Vec<_>) =
        cases_of(&sim.faults.take()).into_iter().partition(|case| case.commits);
    let fails = async |case: &Case| {
        sim.clock.set(start);
        sim.faults.take();
        case.inject(&stage);
        let answer = stage.world.send(&call).await;
        sim.faults.none();
        case.check(command, &answer, &sim.faults.take());
        sim.clock.set(start);
    };
    for case in &with_effect {
        sim.engine.restore(&ready);
        fails(case).await;
        assert!(effect(&stage) == after, "{name}: {case:?}");
        converges(command, &stage, &call, &after, case).await;
    }
    // The cases without an effect run one after another on the same table. Afterwards the request takes effect as if it
    // were the first.
    sim.engine.restore(&ready);
    for case in &without {
        fails(case).await;
    }
    assert!(effect(&stage) == before, "{name}");
    stage.world.send(&call).await.expect(command.status);
    assert!(effect(&stage) == after, "{name}");
    let cases = with_effect.len() + without.len();
    println!("{name}: {cases} cases ({} in all)", CASES.fetch_add(cases, Ordering::SeqCst) + cases);
}

/// All cases of a command, given its requests to the table without faults.
fn cases_of(reference: &[Record]) -> Vec<Case> {
    assert_eq!(committed_events(reference), 1);
    let mut counts = std::collections::BTreeMap::new();
    let mut cases = Vec::new();
    for record in reference {
        let count = counts.entry(record.operation.as_str()).or_insert(0);
        *count += 1;
        match record.operation.as_str() {
            "GetItem" => cases.extend(read_cases("GetItem", *count)),
            "Query" => cases.extend(read_cases("Query", *count)),
            "BatchGetItem" => cases.extend(read_cases("BatchGetItem", *count)),
            TRANSACT => {
                let writes = record.request["TransactItems"].as_array().map_or(0, Vec::len);
                cases.extend(write_cases(*count, writes, record.done()));
            }
            other => panic!("{other} has no cases"),
        }
    }
    cases
}

/// Retries the request, and checks that it takes effect again only if the command allows it.
async fn converges(command: &Command, stage: &Stage, call: &Call, after: &[Value], case: &Case) {
    let again = stage.world.send(call).await;
    let what = || format!("{}: {case:?}: {}", command.name, String::from_utf8_lossy(&again.body));
    let expected = match command.again {
        Again::Same(status) => (status, ""),
        Again::Anew => (command.status, ""),
        Again::Refused(status, code) => (status, code),
    };
    assert_eq!((again.status, again.code().as_str()), expected, "{}", what());
    let events = committed_events(&stage.world.sim().faults.take());
    assert_eq!(events, usize::from(command.again == Again::Anew), "{}", what());
    assert!(command.again == Again::Anew || effect(stage) == after, "{}", what());
}

macro_rules! each_command {
    ($($test:ident $name:literal,)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $test() {
            survives($name).await;
        })*

        #[test]
        fn every_command_is_in_the_table() {
            let tested = [$($name,)*];
            assert_eq!(COMMANDS.iter().map(|command| command.name).collect::<Vec<_>>(), tested);
        }
    };
}

each_command! {
    create_survives_every_fault "create",
    create_by_webhook_survives_every_fault "create by webhook",
    create_of_kind_grant_survives_every_fault "create, kind grant",
    accept_survives_every_fault "accept",
    accept_with_a_grant_survives_every_fault "accept with a grant",
    accept_of_kind_grant_survives_every_fault "accept, kind grant",
    accept_by_key_survives_every_fault "accept by key",
    decline_survives_every_fault "decline",
    decline_by_key_survives_every_fault "decline by key",
    cancel_survives_every_fault "cancel",
    renew_survives_every_fault "renew",
    register_survives_every_fault "register",
    register_by_webhook_survives_every_fault "register by webhook",
    batch_with_a_repeat_survives_every_fault "batch with a repeat",
    batch_with_a_refused_one_survives_every_fault "batch with a refused one",
    import_survives_every_fault "import",
    import_with_an_open_invitation_survives_every_fault "import with an open invitation",
    erase_survives_every_fault "erase",
    erase_of_who_accepted_survives_every_fault "erase who accepted",
    end_by_partner_survives_every_fault "end by partner",
    end_by_customer_survives_every_fault "end by customer",
    narrow_grant_by_partner_survives_every_fault "narrow grant by partner",
    narrow_grant_by_customer_survives_every_fault "narrow grant by customer",
    end_grant_by_partner_survives_every_fault "end grant by partner",
    end_grant_by_customer_survives_every_fault "end grant by customer",
    register_customer_survives_every_fault "register customer",
    enrol_survives_every_fault "enrol",
    enrol_of_a_known_tenant_survives_every_fault "enrol a known tenant",
    rename_customer_survives_every_fault "rename customer",
    rename_partner_survives_every_fault "rename partner",
    suspend_survives_every_fault "suspend",
    resume_survives_every_fault "resume",
    rotate_survives_every_fault "rotate",
    issue_key_survives_every_fault "issue key",
    revoke_key_survives_every_fault "revoke key",
    create_endpoint_survives_every_fault "create endpoint",
    update_endpoint_survives_every_fault "update endpoint",
    move_endpoint_survives_every_fault "move endpoint",
    rotate_endpoint_survives_every_fault "rotate endpoint",
    delete_endpoint_survives_every_fault "delete endpoint",
}
