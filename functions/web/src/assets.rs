//! The files of the pages.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use platform::handler::{Anyone, Asset, Context, Nothing};
use platform::http_api::Problem;

use crate::text::{Kind, Sent};

macro_rules! files {
    ($($folder:literal: $($name:literal)+;)+) => {
        &[$($(($name, include_str!(concat!("../pages/", $folder, "/", $name)))),+),+]
    };
}

/// One folder per page, and one for what they share. A page also loads `shared.<language>.json`.
const FILES: &[(&str, &str)] = files! {
    "shared": "page.css" "rows.css" "page.js" "session.js" "roles.js" "roles.fr.json" "icon.svg" "shared.en.json" "shared.fr.json";
    "invitation": "invitation.js" "answer.js" "answer.css" "answer.en.json" "answer.fr.json";
    "signed-in": "signed-in.js" "signed-in.en.json" "signed-in.fr.json";
    "customer": "customer.js" "customer.en.json" "customer.fr.json";
    "partner": "partner.js" "invite.js" "partner.en.json" "partner.fr.json";
};

static SENT: LazyLock<BTreeMap<&str, Sent>> =
    LazyLock::new(|| FILES.iter().map(|(name, text)| (*name, Sent::new(text, Kind::from_name(name)))).collect());

pub(crate) async fn asset(context: Context, _: Anyone, _: Nothing) -> Result<Asset, Problem> {
    let name = context.request.path("file");
    let file = SENT.get(name).ok_or_else(Problem::not_found)?;
    let media = Kind::from_name(name).media();
    context.request.check_accept(media.split(';').next().unwrap_or_default())?;
    let headers = vec![
        ("content-type", media.to_owned()),
        // A browser keeps a file, and asks with its ETag whether it changed.
        ("cache-control", "no-cache".to_owned()),
        ("cross-origin-resource-policy", "same-origin".to_owned()),
    ];
    Ok(Asset(file.response(&context.request, headers)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, Value};

    use super::*;
    use crate::pages;

    /// What a page loads besides its own HTML, in each language. The customer's page loads the answer to an invitation only
    /// when the person opens one.
    fn loads(page: &str, language: &str) -> Vec<String> {
        let own: &[&str] = match page {
            "invitation" => &["session.js", "roles.js", "invitation.js", "answer.js", "answer.css", "answer.{}.json"],
            "signed-in" => &["session.js", "roles.js", "signed-in.js", "signed-in.{}.json"],
            "customer" => &["rows.css", "session.js", "roles.js", "customer.js", "customer.{}.json"],
            "partner" => &["rows.css", "roles.js", "partner.js", "invite.js", "partner.{}.json"],
            other => panic!("{other} has no list of files"),
        };
        let shared = ["page.css", "page.js", "icon.svg", "shared.{}.json"];
        // Every page can name directory roles. Their English words are in the policy.
        let roles: &[&str] = if language == "fr" { &["roles.fr.json"] } else { &[] };
        shared.iter().chain(own).chain(roles).map(|name| name.replace("{}", language)).collect()
    }

    #[test]
    fn a_browser_loads_at_most_30_kb_for_each_page_in_each_language() {
        for (page, html) in pages::all() {
            for language in ["en", "fr"] {
                let files = loads(page, language);
                let files = files.iter().map(|name| &SENT[name.as_str()]);
                let bytes = html.zipped_bytes() + files.clone().map(Sent::zipped_bytes).sum::<usize>();
                let plain = html.plain.len() + files.map(|file| file.plain.len()).sum::<usize>();
                println!("{page} {language}: {bytes} bytes, {plain} before gzip");
                assert!(bytes <= 30 * 1024, "{page} {language}: {bytes} bytes");
            }
        }
    }

    /// Imports and links are found in the text, so that the lists above can't go out of date.
    #[test]
    fn each_page_loads_what_the_size_counts() {
        for (page, html) in pages::all() {
            let mut found: BTreeSet<String> = mentioned(&html.plain);
            let mut scripts: Vec<String> = found.iter().filter(|name| name.ends_with(".js")).cloned().collect();
            while let Some(script) = scripts.pop() {
                for name in imported(&SENT[script.as_str()].plain) {
                    if found.insert(name.clone()) {
                        scripts.push(name);
                    }
                }
            }
            let counted: BTreeSet<String> =
                loads(page, "en").into_iter().filter(|name| !name.ends_with(".json")).collect();
            assert_eq!(found, counted, "{page}");
        }
    }

    fn mentioned(html: &str) -> BTreeSet<String> {
        html.split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    }

    /// Static imports only.
    fn imported(script: &str) -> Vec<String> {
        let imports = script.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from "));
        imports.filter_map(|line| line.split("'./").nth(1)?.split('\'').next()).map(str::to_owned).collect()
    }

    fn words(name: &str) -> Map<String, Value> {
        serde_json::from_str(&SENT[name].plain).unwrap_or_else(|fault| panic!("{name}: {fault}"))
    }

    #[test]
    fn both_languages_have_the_same_words_with_the_same_placeholders() {
        for page in ["shared", "answer", "signed-in", "customer", "partner"] {
            let (english, french) = (words(&format!("{page}.en.json")), words(&format!("{page}.fr.json")));
            let keys = |all: &Map<String, Value>| all.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(&english), keys(&french), "{page}");
            for (key, text) in &english {
                assert_eq!(shape(text), shape(&french[key]), "{page}: {key}");
            }
        }
    }

    /// The structure of a text, and its placeholders.
    fn shape(text: &Value) -> Value {
        match text {
            Value::String(text) => {
                let names: BTreeSet<&str> =
                    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
                assert!(!text.is_empty() && !text.contains('<'), "{text:?}");
                names.into_iter().collect()
            }
            Value::Array(parts) => parts.iter().map(shape).collect(),
            Value::Object(parts) => parts.iter().map(|(key, part)| (key.clone(), shape(part))).collect(),
            other => panic!("{other} is not a text"),
        }
    }

    #[test]
    fn every_role_of_the_policy_has_french_words() {
        let policy: Value = serde_json::from_str(include_str!("../../../shared/domain/policy.json")).unwrap();
        let french = words("roles.fr.json");
        // A version without roles has those of the version before.
        let versions = policy["versions"].as_array().unwrap().iter();
        let roles: Vec<_> = versions.filter_map(|version| version["roles"]["grant"].as_array()).flatten().collect();
        assert!(roles.len() >= french.len());
        for role in roles {
            let name = role["name"].as_str().unwrap();
            assert!(french.contains_key(name), "{name} has no French words");
        }
        assert!(french.values().all(|role| role.as_array().is_some_and(|parts| parts.len() == 2)));
    }

    /// The policy forbids inline code, so a page that had any would not work.
    #[test]
    fn no_page_has_inline_code_or_another_origin() {
        for (page, html) in pages::all() {
            let html = &html.plain;
            for forbidden in ["<style", "style=", " on", "http:", "https:", "javascript:"] {
                assert!(!html.contains(forbidden), "{page} contains {forbidden}");
            }
            assert_eq!(html.matches("<script").count(), html.matches("<script type=\"module\" src=\"/assets/").count());
        }
        for (name, file) in SENT.iter().filter(|(name, _)| name.ends_with(".js")) {
            for forbidden in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "localStorage"] {
                assert!(!file.plain.contains(forbidden), "{name} contains {forbidden}");
            }
        }
    }
}
