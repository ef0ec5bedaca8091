//! The reference: one page with an anchor for each operation, and no script.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use platform::http_api::Code;
use serde_json::Value;

use super::html::{code, escape, inline, markdown};
use super::operations::{OPERATIONS, TAGS};
use super::schema_html::{Schemas, definition, limits};

const STYLE: &str = include_str!("reference.css");

/// Writes the page.
pub fn page(document: &Value) -> String {
    let page = Page { document, schemas: Schemas(&document["components"]["schemas"]) };
    let (title, version) = (text(&document["info"]["title"]), text(&document["info"]["version"]));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title} reference</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<a class=\"skip\" href=\"#start\">Skip to content</a>\n<header><h1>{title}</h1><p>Version {version}. \
         <a href=\"/openapi.json\">OpenAPI document</a></p></header>\n{nav}<main id=\"start\">\n{main}</main>\n</body>\n\
         </html>\n",
        nav = page.navigation(),
        main = page.main(),
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// An anchor for a heading.
fn slug(name: &str) -> String {
    name.to_ascii_lowercase().replace(' ', "-")
}

fn pretty(value: &Value) -> String {
    let json = serde_json::to_string_pretty(value).expect("JSON");
    format!("<pre><code>{}</code></pre>\n", escape(&json))
}

struct Page<'a> {
    document: &'a Value,
    schemas: Schemas<'a>,
}

impl<'a> Page<'a> {
    fn operation(&self, key: &str) -> &'a Value {
        let (method, path) = key.split_once(' ').expect("a route key");
        &self.document["paths"][path][method.to_ascii_lowercase()]
    }

    /// Follows a reference into `components`.
    fn resolve(&self, part: &'a Value) -> &'a Value {
        match part["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
            Some(pointer) => self.document.pointer(pointer).expect("a component"),
            None => part,
        }
    }

    fn navigation(&self) -> String {
        let link = |id: &str, shown: &str| format!("<li><a href=\"#{id}\">{}</a></li>\n", escape(shown));
        let group = |tag: &super::operations::Tag| {
            let entries = OPERATIONS.iter().filter(|entry| entry.tag == tag.name);
            let links = entries.map(|entry| link(entry.id, text(&self.operation(entry.key)["summary"])));
            let links = links.collect::<String>();
            format!("<details><summary>{}</summary><ul>\n{links}</ul></details>\n", escape(tag.name))
        };
        let groups = TAGS.iter().map(group).collect::<String>();
        format!(
            "<nav aria-label=\"Contents\">\n<a href=\"#start\">Introduction</a>\n{groups}<a href=\"#webhooks\">Webhooks that we \
             send</a>\n<a href=\"#errors\">Errors</a>\n<a href=\"#objects\">Objects</a>\n</nav>\n"
        )
    }

    fn main(&self) -> String {
        let mut main = markdown(text(&self.document["info"]["description"]));
        for tag in TAGS {
            main.push_str(&heading(&slug(tag.name), tag.name, tag.description));
            let entries = OPERATIONS.iter().filter(|entry| entry.tag == tag.name);
            main.extend(entries.map(|entry| self.article(entry.id, entry.key)));
        }
        let main = main + &self.webhooks() + &errors();
        let objects = self.objects(&main);
        main + &objects
    }

    fn article(&self, id: &str, key: &str) -> String {
        let (method, path) = key.split_once(' ').expect("a route key");
        let operation = self.operation(key);
        let mut article = title(id, &escape(text(&operation["summary"])));
        article
            .push_str(&format!("<p class=\"route\"><span class=\"method\">{method}</span> {}</p>\n", breakable(path)));
        article.push_str(&markdown(text(&operation["description"])));
        article.push_str(&format!("<p class=\"access\">{}</p>\n", access(operation)));
        article.push_str(&self.parameters(operation));
        article.push_str(&self.request(operation));
        article.push_str(&self.successes(operation));
        article.push_str(&self.problems(operation));
        format!("<article id=\"{id}\">\n{article}</article>\n")
    }

    fn parameters(&self, operation: &'a Value) -> String {
        let all = operation["parameters"].as_array().into_iter().flatten();
        let rows: String = all.map(|parameter| self.parameter(self.resolve(parameter))).collect();
        if rows.is_empty() { rows } else { format!("<h4>Parameters</h4>\n<dl class=\"members\">\n{rows}</dl>\n") }
    }

    fn parameter(&self, parameter: &'a Value) -> String {
        let place = text(&parameter["in"]);
        let mark = if parameter["required"] == true { " <span class=\"required\">required</span>" } else { "" };
        let term = format!("{} <span class=\"type\">{place}</span>{mark}", code(text(&parameter["name"])));
        let limits = limits(self.schemas.resolve(&parameter["schema"]));
        definition(
            &term,
            &format!("{} <span class=\"limits\">{limits}</span>", inline(text(&parameter["description"]))),
        )
    }

    fn request(&self, operation: &'a Value) -> String {
        let body = &operation["requestBody"];
        let content = &body["content"]["application/json"];
        if content.is_null() {
            return String::new();
        }
        let optional = if body["required"] == true { "" } else { " <span class=\"type\">optional</span>" };
        let example = example("Example request", &content["example"]);
        format!("<h4>Request body{optional}</h4>\n{}{example}", self.schemas.members(&content["schema"]))
    }

    /// The successful responses. They all have the same content.
    fn successes(&self, operation: &'a Value) -> String {
        let responses = operation["responses"].as_object().into_iter().flatten();
        let successes = responses.filter(|(status, _)| status.starts_with(['2', '3']));
        let mut rows = String::new();
        let mut content = &Value::Null;
        for (status, response) in successes {
            let response = self.resolve(response);
            rows.push_str(&definition(&code(status), &self.success(response)));
            if let Some(json) = response["content"].get("application/json").filter(|json| json.get("example").is_some())
            {
                content = json;
            }
        }
        if rows.is_empty() {
            return rows;
        }
        let mut html = format!("<h4>Response</h4>\n<dl class=\"status\">\n{rows}</dl>\n");
        if !content.is_null() {
            html.push_str("<h4>Response body</h4>\n");
            html.push_str(&self.schemas.members(&content["schema"]));
            html.push_str(&example("Example response", &content["example"]));
        }
        html
    }

    fn success(&self, response: &'a Value) -> String {
        let headers = response["headers"].as_object().into_iter().flatten();
        let headers: Vec<_> = headers.map(|(name, _)| code(name)).collect();
        format!(
            "{} <span class=\"limits\">Headers: {}.</span>",
            inline(text(&response["description"])),
            headers.join(", ")
        )
    }

    fn problems(&self, operation: &'a Value) -> String {
        let responses = operation["responses"].as_object().into_iter().flatten();
        let rows: String = responses
            .filter_map(|(status, response)| {
                let schema = &self.resolve(response)["content"]["application/problem+json"]["schema"];
                let codes = self.schemas.resolve(schema)["allOf"][1]["properties"]["code"]["enum"].as_array()?;
                let codes = codes.iter().map(|one| format!("<a href=\"#error-{0}\"><code>{0}</code></a>", text(one)));
                Some(definition(&code(status), &codes.collect::<Vec<_>>().join(", ")))
            })
            .collect();
        format!("<h4>Errors</h4>\n<dl class=\"status\">\n{rows}</dl>\n")
    }

    fn webhooks(&self) -> String {
        let about = "Each message is a POST to your endpoint, signed as [Standard Webhooks](https://www.standardwebhooks.com) \
                     describes. Respond with 2xx within 15 seconds. A message that fails is retried, up to ten attempts in \
                     about three days. Messages can arrive twice and in any order: compare `webhook-id`.";
        let all = self.document["webhooks"].as_object().into_iter().flatten();
        let mut html = heading("webhooks", "Webhooks that we send", about);
        if let Some((_, first)) = self.document["webhooks"].as_object().and_then(|all| all.iter().next()) {
            html.push_str(&self.parameters(&first["post"]));
        }
        html.extend(all.map(|(name, webhook)| self.webhook(name, &webhook["post"])));
        html
    }

    fn webhook(&self, name: &str, message: &'a Value) -> String {
        let content = &message["requestBody"]["content"]["application/json"];
        let data = &content["schema"]["properties"]["data"]["properties"];
        let mut article = title(&format!("webhook-{name}"), &code(name));
        article.push_str(&markdown(text(&message["description"])));
        for (shown, schema) in [("Subject", &data["subject"]), ("Data", &data["data"])] {
            if schema["properties"].is_object() {
                article.push_str(&format!("<h4>{shown}</h4>\n{}", self.schemas.members(schema)));
            }
        }
        article.push_str(&example("Example message", &content["example"]));
        format!("<article id=\"webhook-{name}\">\n{article}</article>\n")
    }

    /// Every schema that the page links to, also from another schema.
    fn objects(&self, page: &str) -> String {
        let mut articles = BTreeMap::new();
        let mut linked: Vec<_> = schemas_in(page).map(str::to_owned).collect();
        while let Some(name) = linked.pop() {
            if let Entry::Vacant(vacant) = articles.entry(name) {
                let article = self.object(vacant.key());
                linked.extend(schemas_in(&article).map(str::to_owned));
                vacant.insert(article);
            }
        }
        let about = "Parts of requests, responses and messages that are used in several places.";
        heading("objects", "Objects", about) + &articles.into_values().collect::<String>()
    }

    fn object(&self, name: &str) -> String {
        let schema = &self.schemas.0[name];
        let about = if schema["properties"].is_object() {
            markdown(text(&schema["description"])) + &self.schemas.members(schema)
        } else {
            format!(
                "<p>{} <span class=\"type\">{}</span></p>\n",
                self.schemas.about(schema),
                self.schemas.type_of(schema)
            )
        };
        format!(
            "<article id=\"schema-{name}\">\n{}{about}</article>\n",
            title(&format!("schema-{name}"), &escape(name))
        )
    }
}

/// The schemas that HTML links to.
fn schemas_in(html: &str) -> impl Iterator<Item = &str> {
    html.split("href=\"#schema-").skip(1).filter_map(|rest| rest.split('"').next())
}

fn heading(id: &str, name: &str, about: &str) -> String {
    format!("<h2 id=\"{id}\">{}</h2>\n{}", escape(name), markdown(about))
}

fn title(id: &str, html: &str) -> String {
    format!("<h3><a href=\"#{id}\">{html}</a></h3>\n")
}

fn example(name: &str, value: &Value) -> String {
    format!("<details><summary>{name}</summary>\n{}</details>\n", pretty(value))
}

/// A path that can be broken after each slash.
fn breakable(path: &str) -> String {
    format!("<code>{}</code>", escape(path).replace('/', "/<wbr>"))
}

/// What a caller must send to be identified.
fn access(operation: &Value) -> &'static str {
    match operation["security"].as_array().and_then(|all| all.first()) {
        Some(scheme) if scheme.get("key").is_some() => "Send an access key.",
        Some(_) => "Send a signed webhook.",
        None => "No access key is needed.",
    }
}

fn errors() -> String {
    let about =
        "A rejected request returns `application/problem+json` with one of these codes. Program against `code`.";
    let row = |known: &Code| {
        let (name, status) = (known.name(), known.status());
        let retryable = if known.retryable() { ", retryable" } else { "" };
        let term = format!("<code>{name}</code> <span class=\"type\">{status}{retryable}</span>");
        let text = format!("{} {}", inline(known.meaning()), inline(known.remedy()));
        format!("<div id=\"error-{name}\"><dt>{term}</dt><dd>{text}</dd></div>\n")
    };
    let rows: String = Code::ALL.iter().map(row).collect();
    heading("errors", "Errors", about) + &format!("<dl>\n{rows}</dl>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page as it is committed.
    const PAGE: &str = include_str!("../../functions/web/src/reference.html");

    #[test]
    fn every_link_in_the_page_has_a_target() {
        for target in PAGE.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(PAGE.contains(&format!("id=\"{target}\"")), "{target}");
        }
    }

    #[test]
    fn every_operation_has_an_anchor_and_the_page_loads_nothing() {
        for entry in OPERATIONS {
            assert!(PAGE.contains(&format!("<article id=\"{}\">", entry.id)), "{}", entry.id);
        }
        for forbidden in ["<script", " style=", " src=", "@import", "url("] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
    }
}
