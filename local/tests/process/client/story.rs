//! Every command, in an order in which each succeeds.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use local::api::Call;
use serde_json::{Value, json};

use super::{Ended, Gateway, User};

const PARTNER: &str = "a0a0a0a0-0000-4000-8000-000000000001";
const CUSTOMERS: [&str; 3] = [
    "b0b0b0b0-0000-4000-8000-000000000001",
    "b0b0b0b0-0000-4000-8000-000000000002",
    "b0b0b0b0-0000-4000-8000-000000000003",
];

/// Commands that call no deployment, have tests of their own, or belong to other tests.
const ELSEWHERE: &[&str] = &[
    "serve",
    "demo",
    "verify",
    "dynamodb",
    "listen",
    "sign-in check",
    "keygen",
    "webhook",
    "import",
    "export",
    "events tail",
];

struct Story {
    gateway: Gateway,
    operator: User,
    partner: Option<User>,
    customer: Option<User>,
    played: BTreeSet<String>,
}

impl Story {
    fn note(&mut self, args: &[&str]) {
        self.played.insert(args[0].to_owned());
        if let Some(second) = args.get(1).filter(|second| !second.starts_with('-')) {
            self.played.insert(format!("{} {second}", args[0]));
        }
    }

    fn operator(&mut self, args: &[&str]) -> Ended {
        self.note(args);
        self.operator.done(args)
    }

    fn partner(&mut self, args: &[&str]) -> Ended {
        self.note(args);
        self.partner.as_ref().expect("a key").done(args)
    }

    fn customer(&mut self, args: &[&str]) -> Ended {
        self.note(args);
        self.customer.as_ref().expect("a key").done(args)
    }

    /// The document is that of the API, byte for byte.
    fn same(&self, user: &User, args: &[&str], path: &str) {
        let key = user.key.clone().expect("a key");
        let answer = self.gateway.api(&Call::get(path).key(&key));
        assert_eq!(answer.status, 200, "{path}");
        let printed = user.done(&[args, &["--json"]].concat()).out;
        assert_eq!(printed, format!("{}\n", String::from_utf8(answer.body).expect("UTF-8")), "{args:?}");
    }
}

fn document(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}: {document}"))
}

fn organizations(story: &mut Story) -> String {
    let file = story.operator.home.0.join("secret");
    let out = file.to_str().expect("a plain path").to_owned();
    fs::create_dir_all(&story.operator.home.0).expect("a folder");
    let details = ["--cloud", "public", "--market", "US"];
    let args = ["partner", "enroll", "--tenant-id", PARTNER, "--name", "Contoso", "--out", &out];
    let enrolled = story.operator(&[&args[..], &details].concat());
    assert!(!enrolled.out.contains("whsec_") && enrolled.err.contains(&out), "{enrolled:?}");
    assert!(fs::read_to_string(&file).expect("a file").starts_with("whsec_"));
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    let again = story.operator.run(&[&args[..], &details].concat());
    assert!(again.code == Some(2) && again.err.contains("cannot create"), "{again:?}");
    let id = enrolled.value("partner_id");
    for name in ["Fabrikam", "Northwind", "Tailspin"].iter().zip(CUSTOMERS) {
        let args = ["customer", "register", "--tenant-id", name.1, "--name", name.0];
        let registered = story.operator(&[&args[..], &details].concat());
        assert_eq!(registered.value("name"), *name.0);
    }
    let listed = story.operator(&["partner", "list"]);
    assert!(listed.out.starts_with("  partner_id") && listed.out.contains(&id), "{listed:?}");
    story.operator(&["partner", "show", &id]);
    let corrected = story.operator(&["partner", "correct", &id, "--domain", "contoso.example"]);
    assert_eq!(corrected.value("domain"), "contoso.example");
    assert!(!story.operator(&["partner", "correct", &id, "--no-domain"]).out.contains("contoso.example"));
    assert_eq!(story.operator(&["partner", "suspend", &id]).value("status"), "suspended");
    assert_eq!(story.operator(&["partner", "resume", &id]).value("status"), "active");
    let rotated = story.operator(&["partner", "rotate-secret", &id, "--grace-hours", "1"]);
    assert!(rotated.value("signing_secret").starts_with("whsec_"));
    story.operator(&["partner", "rotate-secret", &id, "--grace-hours", "0", "--yes"]);
    let page = story.operator(&["customer", "list", "--limit", "2"]);
    assert!(page.out.lines().count() == 3 && page.err.contains("--cursor "), "{page:?}");
    assert_eq!(story.operator(&["customer", "list", "--limit", "2", "--all"]).out.matches("b0b0b0b0").count(), 3);
    story.operator(&["customer", "show", CUSTOMERS[0]]);
    let corrected = story.operator(&["customer", "correct", CUSTOMERS[0], "--name", "Fabrikam Inc"]);
    assert_eq!(corrected.value("name"), "Fabrikam Inc");
    story.operator(&["customer", "end-sessions", CUSTOMERS[0], "--yes"]);
    id
}

fn keys(story: &mut Story, id: &str) -> String {
    let args =
        ["key", "issue", "--kind", "partner", "--id", id, "--roles", "sales_agent,global_admin", "--name", "one"];
    let repeat = ["--idempotency-key", "k1", "--json"];
    let issued = document(&story.operator(&[&args[..], &repeat].concat()));
    let again = story.operator(&[&args[..], &repeat].concat());
    assert!(document(&again) == issued && again.err.contains("done before"), "{again:?}");
    story.partner = Some(User::new(story.gateway.url(), text(&issued, "/key")));
    let args = [
        "key",
        "issue",
        "--kind",
        "customer",
        "--id",
        CUSTOMERS[0],
        "--roles",
        "global_admin",
        "--name",
        "two",
        "--json",
    ];
    let of_customer = document(&story.operator(&args));
    story.customer = Some(User::new(story.gateway.url(), text(&of_customer, "/key")));
    story.operator(&["key", "list", "--principal", "operator"]);
    let key_id = text(&issued, "/key_id").to_owned();
    assert_eq!(story.operator(&["key", "show", &key_id]).value("principal.id"), id);
    assert_eq!(story.partner(&["whoami"]).value("id"), id);
    key_id
}

/// Returns the id of a grant.
fn invitations(story: &mut Story, id: &str) -> String {
    let args = [
        "invite",
        "--customer-tenant-id",
        CUSTOMERS[0],
        "--roles",
        "global_reader,user_administrator",
        "--duration",
        "P30D",
        "--message",
        "Hello",
        "--json",
    ];
    let invited = document(&story.partner(&args));
    let invitation = text(&invited, "/invitation/invitation_id").to_owned();
    assert!(text(&invited, "/accept_url").contains("/i/inv_"));
    assert!(story.partner(&["invitation", "list", "--state", "pending"]).out.contains(&invitation));
    let renewed = story.partner(&["invitation", "renew", &invitation, "--no-message", "--yes"]);
    assert!(renewed.value("accept_url").contains('#') && renewed.value("message") == "-", "{renewed:?}");
    assert_eq!(story.partner(&["invitation", "show", &invitation]).value("state"), "pending");
    assert!(story.customer(&["invitation", "show", &invitation]).out.contains("requires_delegated_admin"));
    assert!(story.operator(&["invitation", "show", &invitation, "--partner-id", id]).out.contains(&invitation));
    let body = json!({"version": 2, "accepted_by": {"name": "Ada", "email": "ada@fabrikam.example"}, "delegated_admin": "as_requested"});
    let key = story.customer.as_ref().expect("a key").key.clone().expect("a key");
    let path = format!("/v1/customers/{}/invitations/{invitation}/accept", CUSTOMERS[0]);
    let accepted = story.gateway.api(&Call::post(path, &body).key(&key));
    assert_eq!(accepted.status, 200, "{}", accepted.json());
    let other = story.partner(&["invite", "--customer-tenant-id", CUSTOMERS[1]]).value("invitation_id");
    assert_eq!(story.partner(&["invitation", "cancel", &other, "--yes"]).value("state"), "cancelled");
    let erased = story.operator(&["invitation", "erase", &invitation, "--yes"]);
    assert!(!erased.out.contains("Ada"), "{erased:?}");
    accepted.text("/grant/grant_id").expect("a grant").to_owned()
}

fn grants(story: &mut Story, grant: &str) {
    assert!(story.partner(&["grant", "list", "--state", "active"]).out.contains(grant));
    assert!(story.customer(&["grant", "list"]).out.contains(grant));
    story.partner(&["grant", "show", grant]);
    let narrowed = story.customer(&["grant", "narrow", grant, "--roles", "global_reader", "--yes"]);
    assert_eq!(narrowed.value("roles"), "global_reader");
    assert_eq!(story.partner(&["grant", "end", grant, "--yes"]).value("state"), "ended");
}

fn relationships(story: &mut Story, id: &str) {
    assert!(story.partner(&["relationship", "list"]).out.contains(CUSTOMERS[0]));
    assert!(story.customer(&["relationship", "list"]).out.contains(id));
    story.partner(&["relationship", "show", "--tenant-id", CUSTOMERS[0]]);
    story.customer(&["relationship", "show", "--partner-id", id]);
    let pair = ["--partner-id", id, "--tenant-id", CUSTOMERS[2]];
    let args = ["relationship", "import", "--since", "2024-01-31T00:00:00Z", "--external-reference", "R1"];
    assert_eq!(story.operator(&[&args[..], &pair].concat()).value("external_reference"), "R1");
    let ended = story.operator(&[&["relationship", "end", "--yes"], &pair[..]].concat());
    assert_eq!(ended.value("state"), "ended");
}

fn subscriptions(story: &mut Story) {
    let args = [
        "subscription",
        "register",
        "--subscription-id",
        "sub-1",
        "--customer-tenant-id",
        CUSTOMERS[0],
        "--service",
        "azure",
        "--offer-id",
        "plan",
        "--quantity",
        "1",
        "--billing-cycle",
        "monthly",
        "--term",
        "P1M",
        "--started-on",
        "2026-01-31",
    ];
    assert_eq!(story.partner(&args).value("subscription_id"), "sub-1");
    assert!(story.partner(&args).err.contains("done before"));
    assert!(story.partner(&["subscription", "list"]).out.contains("sub-1"));
    assert!(story.customer(&["subscription", "list"]).out.contains("sub-1"));
    story.partner(&["subscription", "show", "sub-1"]);
    assert!(story.partner(&["events", "list", "--subject", "sub-1"]).out.contains("subscription.registered"));
    assert!(story.operator(&["events", "list", "--limit", "2"]).err.contains("--cursor "));
    // The feed has no events yet that can still be overtaken by others.
    story.operator(&["events", "list", "--after", ""]);
}

fn endpoints(story: &mut Story) {
    let create = ["endpoint", "create", "--endpoint-url", "http://127.0.0.1:9/", "--event-types", "grant.ended"];
    let created = story.partner(&create);
    assert!(created.value("signing_secret").starts_with("whsec_"));
    let id = created.value("endpoint_id");
    assert!(story.partner(&["endpoint", "list"]).out.contains(&id));
    story.partner(&["endpoint", "show", &id]);
    let changed = story.partner(&["endpoint", "change", &id, "--all-event-types", "--description", "Mine"]);
    assert_eq!((changed.value("event_types"), changed.value("description")), ("-".to_owned(), "Mine".to_owned()));
    assert_eq!(story.partner(&["endpoint", "test", &id]).value("purpose"), "challenge");
    assert!(story.partner(&["endpoint", "deliveries", &id]).out.contains("challenge"));
    assert_eq!(story.partner(&["endpoint", "resend", &id, "--since", "2026-01-01T00:00:00Z"]).value("resent"), "0");
    story.partner(&["endpoint", "rotate", &id, "--grace-hours", "1"]);
    assert_eq!(story.partner(&["endpoint", "disable", &id, "--yes"]).value("state"), "disabled");
    assert_eq!(story.partner(&["endpoint", "delete", &id, "--yes"]).value("state"), "deleted");
}

fn the_rest(story: &mut Story, id: &str, key_id: &str) {
    let policy = story.operator(&["policy"]);
    assert!(policy.out.contains("global_reader") && policy.value("limits.page_max") == "100", "{policy:?}");
    let opened = story.operator(&["open", "--partner-id", id]);
    assert_eq!(opened.out, format!("{}/p/{id}\n", story.gateway.url()));
    let opened = story.operator(&["open", "--tenant-id", CUSTOMERS[0]]);
    assert_eq!(opened.out, format!("{}/c/{}\n", story.gateway.url(), CUSTOMERS[0]));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(story.operator(&["completions", shell]).out.contains("rotate-secret"), "{shell}");
    }
    story.operator(&["profile", "set", "here", "--url", "http://127.0.0.1:1"]);
    assert!(story.operator(&["profile", "list"]).out.contains("http://127.0.0.1:1"));
    story.operator(&["profile", "remove", "here"]);
    assert!(story.operator(&["key", "revoke", key_id, "--yes"]).out.contains("revoked_at"));
}

fn documents(story: &Story, id: &str) {
    let (operator, partner) = (&story.operator, story.partner.as_ref().expect("a key"));
    for (user, args, path) in [
        (operator, &["partner", "list"][..], "/v1/partners".to_owned()),
        (operator, &["partner", "show", id], format!("/v1/partners/{id}")),
        (operator, &["customer", "show", CUSTOMERS[0]], format!("/v1/customers/{}", CUSTOMERS[0])),
        (operator, &["key", "list", "--limit", "1"], "/v1/keys?limit=1".to_owned()),
        (operator, &["policy"], "/v1/policy".to_owned()),
        (partner, &["whoami"], "/v1/me".to_owned()),
        (partner, &["invitation", "list"], format!("/v1/partners/{id}/invitations")),
        (partner, &["events", "list"], format!("/v1/partners/{id}/events")),
    ] {
        story.same(user, args, &path);
    }
}

/// The commands in `--help`.
fn commands(user: &User, group: &[&str]) -> Vec<String> {
    let help = user.done(&[group, &["--help"]].concat()).out;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_does_what_it_says() {
    let gateway = Gateway::start();
    let operator = User::new(gateway.url(), gateway.operator());
    let mut story = Story { gateway, operator, partner: None, customer: None, played: BTreeSet::new() };
    let id = organizations(&mut story);
    let key_id = keys(&mut story, &id);
    let grant = invitations(&mut story, &id);
    grants(&mut story, &grant);
    subscriptions(&mut story);
    relationships(&mut story, &id);
    endpoints(&mut story);
    documents(&story, &id);
    the_rest(&mut story, &id, &key_id);
    for group in commands(&story.operator, &[]) {
        let below = commands(&story.operator, &[&group]);
        let paths = if below.is_empty() {
            vec![group.clone()]
        } else {
            below.iter().map(|name| format!("{group} {name}")).collect()
        };
        for path in
            paths.iter().filter(|path| !ELSEWHERE.contains(&path.as_str()) && !ELSEWHERE.contains(&group.as_str()))
        {
            assert!(story.played.contains(path), "no test runs `{path}`");
        }
    }
}
