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

/// The template, expanded with the defaults of all parameters.
pub struct Deployment {
    document: Value,
}

impl Deployment {
    pub fn read() -> Self {
        let document = local::template::document().expect("a template");
        let expanded = expand(&document, &document);
        Self { document: expanded }
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
        Value::Array(items) => items.iter().map(|item| expand(item, document)).collect(),
        Value::Object(entries) => match entries.iter().next() {
            Some((key, argument)) if entries.len() == 1 && (key == "Ref" || key.starts_with("Fn::")) => {
                intrinsic(key, argument, document)
            }
            _ => entries.iter().map(|(key, value)| (key.clone(), expand(value, document))).collect(),
        },
        other => other.clone(),
    }
}

fn intrinsic(name: &str, argument: &Value, document: &Value) -> Value {
    let part = |index: usize| argument[index].as_str().unwrap_or_else(|| panic!("{name} of {argument}"));
    match name {
        "Ref" => reference(argument.as_str().expect("a name"), document),
        "Fn::GetAtt" => json!(attribute(part(0), part(1), document)),
        "Fn::Sub" => json!(substitute(argument.as_str().expect("a string"), document)),
        "Fn::Equals" => json!(expand(&argument[0], document) == expand(&argument[1], document)),
        "Fn::If" => {
            let met = expand(&document["Conditions"][part(0)], document) == true;
            expand(&argument[if met { 1 } else { 2 }], document)
        }
        other => panic!("the template uses {other}, which this test does not support"),
    }
}

fn reference(name: &str, document: &Value) -> Value {
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
