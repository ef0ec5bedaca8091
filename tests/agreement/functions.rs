//! The template's functions: their crates, their environment, and the defaults of parameters.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use local::functions::FUNCTIONS;
use platform::config::{Config, Needs};
use serde_json::{Value, json};
use tests::sample_events::JOBS;

use crate::deployment::{Deployment, Function, TEXT};

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
        assert_eq!(function.properties["LoggingConfig"]["LogFormat"], "JSON");
    }
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
        let needed = if needs.master_key { vec!["MASTER_KEY_1", "MASTER_KEY_2"] } else { Vec::new() };
        assert_eq!(secrets.iter().map(String::as_str).collect::<Vec<_>>(), needed, "{}", function.name);
    }
}

#[test]
fn master_keys_come_from_secrets_by_reference() {
    let names: BTreeSet<_> =
        Deployment::read().resources("AWS::SecretsManager::Secret").map(|(id, _)| id.to_owned()).collect();
    assert_eq!(names, BTreeSet::from(["MasterKey1".to_owned(), "MasterKey2".to_owned()]));
    for function in Deployment::read().functions() {
        let variables = variables(&function);
        if let Some(first) = variables.get("MASTER_KEY_1") {
            assert!(first.starts_with("{{resolve:secretsmanager:arn:aws:secretsmanager:"), "{first}");
            assert_eq!(variables["MASTER_KEY_2"], "", "a second key by default");
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
        ["/i/", "/v1/webhooks/", "/v1/invitations/"].iter().any(|prefix| path.starts_with(prefix))
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
