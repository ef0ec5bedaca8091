//! The template as it would be deployed, with references and attributes resolved.

use serde_json::{Map, Value, json};

pub const TEXT: &str = include_str!("../../template.yaml");

pub struct Function {
    /// The logical id.
    pub id: String,
    /// The name of its binary and its crate.
    pub name: String,
    /// Its properties and those of `Globals`.
    pub properties: Map<String, Value>,
    pub events: Map<String, Value>,
}

/// The template, expanded with values for all parameters.
pub struct Deployment {
    document: Value,
}

impl Deployment {
    /// With the defaults of all parameters.
    pub fn read() -> Self {
        Self::with(&[])
    }

    /// With other values for some parameters. `AWS::Partition` and `AWS::StackName` can be set, too.
    pub fn with(values: &[(&str, &str)]) -> Self {
        let mut document = local::template::document().expect("a template");
        for (name, value) in values {
            let known = name.starts_with("AWS::") || document["Parameters"].get(name).is_some();
            assert!(known, "there is no parameter {name}");
            document["Parameters"][name]["Default"] = json!(value);
        }
        let expanded = expand(&document, &document);
        Self { document: expanded }
    }

    /// The descriptions of the rules that these values break.
    pub fn broken_rules(&self) -> Vec<&str> {
        let rules = self.document["Rules"].as_object().expect("rules").values();
        let assertions = rules.flat_map(|rule| rule["Assertions"].as_array().expect("assertions"));
        let broken = assertions.filter(|assertion| assertion["Assert"] != true);
        broken.map(|assertion| assertion["AssertDescription"].as_str().expect("a description")).collect()
    }

    /// Whether the resource is created.
    pub fn creates(&self, id: &str) -> bool {
        let condition = self.document["Resources"][id].get("Condition").and_then(Value::as_str);
        condition.is_none_or(|condition| self.document["Conditions"][condition] == true)
    }

    pub fn output(&self, name: &str) -> &Value {
        &self.document["Outputs"][name]["Value"]
    }

    pub fn default_of(&self, parameter: &str) -> String {
        match &self.document["Parameters"][parameter]["Default"] {
            Value::String(text) => text.clone(),
            Value::Null => panic!("{parameter} has no default"),
            other => other.to_string(),
        }
    }

    /// The resources of a type, by logical id.
    pub fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let all = self.document["Resources"].as_object().expect("resources");
        all.iter().filter(move |(_, resource)| resource["Type"] == kind).map(|(id, resource)| (id.as_str(), resource))
    }

    /// Every resource, by logical id.
    pub fn all_resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.document["Resources"].as_object().expect("resources").iter().map(|(id, resource)| (id.as_str(), resource))
    }

    pub fn resource(&self, id: &str) -> &Value {
        &self.document["Resources"][id]
    }

    /// Every function, sorted by logical id.
    pub fn functions(&self) -> Vec<Function> {
        let globals = self.document["Globals"]["Function"].as_object().expect("globals");
        let mut functions: Vec<_> =
            self.resources("AWS::Serverless::Function").map(|(id, r)| function(id, r, globals)).collect();
        functions.sort_by(|a, b| a.id.cmp(&b.id));
        functions
    }
}

fn function(id: &str, resource: &Value, globals: &Map<String, Value>) -> Function {
    let name = resource["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary").to_owned();
    let own = resource["Properties"].as_object().expect("properties");
    let mut properties = globals.clone();
    for (key, value) in own {
        match properties.get_mut(key) {
            // SAM merges maps. Everything else replaces the global value.
            Some(Value::Object(merged)) if key == "LoggingConfig" => {
                merged.extend(value.as_object().expect("a map").clone());
            }
            Some(Value::Object(_)) if key == "Environment" => {
                let added = value["Variables"].as_object().expect("variables").clone();
                properties["Environment"]["Variables"].as_object_mut().expect("variables").extend(added);
            }
            _ => drop(properties.insert(key.clone(), value.clone())),
        }
    }
    let events = own.get("Events").and_then(Value::as_object).cloned().unwrap_or_default();
    Function { id: id.to_owned(), name, properties, events }
}

fn expand(node: &Value, document: &Value) -> Value {
    match node {
        Value::Array(items) => items.iter().filter_map(|item| kept(item, document)).collect(),
        Value::Object(entries) => match entries.iter().next() {
            Some((key, argument))
                if entries.len() == 1 && (["Ref", "Condition"].contains(&key.as_str()) || key.starts_with("Fn::")) =>
            {
                intrinsic(key, argument, document)
            }
            _ => entries.iter().filter_map(|(key, value)| Some((key.clone(), kept(value, document)?))).collect(),
        },
        other => other.clone(),
    }
}

/// The expanded node; `None` if it refers to `AWS::NoValue`.
fn kept(node: &Value, document: &Value) -> Option<Value> {
    let expanded = expand(node, document);
    (node.is_null() || !expanded.is_null()).then_some(expanded)
}

fn intrinsic(name: &str, argument: &Value, document: &Value) -> Value {
    let part = |index: usize| argument[index].as_str().unwrap_or_else(|| panic!("{name} of {argument}"));
    match name {
        "Ref" => reference(argument.as_str().expect("a name"), document),
        "Condition" => expand(&document["Conditions"][argument.as_str().expect("a name")], document),
        "Fn::GetAtt" => json!(attribute(part(0), part(1), document)),
        "Fn::Sub" => json!(substitute(argument.as_str().expect("a string"), document)),
        "Fn::Equals" => json!(text(&argument[0], document) == text(&argument[1], document)),
        "Fn::Not" => json!(expand(&argument[0], document) != true),
        "Fn::And" => json!(argument.as_array().expect("conditions").iter().all(|one| expand(one, document) == true)),
        "Fn::Or" => json!(argument.as_array().expect("conditions").iter().any(|one| expand(one, document) == true)),
        "Fn::If" => {
            let met = expand(&document["Conditions"][part(0)], document) == true;
            expand(&argument[if met { 1 } else { 2 }], document)
        }
        other => panic!("the template uses {other}, which this test does not support"),
    }
}

/// CloudFormation compares numbers and texts alike.
fn text(node: &Value, document: &Value) -> String {
    match expand(node, document) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn reference(name: &str, document: &Value) -> Value {
    if let Some(given) = document["Parameters"][name].get("Default").filter(|_| name.starts_with("AWS::")) {
        return given.clone();
    }
    match name {
        "AWS::AccountId" => json!("000000000000"),
        "AWS::Partition" => json!("aws"),
        "AWS::Region" => json!("eu-west-1"),
        "AWS::StackName" => json!("multipartner"),
        "AWS::NoValue" => Value::Null,
        _ => match &document["Parameters"][name] {
            Value::Null => match document["Resources"][name]["Type"].as_str() {
                Some("AWS::SecretsManager::Secret") => json!(arn("secretsmanager", &format!("secret:{name}"))),
                Some("AWS::SQS::Queue") => json!(format!("https://sqs.eu-west-1.amazonaws.com/000000000000/{name}")),
                Some(_) => json!(name),
                None => panic!("there is no parameter or resource {name}"),
            },
            parameter => parameter["Default"].clone(),
        },
    }
}

fn attribute(resource: &str, attribute: &str, document: &Value) -> String {
    let kind =
        document["Resources"][resource]["Type"].as_str().unwrap_or_else(|| panic!("there is no resource {resource}"));
    match (kind, attribute) {
        ("AWS::DynamoDB::Table", "Arn") => arn("dynamodb", &format!("table/{resource}")),
        ("AWS::DynamoDB::Table", "StreamArn") => arn("dynamodb", &format!("table/{resource}/stream/now")),
        // CloudFormation's own form. It includes the log's streams.
        ("AWS::Logs::LogGroup", "Arn") => arn("logs", &format!("log-group:{resource}:*")),
        ("AWS::IAM::Role", "Arn") => format!("arn:aws:iam::000000000000:role/{resource}"),
        ("AWS::Serverless::Function", "Arn") => arn("lambda", &format!("function:{resource}")),
        ("AWS::SQS::Queue", "Arn") => arn("sqs", resource),
        ("AWS::SQS::Queue", "QueueName") => resource.to_owned(),
        ("AWS::SSM::Parameter", "Value") => text(&document["Resources"][resource]["Properties"]["Value"], document),
        ("AWS::Serverless::HttpApi", "ApiEndpoint") => {
            format!("https://{resource}.execute-api.eu-west-1.amazonaws.com")
        }
        _ => panic!("this test does not support {resource}.{attribute}"),
    }
}

fn arn(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:eu-west-1:000000000000:{rest}")
}

fn substitute(text: &str, document: &Value) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, end) = after.split_once('}').expect("a closing brace");
        let value = match name.split_once('.') {
            Some((resource, of)) => attribute(resource, of, document),
            None => reference(name, document).as_str().expect("a string").to_owned(),
        };
        done.push_str(before);
        done.push_str(&value);
        rest = end;
    }
    done + rest
}
