//! Least privilege: what each function's role allows against what the function really does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::calls::TABLE;
use crate::deployment::{Deployment, TEXT};
use crate::policy::{Call, Statement, like, of_functions, roles};
use crate::story;

/// Actions that the platform performs in a function's name, so that no handler is seen calling them.
const BY_THE_PLATFORM: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];

/// Actions that know no resource, each with the reason why it is needed. There is none.
const WITHOUT_RESOURCE: &[(&str, &str)] = &[];

/// Every action that changes items, whatever it is called.
const WRITES: &[&str] = &[
    "BatchWriteItem",
    "DeleteItem",
    "ImportTable",
    "PartiQLDelete",
    "PartiQLInsert",
    "PartiQLUpdate",
    "PutItem",
    "RestoreTableToPointInTime",
    "UpdateItem",
];

#[tokio::test]
async fn roles_allow_what_functions_do_and_nothing_else() {
    let policies = of_functions(&Deployment::read());
    let done = story::calls().await;
    let mut faults = Vec::new();
    for (function, calls) in &done {
        for call in calls {
            if !policies[function].iter().any(|statement| statement.allows(call)) {
                faults.push(format!("{function} may not do what it does: {call:?}"));
            }
        }
    }
    let nothing = BTreeSet::new();
    for (function, statements) in &policies {
        let calls = done.get(function).unwrap_or(&nothing);
        for statement in statements {
            let unused = unused(statement, calls);
            faults.extend(unused.into_iter().map(|what| format!("{function} may do what it never does: {what}")));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// What a statement allows and no call needs: each of its actions, with each of its resources and keys.
fn unused(statement: &Statement, calls: &BTreeSet<Call>) -> Vec<String> {
    let mut unused = Vec::new();
    for action in statement.actions.iter().filter(|action| !BY_THE_PLATFORM.contains(&action.as_str())) {
        for resource in &statement.resources {
            for key in statement.leading_keys.iter().flatten() {
                let needs =
                    |call: &Call| call.action == *action && call.resource == *resource && like(key, &call.leading_key);
                if !calls.iter().any(|call| needs(call) && statement.allows(call)) {
                    unused.push(format!("{} {action} {resource} {key}", statement.sid));
                }
            }
        }
    }
    unused
}

#[test]
fn only_registering_writes_subscriptions_and_only_by_a_put_in_a_transaction() {
    let mut allowed = Vec::new();
    for (role, statements) in roles(&Deployment::read()) {
        for action in WRITES {
            for enclosing in [None, Some("TransactWriteItems"), Some("BatchWriteItem"), Some("TransactGetItems")] {
                let call = Call {
                    action: format!("dynamodb:{action}"),
                    resource: TABLE.to_owned(),
                    leading_key: "SUBSCRIPTION#public#a".to_owned(),
                    enclosing: enclosing.map(str::to_owned),
                };
                if statements.iter().any(|statement| statement.allows(&call)) {
                    allowed.push((role.clone(), call.action, enclosing));
                }
            }
        }
    }
    let put = "dynamodb:PutItem".to_owned();
    assert_eq!(allowed, [("RegisterSubscriptionRole".to_owned(), put, Some("TransactWriteItems"))]);
}

#[test]
fn nobody_writes_outside_a_transaction_or_deletes_anything() {
    for (role, statements) in roles(&Deployment::read()) {
        for statement in statements {
            for action in &statement.actions {
                let name = action.strip_prefix("dynamodb:").unwrap_or_default();
                let writes = WRITES.contains(&name);
                let enclosed = statement.enclosing.as_deref() == Some(&["TransactWriteItems".to_owned()]);
                assert!(!writes || (enclosed && ["PutItem", "UpdateItem"].contains(&name)), "{role}: {statement:?}");
            }
        }
    }
}

#[test]
fn statements_name_actions_resources_and_keys() {
    for (role, statements) in roles(&Deployment::read()) {
        for statement in statements {
            let of_table = statement.actions.iter().any(|action| action.starts_with("dynamodb:"));
            assert_eq!(statement.leading_keys.is_some(), of_table, "{role}: {statement:?}");
            for key in statement.leading_keys.iter().flatten() {
                let (kind, rest) = key.split_at(key.len() - 1);
                assert!(rest == "*" && kind.ends_with('#') && !kind.contains('*'), "{role}: {key}");
            }
            for action in &statement.actions {
                assert!(!action.contains(['*', '?']), "{role}: {action}");
                let excused = WITHOUT_RESOURCE.iter().any(|(known, reason)| known == action && !reason.is_empty());
                for resource in &statement.resources {
                    // The one `*` of a log's own ARN stands for its streams.
                    let whole =
                        resource.strip_suffix(":*").filter(|log| log.contains(":log-group:")).unwrap_or(resource);
                    assert!(excused || !whole.contains('*'), "{role}: {action} on {resource}");
                }
            }
        }
    }
}

#[test]
fn each_function_has_a_role_of_its_own_without_managed_policies() {
    let deployment = Deployment::read();
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for function in deployment.functions() {
        let role = function.properties["Role"].as_str().expect("a role").to_owned();
        assert_eq!(owners.insert(role.clone(), function.id.clone()), None, "{role} is shared");
        for generated in ["Policies", "PermissionsBoundary", "AssumeRolePolicyDocument", "Connectors"] {
            assert!(!function.properties.contains_key(generated), "{}: {generated}", function.id);
        }
    }
    for (id, role) in deployment.resources("AWS::IAM::Role") {
        assert_eq!(role["Properties"].get("ManagedPolicyArns"), None, "{id}");
        let trusted = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"];
        let service = if id == "ScheduleRole" { "scheduler.amazonaws.com" } else { "lambda.amazonaws.com" };
        assert_eq!(trusted.as_array().map(Vec::len), Some(1), "{id}");
        assert_eq!(trusted[0]["Principal"], serde_json::json!({"Service": service}), "{id}");
    }
    for kind in ["AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::UserPolicy"] {
        assert_eq!(deployment.resources(kind).count(), 0);
    }
}

#[test]
fn each_function_writes_its_own_log() {
    let deployment = Deployment::read();
    let policies = of_functions(&deployment);
    for function in deployment.functions() {
        let log = function.properties["LoggingConfig"]["LogGroup"].as_str().expect("a log");
        let statement = policies[&function.name].iter().find(|statement| statement.sid == "Log").expect("a statement");
        assert_eq!(statement.resources, [format!("arn:aws:logs:eu-west-1:000000000000:log-group:{log}:*")]);
        assert_eq!(log, format!("{}Log", function.id));
        assert!(deployment.resource(log)["Properties"]["RetentionInDays"].is_number(), "{log} is kept for ever");
    }
}

#[test]
fn no_partition_is_written_out() {
    assert!(!TEXT.contains("arn:aws"), "say ${{AWS::Partition}}, or take the resource's own Arn");
}

/// `cargo test -p tests --test agreement policy_table -- --nocapture` shows who may do what.
#[test]
fn the_policy_table_can_be_shown() {
    let mut lines = Vec::new();
    for (function, statements) in of_functions(&Deployment::read()) {
        for statement in statements.iter().filter(|statement| statement.leading_keys.is_some()) {
            let action = statement.actions.join(", ").replace("dynamodb:", "");
            let index = statement.resources[0].rsplit_once("/index/").map_or("", |(_, index)| index);
            let keys = statement.leading_keys.clone().unwrap_or_default().join(" ");
            lines.push(format!("| {function} | {action} | {index} | {keys} |"));
        }
    }
    assert!(lines.len() > 20);
    println!("| function | action | index | partition keys |\n|---|---|---|---|\n{}", lines.join("\n"));
}

#[test]
fn the_schedule_may_call_its_function_and_nothing_else() {
    let roles = roles(&Deployment::read());
    let schedule = &roles["ScheduleRole"];
    let arn = "arn:aws:lambda:eu-west-1:000000000000:function:ExpireDue";
    assert_eq!(schedule.len(), 1);
    assert_eq!(
        (schedule[0].actions.clone(), schedule[0].resources.clone()),
        (vec!["lambda:InvokeFunction".into()], vec![arn.into()])
    );
}

#[test]
fn the_trust_of_the_schedule_is_bound_to_the_account() {
    let deployment = Deployment::read();
    let trusted = &deployment.resource("ScheduleRole")["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
    let bound = &trusted["Condition"]["StringEquals"]["aws:SourceAccount"];
    assert_eq!(*bound, Value::String("000000000000".into()));
}
