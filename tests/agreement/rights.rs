//! Least privilege: each function's role allows exactly the calls that the function makes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::calls::TABLE;
use crate::deployment::{Deployment, TEXT};
use crate::policy::{Call, Statement, like, of_functions, roles};
use crate::story;

/// Actions that AWS performs with a function's role, so that no handler calls them: the action, a pattern of its resource,
/// and the reason.
const DONE_BY_AWS: &[(&str, &str, &str)] = &[
    ("logs:CreateLogStream", "*:log-group:*", "each process writes its own stream"),
    ("logs:PutLogEvents", "*:log-group:*", "what the function writes to standard error"),
    ("dynamodb:DescribeStream", "*:table/Table/stream/*", "the mapping finds the stream's shards"),
    ("dynamodb:GetRecords", "*:table/Table/stream/*", "the mapping reads them"),
    ("dynamodb:GetShardIterator", "*:table/Table/stream/*", "the mapping continues where it stopped"),
    ("dynamodb:ListStreams", "*:table/Table/stream/*", "AWS rejects a mapping whose role lacks it"),
    ("sqs:SendMessage", "*:StreamDeadLetters", "the mapping reports records that it gave up"),
    ("sqs:ReceiveMessage", "*:WebhookQueue", "the mapping reads the queue"),
    ("sqs:DeleteMessage", "*:WebhookQueue", "the mapping deletes processed messages"),
    ("sqs:GetQueueAttributes", "*:WebhookQueue", "the mapping scales its readers"),
];

/// Actions without resource-level permissions, each with the reason why it is needed.
const WITHOUT_RESOURCE: &[(&str, &str)] =
    &[("dynamodb:ListStreams", "called before a stream is known; AWS's own policy allows all streams of the table")];

/// Every action that changes items.
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
async fn roles_allow_exactly_what_functions_do() {
    let policies = of_functions(&Deployment::read());
    let done = story::calls().await;
    let mut faults = Vec::new();
    for (function, calls) in done {
        for call in calls {
            if !policies[function].iter().any(|statement| statement.allows(call)) {
                faults.push(format!("the role of {function} does not allow {call:?}"));
            }
        }
    }
    let nothing = BTreeSet::new();
    for (function, statements) in &policies {
        let calls = done.get(function).unwrap_or(&nothing);
        for statement in statements {
            let unused = unused(statement, calls);
            faults.extend(unused.into_iter().map(|what| format!("{function} never uses {what}")));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Each action, resource and key pattern of a statement that no call needs.
fn unused(statement: &Statement, calls: &BTreeSet<Call>) -> Vec<String> {
    let mut unused = Vec::new();
    let any_key = vec!["*".to_owned()];
    for action in &statement.actions {
        for resource in statement.resources.iter().filter(|resource| !is_done_by_aws(action, resource)) {
            for key in statement.leading_keys.as_ref().unwrap_or(&any_key) {
                let needs = |call: &Call| {
                    let of_key = like(key, call.leading_key.as_deref().unwrap_or_default());
                    call.action == *action && call.resource == *resource && of_key
                };
                if !calls.iter().any(|call| needs(call) && statement.allows(call)) {
                    unused.push(format!("{} {action} {resource} {key}", statement.sid));
                }
            }
        }
    }
    unused
}

#[test]
fn unused_permissions_are_found_with_and_without_keys() {
    let queue = "arn:aws:sqs:eu-west-1:000000000000:WebhookQueue";
    let statement = |action: &str, resource: &str, key: Option<&str>| Statement {
        sid: "Any".into(),
        actions: vec![action.into()],
        resources: vec![resource.into()],
        leading_keys: key.map(|key| vec![key.to_owned()]),
        enclosing: None,
    };
    let call = |action: &str, resource: &str, key: Option<&str>| Call {
        action: action.into(),
        resource: resource.into(),
        leading_key: key.map(str::to_owned),
        enclosing: None,
    };
    let send = statement("sqs:SendMessage", queue, None);
    let get = statement("dynamodb:GetItem", TABLE, Some("KEY#*"));
    let done = BTreeSet::from([call("sqs:SendMessage", queue, None), call("dynamodb:GetItem", TABLE, Some("KEY#a"))]);
    for (statement, of_nothing, of_all) in [
        (send, 1, 0),
        (get, 1, 0),
        (statement("sqs:PurgeQueue", queue, None), 1, 1),
        (statement("dynamodb:GetItem", TABLE, Some("POISON#*")), 1, 1),
        (statement("sqs:ReceiveMessage", queue, None), 0, 0),
        (statement("sqs:SendMessage", &queue.replace("Webhook", "Other"), None), 1, 1),
    ] {
        let found = (unused(&statement, &BTreeSet::new()).len(), unused(&statement, &done).len());
        assert_eq!(found, (of_nothing, of_all), "{statement:?}");
    }
}

fn is_done_by_aws(action: &str, resource: &str) -> bool {
    DONE_BY_AWS.iter().any(|(known, of, _)| *known == action && like(of, resource))
}

#[test]
fn every_action_of_aws_is_allowed_in_some_role_and_has_a_reason() {
    let all: Vec<Statement> = of_functions(&Deployment::read()).into_values().flatten().collect();
    for (action, of, reason) in DONE_BY_AWS {
        let allowing = |statement: &&Statement| statement.actions.iter().any(|known| known == action);
        let resources = all.iter().filter(allowing).flat_map(|statement| &statement.resources);
        assert!(resources.into_iter().any(|resource| like(of, resource)), "no role allows {action} on {of}");
        assert!(!reason.is_empty());
    }
    for (action, reason) in WITHOUT_RESOURCE {
        assert!(
            !reason.is_empty() && all.iter().any(|statement| statement.actions.iter().any(|known| known == action))
        );
    }
}

#[test]
fn only_register_subscription_writes_subscriptions_and_only_by_a_put_in_a_transaction() {
    let mut allowed = Vec::new();
    for (role, statements) in roles(&Deployment::read()) {
        for action in WRITES {
            for enclosing in [None, Some("TransactWriteItems"), Some("BatchWriteItem"), Some("TransactGetItems")] {
                let call = Call {
                    action: format!("dynamodb:{action}"),
                    resource: TABLE.to_owned(),
                    leading_key: Some("SUBSCRIPTION#public#a".to_owned()),
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
fn no_role_allows_deleting_or_writing_outside_a_transaction() {
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
            let of_stream = statement.resources.iter().all(|resource| resource.contains(":table/Table/stream/"));
            let of_table = statement.actions.iter().any(|action| action.starts_with("dynamodb:")) && !of_stream;
            assert_eq!(statement.leading_keys.is_some(), of_table, "{role}: {statement:?}");
            for key in statement.leading_keys.iter().flatten() {
                let (kind, rest) = key.split_at(key.len() - 1);
                assert!(rest == "*" && kind.ends_with('#') && !kind.contains('*'), "{role}: {key}");
            }
            for action in &statement.actions {
                assert!(!action.contains(['*', '?']), "{role}: {action}");
                let excused = WITHOUT_RESOURCE.iter().any(|(known, reason)| known == action && !reason.is_empty());
                for resource in &statement.resources {
                    // The final `*` of a log group's ARN matches its streams.
                    let whole =
                        resource.strip_suffix(":*").filter(|log| log.contains(":log-group:")).unwrap_or(resource);
                    assert!(excused || !whole.contains('*'), "{role}: {action} on {resource}");
                }
            }
        }
    }
}

#[test]
fn each_function_has_its_own_role_without_managed_policies() {
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
        assert!(deployment.resource(log)["Properties"]["RetentionInDays"].is_number(), "{log} has no retention");
    }
}

#[test]
fn no_arn_contains_a_fixed_partition() {
    assert!(!TEXT.contains("arn:aws"), "use ${{AWS::Partition}} or the resource's own Arn");
}

/// `cargo test -p tests --test agreement policy_table -- --nocapture` prints the table.
#[test]
fn the_policy_table_has_a_row_for_each_statement_with_keys() {
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
fn the_schedules_may_only_invoke_their_functions() {
    let deployment = Deployment::read();
    let is_scheduled = |event: &Value| event["Type"] == "ScheduleV2";
    let functions = deployment.functions().into_iter();
    let scheduled = functions.filter(|function| function.events.values().any(is_scheduled));
    let arns: Vec<_> =
        scheduled.map(|function| format!("arn:aws:lambda:eu-west-1:000000000000:function:{}", function.id)).collect();
    let roles = roles(&deployment);
    let schedule = &roles["ScheduleRole"];
    assert_eq!((schedule.len(), arns.len()), (1, 2));
    assert_eq!((&schedule[0].actions, &schedule[0].resources), (&vec!["lambda:InvokeFunction".into()], &arns));
}

#[test]
fn only_the_own_account_may_assume_the_schedule_role() {
    let deployment = Deployment::read();
    let trusted = &deployment.resource("ScheduleRole")["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
    let bound = &trusted["Condition"]["StringEquals"]["aws:SourceAccount"];
    assert_eq!(*bound, Value::String("000000000000".into()));
}
