//! Whether each peer writes the same items as our functions, and rejects the same requests. Without this a comparison of times
//! would mean nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Run;
use crate::contender::Contender;
use crate::error::{BenchError, Result};
use crate::measure::log;
use crate::process::Process;
use crate::report::say;
use crate::supply::{Supply, invitation_body, link, subscription_body};

/// Attributes whose bytes differ between any two runs, or that only Multipartner computes. They must be there, and have the same
/// length.
const OPAQUE: [&str; 6] = ["event_hash", "state", "token_hash", "fingerprint", "by_salt", "salt"];
/// Members of an event's data that are digests with a random salt.
const DIGESTS: [&str; 2] = ["accepted_by", "shown"];

/// What a contender did.
struct Story {
    /// Status and code of each answer, in order.
    answers: Vec<String>,
    /// The items that it wrote, by key.
    items: BTreeMap<String, Value>,
}

pub fn run(run: &mut Run<'_>) -> Result<()> {
    let contenders = run.contenders.clone();
    let variables = run.direct()?;
    let log = log(&run.options.output);
    let mut first: Option<Story> = None;
    let mut differences = Vec::new();
    for contender in &contenders {
        let [Some(create), Some(accept), Some(register)] = contender.launches.each_ref() else { continue };
        let start = |launch| Process::start(launch, &variables, &log);
        let processes = [start(create)?, start(accept)?, start(register)?];
        let story = play(&mut run.supply, processes)?;
        match &first {
            None => first = Some(story),
            Some(first) => differences.extend(compare(contender, first, &story)),
        }
    }
    let Some(first) = first else { return Ok(()) };
    for line in &differences {
        say(&format!("differs: {line}"))?;
    }
    run.json.insert("parity".into(), json!({"differences": differences, "answers": first.answers}));
    if !differences.is_empty() {
        return Err(BenchError::NotTheSame(differences.len()));
    }
    say(&format!(
        "{} contenders wrote the same {} items and returned the same {} answers: {}",
        contenders.len(),
        first.items.len(),
        first.answers.len(),
        first.answers.join(", ")
    ))
}

/// Each command once, then what must be replayed or rejected. The processes are those for create, accept and register.
fn play(supply: &mut Supply, [mut create, mut accept, mut register]: [Process; 3]) -> Result<Story> {
    let (customer, stranger, partner) = (supply.customer()?, supply.customer()?, supply.partners[0].clone());
    let (key, other_key, subscription) = (supply.id("key"), supply.id("key"), supply.id("subscription"));
    let unknown = "c0c0c0c0-0000-4000-8000-ffffffffffff";
    let mut answers = Vec::new();
    let mut say = |process: &mut Process, what: &str, event: Vec<u8>| -> Result<Value> {
        let (status, body) = process.invoke(event)?.response()?;
        let code = body["code"].as_str().unwrap_or_default();
        answers.push(format!("{what} {status} {code}").trim_end().to_owned());
        Ok(body)
    };

    let events = supply.events.clone();
    let asked = invitation_body(&customer);
    let with_text = json!({"customer_tenant_id": customer, "delegated_admin": null, "external_reference": "4711"});
    let created = say(&mut create, "create", events.create(&partner, &key, &asked)?)?;
    let (invitation, token) = link(&created);
    say(&mut create, "create again", events.create(&partner, &key, &asked)?)?;
    say(&mut create, "create with the same key and other content", events.create(&partner, &key, &with_text)?)?;
    say(&mut create, "create with another key", events.create(&partner, &other_key, &asked)?)?;
    say(
        &mut create,
        "create for an unknown customer",
        events.create(&partner, &other_key, &invitation_body(unknown))?,
    )?;
    let registration = subscription_body(&subscription, &customer);
    say(&mut register, "register before acceptance", events.register(&partner, &registration)?)?;
    say(&mut accept, "accept with a wrong token", events.accept(&invitation, &"A".repeat(43))?)?;
    say(&mut accept, "accept", events.accept(&invitation, &token)?)?;
    say(&mut accept, "accept again", events.accept(&invitation, &token)?)?;
    say(&mut create, "create while active", events.create(&partner, &other_key, &asked)?)?;
    say(&mut register, "register", events.register(&partner, &registration)?)?;
    say(&mut register, "register again", events.register(&partner, &registration)?)?;
    let mut other = registration.clone();
    other["quantity"] = json!(2);
    say(&mut register, "register the same id with other content", events.register(&partner, &other)?)?;
    let of_stranger = subscription_body(&supply.id("subscription"), &stranger);
    say(&mut register, "register without a relationship", events.register(&partner, &of_stranger)?)?;
    let mut impostor = partner.clone();
    impostor.key = format!("mpk_{}", "A".repeat(43));
    say(&mut register, "register with an unknown key", events.register(&impostor, &registration)?)?;

    let ids = [(&customer, "CUSTOMER"), (&invitation, "INVITATION"), (&subscription, "SUBSCRIPTION")];
    Ok(Story { answers, items: items(supply, &ids)? })
}

/// The items about these ids. The ids are replaced by names, and what differs between runs by its kind.
fn items(supply: &mut Supply, ids: &[(&String, &str)]) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    for item in supply.engine.items()? {
        let key = format!(
            "{} / {}",
            item["pk"]["S"].as_str().unwrap_or_default(),
            item["sk"]["S"].as_str().unwrap_or_default()
        );
        if key.starts_with("TENANT#") || !ids.iter().any(|(id, _)| key.contains(id.as_str())) {
            continue;
        }
        let named = ids.iter().fold(item.to_string(), |text, (id, name)| text.replace(id.as_str(), name));
        let key = ids.iter().fold(key, |text, (id, name)| text.replace(id.as_str(), name));
        let mut item: Value = crate::error::json("an item", named.as_bytes())?;
        if let Value::Object(attributes) = &mut item {
            for (name, value) in attributes {
                *value = plain(name, value);
            }
        }
        found.insert(key, item);
    }
    Ok(found)
}

/// A value without what differs between two runs.
fn plain(name: &str, value: &Value) -> Value {
    if OPAQUE.contains(&name) {
        return json!(format!("{} characters of base64", value["B"].as_str().map_or(0, str::len)));
    }
    if name == "event_data" {
        let mut data: Value = serde_json::from_str(value["S"].as_str().unwrap_or_default()).unwrap_or_default();
        for digest in DIGESTS {
            if let Some(Value::String(text)) = data.get_mut(digest) {
                *text = format!("{} characters", text.len());
            }
        }
        for time in ["/expires_at", "/relationship/since"] {
            if let Some(text) = data.pointer_mut(time) {
                *text = json!(format!("{} characters", text.as_str().map_or(0, str::len)));
            }
        }
        return data;
    }
    match value["N"].as_str().or(value["S"].as_str()) {
        // Milliseconds since 1970.
        Some(text) if text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) => json!("a time"),
        // A shard follows from the id.
        Some(text)
            if name.ends_with("pk")
                && (text.starts_with("OUTBOX#") || text.starts_with("DUE#") || text.starts_with("OPERATOR#")) =>
        {
            json!(text.rsplit_once('#').map(|(family, _)| family))
        }
        Some(text) if name == "listed" => {
            json!(
                text.split('#')
                    .map(|part| if part.len() == 13 { "a time" } else { part })
                    .collect::<Vec<_>>()
                    .join("#")
            )
        }
        _ => value.clone(),
    }
}

fn compare(contender: &Contender, ours: &Story, theirs: &Story) -> Vec<String> {
    let mut found = Vec::new();
    for (our, their) in ours.answers.iter().zip(&theirs.answers).filter(|(our, their)| our != their) {
        found.push(format!("{}: {their}, expected {our}", contender.name));
    }
    let keys: BTreeSet<_> = ours.items.keys().chain(theirs.items.keys()).collect();
    for key in keys {
        let (our, their) = (ours.items.get(key), theirs.items.get(key));
        let (Some(Value::Object(our)), Some(Value::Object(their))) = (our, their) else {
            let who = if our.is_some() { "does not write" } else { "writes, and we do not:" };
            found.push(format!("{}: {who} {key}", contender.name));
            continue;
        };
        let names: BTreeSet<_> = our.keys().chain(their.keys()).collect();
        for name in names.into_iter().filter(|name| our.get(*name) != their.get(*name)) {
            let shown = |value: Option<&Value>| value.map_or("absent".to_owned(), Value::to_string);
            let (our, their) = (shown(our.get(name)), shown(their.get(name)));
            found.push(format!("{}: {key}: {name} is {their}, expected {our}", contender.name));
        }
    }
    found
}
