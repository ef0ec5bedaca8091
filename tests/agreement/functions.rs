//! The template's functions: their crates, their environment, and the defaults of parameters.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use local::functions::FUNCTIONS;
use platform::config::{Config, Needs};
use serde_json::{Value, json};
use tests::sample_events::JOBS;

use crate::deployment::{Deployment, Function, TEXT};
use crate::policy::of_functions;

/// The variables that Lambda sets for every function.
const OF_LAMBDA: &[&str] = &["AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

fn variables(function: &Function) -> BTreeMap<String, String> {
    let variables = function.properties["Environment"]["Variables"].as_object().expect("variables");
    variables.iter().map(|(name, value)| (name.clone(), value.as_str().expect("a string").to_owned())).collect()
}

/// The name of each function and job, and what it needs.
fn registry() -> BTreeMap<&'static str, Needs> {
    let functions = FUNCTIONS.iter().map(|function| (function.name, function.needs));
    functions.chain(JOBS).collect()
}

#[test]
fn template_folders_and_local_run_have_the_same_functions() {
    let from_template: BTreeSet<_> = Deployment::read().functions().into_iter().map(|function| function.name).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let folders: BTreeSet<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    assert_eq!(from_template, folders);
    assert_eq!(from_template, registry().keys().map(|name| (*name).to_owned()).collect());
}

#[test]
fn each_function_is_built_from_its_own_folder() {
    for function in Deployment::read().functions() {
        assert_eq!(function.properties["CodeUri"], format!("functions/{}/", function.name));
        assert_eq!(function.properties["Runtime"], "provided.al2023");
    }
}

/// Without a client for the table, a call of it would fail.
#[test]
fn a_function_has_no_client_for_the_table_exactly_if_it_has_no_right_to_call_it() {
    for (name, statements) in of_functions(&Deployment::read()) {
        let main = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../functions/{name}/src/main.rs"));
        let main = std::fs::read_to_string(main).expect("a program");
        let calls = statements.iter().flat_map(|one| &one.actions).any(|action| action.starts_with("dynamodb:"));
        assert_eq!(main.contains("main_without_table"), !calls, "{name}");
    }
}

/// With the levels, Lambda's own lines include each call's report: init duration, duration and memory.
#[test]
fn the_json_log_format_is_used_only_where_it_exists() {
    for (partition, format, level) in [
        ("aws", "JSON", Some("INFO")),
        ("aws-us-gov", "Text", None),
        ("aws-cn", "Text", None),
        ("aws-iso", "Text", None),
    ] {
        for function in Deployment::with(&[("AWS::Partition", partition)]).functions() {
            let logging = &function.properties["LoggingConfig"];
            assert_eq!(logging["LogFormat"], format, "{partition}: {}", function.name);
            // Lambda rejects levels with the text format.
            for name in ["ApplicationLogLevel", "SystemLogLevel"] {
                assert_eq!(logging.get(name).and_then(Value::as_str), level, "{partition}: {}", function.name);
            }
        }
    }
}

#[test]
fn functions_with_master_keys_can_encrypt_their_variables_with_an_own_key() {
    let arn = "arn:aws:kms:eu-west-1:000000000000:key/k";
    for (deployment, key) in [(Deployment::read(), None), (Deployment::with(&[("KmsKeyArn", arn)]), Some(arn))] {
        for function in deployment.functions() {
            let has_keys = variables(&function).contains_key("MASTER_KEY_1");
            let used = function.properties.get("KmsKeyArn").and_then(Value::as_str);
            assert_eq!(used, key.filter(|_| has_keys), "{}", function.name);
        }
    }
}

#[test]
fn concurrency_is_reserved_for_each_function_only_on_request() {
    for (reserved, expected) in [("0", None), ("7", Some(json!("7")))] {
        for function in Deployment::with(&[("ReservedConcurrency", reserved)]).functions() {
            assert_eq!(function.properties.get("ReservedConcurrentExecutions"), expected.as_ref(), "{}", function.name);
        }
    }
}

/// It waits for identity providers. An account that has no sign-in may be too small to reserve anything.
#[test]
fn signing_in_has_its_own_concurrency_if_it_is_set_up() {
    let set_up = ("SignInPublicClientId", "d0d0d0d0-0000-4000-8000-00000000000a");
    for (parameters, expected) in [
        (vec![], None),
        (vec![("ReservedConcurrency", "7")], Some("7")),
        (vec![set_up], Some("5")),
        (vec![set_up, ("ReservedConcurrency", "7"), ("SignInConcurrency", "3")], Some("3")),
        (vec![set_up, ("SignInConcurrency", "0")], None),
    ] {
        let functions = Deployment::with(&parameters).functions();
        let sign_in = functions.iter().find(|function| function.name == "sign-in").expect("the function");
        // The default is a number, and what is given is a text.
        let reserved = sign_in.properties.get("ReservedConcurrentExecutions").map(ToString::to_string);
        let reserved = reserved.as_deref().map(|number| number.trim_matches('"'));
        assert_eq!(reserved, expected, "{parameters:?}");
    }
}

/// A new account has ten concurrent executions for all functions together.
#[test]
fn webhooks_leave_most_of_a_new_accounts_concurrency_to_the_api() {
    let deployment = Deployment::with(&[("WebhookConcurrency", "9")]);
    let functions = deployment.functions();
    let queue = functions.iter().flat_map(|function| function.events.values()).find(|event| event["Type"] == "SQS");
    let limit = &queue.expect("a queue")["Properties"]["ScalingConfig"]["MaximumConcurrency"];
    assert_eq!(limit, "9");
    let default: u32 = deployment_default("WebhookConcurrency");
    assert!((2..=5).contains(&default), "{default}");
}

fn deployment_default(parameter: &str) -> u32 {
    Deployment::read().default_of(parameter).parse().expect("a number")
}

/// A second stack in the same account and Region would collide with a fixed name.
#[test]
fn nothing_has_a_fixed_name() {
    let deployment = Deployment::read();
    for (id, resource) in deployment.all_resources() {
        let properties = resource["Properties"].as_object().expect("properties");
        for name in ["Name", "FunctionName", "RoleName", "TableName", "QueueName", "LogGroupName", "AlarmName"] {
            // A metric filter names the log that it reads.
            let named = properties.get(name).filter(|_| resource["Type"] != "AWS::Logs::MetricFilter");
            assert_eq!(named, None, "{id}: {name}");
        }
    }
    let functions = deployment.functions();
    let schedules: Vec<_> =
        functions.iter().flat_map(|one| one.events.values()).filter(|event| event["Type"] == "ScheduleV2").collect();
    assert_eq!(schedules.len(), 2);
    for schedule in schedules {
        // Otherwise SAM names the schedule after its function and event.
        assert_eq!(schedule["Properties"]["OmitName"], true);
        assert_eq!(schedule["Properties"].get("Name"), None);
    }
}

#[test]
fn the_metrics_of_two_stacks_are_separate() {
    let namespaces = |stack: &str| -> BTreeSet<String> {
        let deployment = Deployment::with(&[("AWS::StackName", stack)]);
        let filters = deployment.resources("AWS::Logs::MetricFilter").map(|(_, filter)| filter.clone());
        let transformed =
            filters.map(|filter| filter["Properties"]["MetricTransformations"][0]["MetricNamespace"].clone());
        transformed.map(|namespace| namespace.as_str().expect("a namespace").to_owned()).collect()
    };
    assert_eq!(namespaces("one"), BTreeSet::from(["Multipartner/one".to_owned()]));
    assert_eq!(namespaces("two"), BTreeSet::from(["Multipartner/two".to_owned()]));
}

#[test]
fn functions_get_exactly_the_variables_that_they_read() {
    let registry = registry();
    for function in Deployment::read().functions() {
        let needs = registry[function.name.as_str()];
        let mut given = variables(&function);
        let names: BTreeSet<_> = given.keys().cloned().collect();
        given.extend(OF_LAMBDA.iter().map(|name| ((*name).to_owned(), "given by Lambda".to_owned())));
        // CloudFormation resolves the reference when it deploys.
        given
            .values_mut()
            .filter(|value| value.starts_with("{{resolve:secretsmanager:"))
            .for_each(|value| *value = "s".repeat(64));
        let read = RefCell::new(BTreeSet::new());
        let variable = |name: &str| {
            read.borrow_mut().insert(name.to_owned());
            given.get(name).cloned()
        };
        Config::read(variable, needs).unwrap_or_else(|error| panic!("{}: {error}", function.name));
        let from_template = |name: &String| !OF_LAMBDA.contains(&name.as_str()) && !name.starts_with("MASTER_KEY_");
        let read: BTreeSet<_> = read.into_inner().into_iter().filter(from_template).collect();
        let (secrets, names): (BTreeSet<_>, BTreeSet<_>) =
            names.into_iter().partition(|name| name.starts_with("MASTER_KEY_"));
        assert_eq!(names, read, "{}", function.name);
        let needed = if needs.master_key { vec!["MASTER_KEY_1", "MASTER_KEY_2", "MASTER_KEY_3"] } else { Vec::new() };
        assert_eq!(secrets.iter().map(String::as_str).collect::<Vec<_>>(), needed, "{}", function.name);
    }
}

#[test]
fn master_keys_come_from_secrets_by_reference() {
    let names: BTreeSet<_> =
        Deployment::read().resources("AWS::SecretsManager::Secret").map(|(id, _)| id.to_owned()).collect();
    assert_eq!(names, ["MasterKey1", "MasterKey2", "MasterKey3"].map(str::to_owned).into());
    for count in 1..=3 {
        let deployment = Deployment::with(&[("MasterKeys", &count.to_string())]);
        for function in deployment.functions() {
            // A key that was just added is known everywhere before it is used.
            let variables = variables(&function);
            let current = variables.get("CURRENT_MASTER_KEY").map(String::as_str);
            assert_eq!(current, variables.contains_key("MASTER_KEY_1").then_some("1"), "{}", function.name);
        }
        for number in 1..=3 {
            assert_eq!(deployment.creates(&format!("MasterKey{number}")), number <= count, "key {number} of {count}");
        }
        for function in deployment.functions() {
            let variables = variables(&function);
            for (number, value) in
                (1..=3).filter_map(|number| Some((number, variables.get(&format!("MASTER_KEY_{number}"))?)))
            {
                let reference = format!(
                    "{{{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:000000000000:secret:MasterKey{number}}}}}"
                );
                assert_eq!(*value, if number <= count { reference } else { String::new() }, "{}", function.name);
            }
        }
    }
    for (id, secret) in Deployment::read().resources("AWS::SecretsManager::Secret") {
        assert_eq!(secret["Properties"]["GenerateSecretString"]["PasswordLength"], 64, "{id}");
    }
}

#[test]
fn functions_have_time_to_report_a_timeout() {
    for function in Deployment::read().functions() {
        // A request's deadline is 8 s. The gateway waits 30 s.
        let timeout = function.properties["Timeout"].as_u64().expect("seconds");
        let has_routes = FUNCTIONS.iter().any(|known| known.name == function.name);
        assert!(timeout >= 10 && (!has_routes || timeout < 30), "{}: {timeout} s", function.name);
    }
}

#[test]
fn parameters_are_safe_by_default() {
    let deployment = Deployment::read();
    for (parameter, default) in [
        ("OperatorKeyHash", ""),
        ("PublicBaseUrl", ""),
        ("DynamoDbEndpoint", ""),
        ("SqsEndpoint", ""),
        // Otherwise endpoints could make functions call themselves.
        ("AllowLoopbackEndpoints", "false"),
        ("DeletionProtection", "true"),
        ("MasterKeys", "1"),
        ("CurrentMasterKey", "1"),
        ("TableName", ""),
        ("KmsKeyArn", ""),
        ("UseFipsEndpoints", "false"),
        ("Architecture", "arm64"),
    ] {
        assert_eq!(deployment.default_of(parameter), default, "{parameter}");
    }
}

#[test]
fn routes_without_a_key_have_a_lower_rate_limit() {
    let deployment = Deployment::read();
    let api = &deployment.resource("Api")["Properties"];
    let limit = |settings: &Value, name: &str| settings[name].as_u64().expect("a number");
    let usual = &api["DefaultRouteSettings"];
    let tight = api["RouteSettings"].as_object().expect("routes");
    let open = |route: &str| {
        let path = route.split_once(' ').map_or("", |(_, path)| path);
        // The operator's key is needed to erase.
        let open =
            ["/i/", "/c/", "/p/", "/signed-in/", "/v1/webhooks/", "/v1/invitations/", "/v1/sign-in", "/v1/sessions"];
        !path.ends_with("/erase") && open.iter().any(|prefix| path.starts_with(prefix))
    };
    let routes =
        FUNCTIONS.iter().flat_map(|function| function.routes).map(|route| route.key).filter(|route| open(route));
    assert_eq!(tight.keys().map(String::as_str).collect::<BTreeSet<_>>(), routes.collect());
    for (route, settings) in tight {
        for name in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
            assert!(limit(settings, name) < limit(usual, name), "{route}");
        }
    }
}

#[test]
fn the_access_log_contains_no_path_query_or_headers() {
    let deployment = Deployment::read();
    let settings = &deployment.resource("Api")["Properties"]["AccessLogSettings"];
    let format = settings["Format"].as_str().expect("a format");
    let said: Value = serde_json::from_str(format).expect("a JSON line");
    let said: BTreeSet<_> =
        said.as_object().expect("an object").values().map(|value| value.as_str().unwrap_or_default()).collect();
    for variable in ["$context.path", "$context.protocol", "$context.authorizer", "$context.identity.userAgent"] {
        assert!(!said.iter().any(|one| one.starts_with(variable)), "{variable}");
    }
    assert!(said.contains("$context.routeKey") && said.contains("$context.requestId"));
}

#[test]
fn every_route_belongs_to_the_api_and_uses_payload_format_2() {
    for function in Deployment::read().functions() {
        for (name, event) in &function.events {
            match event["Type"].as_str() {
                Some("HttpApi") => {
                    assert_eq!(event["Properties"]["ApiId"], "Api", "{name}");
                    assert_eq!(event["Properties"]["PayloadFormatVersion"], "2.0", "{name}");
                }
                Some("ScheduleV2") => {
                    assert_eq!(event["Properties"]["RoleArn"], json!("arn:aws:iam::000000000000:role/ScheduleRole"))
                }
                // `webhooks` checks the mappings.
                Some("DynamoDB" | "SQS") => {}
                other => panic!("{name}: {other:?}"),
            }
        }
    }
    assert!(TEXT.contains("StageName: $default"));
}

/// Cargo skips the tests of a crate with this line without a word.
#[test]
fn a_crate_whose_tests_do_not_run_has_none() {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let mut without = 0;
    for folder in std::fs::read_dir(functions).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        let library = manifest.split("[lib]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
        if library.lines().any(|line| line == "test = false") {
            without += 1;
            refuse_tests(&folder.join("src"));
        }
    }
    assert!(without > 0, "the line is still written so");
}

fn refuse_tests(folder: &Path) {
    for path in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            refuse_tests(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            let has_test = ["#[test]", "#[tokio::test"].iter().any(|mark| text.contains(mark));
            assert!(!has_test, "{}: remove `test = false` below [lib] in Cargo.toml", path.display());
        }
    }
}
