//! The commands, compared with the routes and bodies of the API and with the documentation.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use serde_json::Value;

use crate::cli::Cli;

/// Routes that no command calls, and why.
const WITHOUT_COMMAND: &[(&str, &str)] = &[
    ("POST /v1/invitations/{invitation_id}/preview", "answers by link belong to the page"),
    ("POST /v1/invitations/{invitation_id}/accept", "answers by link belong to the page"),
    ("POST /v1/invitations/{invitation_id}/decline", "answers by link belong to the page"),
    ("POST /v1/customers/{tenant_id}/invitations/{invitation_id}/accept", "a person decides on the page"),
    ("POST /v1/customers/{tenant_id}/invitations/{invitation_id}/decline", "a person decides on the page"),
    ("POST /v1/partners/{partner_id}/subscriptions/batch", "`import` sends batches"),
    ("POST /v1/webhooks/{partner_id}/invitations", "`webhook send` takes any path"),
    ("POST /v1/webhooks/{partner_id}/subscriptions", "`webhook send` takes any path"),
    ("PUT /v1/partners/{partner_id}/subscriptions/{subscription_id}", "always rejected"),
    ("PATCH /v1/partners/{partner_id}/subscriptions/{subscription_id}", "always rejected"),
    ("DELETE /v1/partners/{partner_id}/subscriptions/{subscription_id}", "always rejected"),
    ("POST /v1/sign-in", "only for browsers; `sign-in check` checks it"),
    ("POST /v1/sessions", "only for browsers"),
    ("DELETE /v1/sessions/current", "only for browsers"),
    ("GET /openapi.json", "a document for programs"),
];

/// A command, the schema of its body, and the members of the body that are objects, with their schemas.
type CommandBody = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Bodies whose members are arguments.
const BODIES: &[CommandBody] = &[
    ("partner enroll", "PartnerRequest", &[]),
    ("partner correct", "PartnerCorrection", &[]),
    ("partner rotate-secret", "Rotation", &[]),
    ("customer register", "CustomerRequest", &[]),
    ("customer correct", "CustomerCorrection", &[]),
    ("key issue", "KeyRequest", &[("principal", "PrincipalRequest")]),
    ("invite", "InvitationRequest", &[("delegated_admin", "DelegatedAdminRequest")]),
    ("invitation renew", "RenewalRequest", &[("delegated_admin", "DelegatedAdminRequest")]),
    ("grant narrow", "NarrowingRequest", &[]),
    ("relationship import", "ImportRequest", &[]),
    ("subscription register", "RegistrationRequest", &[]),
    ("endpoint create", "EndpointRequest", &[]),
    ("endpoint change", "EndpointChange", &[]),
    ("endpoint resend", "ResendRequest", &[]),
    ("endpoint rotate", "Rotation", &[]),
];

/// Arguments with another name than the member, because that name is taken or the member has one value only.
const RENAMED: &[(&str, &str)] = &[
    ("endpoint create.url", "endpoint_url"),
    ("endpoint change.url", "endpoint_url"),
    ("grant narrow.auto_extend", "no_auto_extend"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The routes in the texts of the sources of commands.
fn called_routes() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands");
    let mut routes = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("tests.rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let texts = source.split('"').filter(|text| {
            ["GET /v1", "POST /v1", "PUT /v1", "PATCH /v1", "DELETE /v1"].iter().any(|start| text.starts_with(start))
        });
        routes.extend(texts.map(str::to_owned));
    }
    routes
}

#[test]
fn every_route_has_a_command_or_a_reason() {
    let called = called_routes();
    let excepted: BTreeSet<_> = WITHOUT_COMMAND.iter().map(|(route, _)| (*route).to_owned()).collect();
    let is_page = |key: &str| key.starts_with("HEAD ") || !key.contains(" /v1/") && key != "GET /openapi.json";
    let keys = local::functions::FUNCTIONS.iter().flat_map(|function| function.routes).map(|route| route.key);
    let routes: BTreeSet<_> = keys.filter(|key| !is_page(key)).map(str::to_owned).collect();
    let named: BTreeSet<_> = called.union(&excepted).cloned().collect();
    assert_eq!(routes.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new(), "routes without a command");
    assert_eq!(named.difference(&routes).collect::<Vec<_>>(), Vec::<&String>::new(), "calls of no route");
    assert_eq!(called.intersection(&excepted).collect::<Vec<_>>(), Vec::<&String>::new(), "called and excepted");
}

fn command(path: &str) -> clap::Command {
    let mut command = Cli::command();
    for name in path.split(' ') {
        command = command.find_subcommand(name).unwrap_or_else(|| panic!("no command {path}")).clone();
    }
    command
}

fn members(document: &Value, schema: &str) -> Vec<String> {
    let members = document["components"]["schemas"][schema]["properties"].as_object();
    members.unwrap_or_else(|| panic!("no schema {schema}")).keys().cloned().collect()
}

#[test]
fn arguments_have_the_names_of_the_members_of_the_body() {
    let document = fs::read_to_string(root().join("docs/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    for (path, schema, nested) in BODIES {
        let arguments: BTreeSet<_> =
            command(path).get_arguments().map(|argument| argument.get_id().to_string()).collect();
        let inner = |member: &str| nested.iter().find(|(name, _)| *name == member).map(|(_, schema)| *schema);
        for member in members(&document, schema) {
            let expected = inner(&member).map_or_else(|| vec![member.clone()], |schema| members(&document, schema));
            for name in expected {
                let renamed = RENAMED.iter().find(|(place, _)| *place == format!("{path}.{name}"));
                let name = renamed.map_or(name.as_str(), |(_, argument)| argument);
                assert!(arguments.contains(name), "`{path}` has no argument {name}: {arguments:?}");
            }
        }
    }
}

/// The commands that do something, with the names of their groups.
fn leaves(command: &clap::Command, group: &str) -> Vec<String> {
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    below
        .flat_map(|below| {
            let path = format!("{group} {}", below.get_name()).trim().to_owned();
            if below.has_subcommands() { leaves(below, &path) } else { vec![path] }
        })
        .collect()
}

#[test]
fn the_documentation_lists_every_command_and_exit_code() {
    let text = fs::read_to_string(root().join("docs/command-line.md")).unwrap();
    let leaves = leaves(&Cli::command(), "");
    let mut groups = BTreeSet::new();
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let name = row.split('|').nth(1).unwrap_or_default().trim().to_owned();
        assert!(groups.insert(name), "docs/command-line.md: a second row: {row}");
    }
    assert!(leaves.len() > 50, "{leaves:?}");
    for path in leaves {
        let (group, name) = path.rsplit_once(' ').unwrap_or(("", &path));
        let start = format!("| `{}` |", if group.is_empty() { name } else { group });
        let mut rows = text.lines().filter(|line| line.starts_with(&start));
        let is_listed = rows.any(|row| group.is_empty() || row.contains(&format!("`{name}`")));
        assert!(is_listed, "docs/command-line.md does not list `{path}`");
    }
    for (code, meaning) in crate::exit::CODES {
        assert!(text.contains(&format!("| {code} | {meaning} |")), "docs/command-line.md: exit code {code}");
    }
}

#[test]
fn only_the_connection_has_a_heading_in_the_help() {
    for path in leaves(&Cli::command(), "") {
        let command = command(&path);
        for argument in command.get_arguments() {
            let is_connection = ["url", "profile", "key_file"].contains(&argument.get_id().as_str());
            if argument.get_help_heading() == Some("Connection") {
                assert!(is_connection, "{path}: {}", argument.get_id());
            }
        }
    }
    assert!(command("events tail").get_arguments().all(|argument| argument.get_id() != "json"));
}

#[test]
fn every_command_has_help_and_misspellings_get_a_suggestion() {
    for path in leaves(&Cli::command(), "") {
        let command = command(&path);
        assert!(command.get_about().is_some(), "{path}");
    }
    for (line, suggestion) in [
        ("multipartner partnr list", "'partner'"),
        ("multipartner partner enrol", "'enroll'"),
        ("multipartner key issue --nmae x", "'--name'"),
        ("multipartner invitation list --state pendin", "'pending'"),
    ] {
        let error = Cli::command().try_get_matches_from(line.split(' ')).unwrap_err().to_string();
        assert!(error.contains(suggestion), "{line}: {error}");
    }
}

#[test]
fn a_key_is_no_argument() {
    for line in ["multipartner partner list --key mpk_x", "multipartner whoami mpk_x"] {
        let error = Cli::command().try_get_matches_from(line.split(' ')).unwrap_err().to_string();
        assert!(error.contains("unexpected argument"), "{line}: {error}");
    }
}
