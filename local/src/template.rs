//! Reads `template.yaml`: what is deployed is what runs here, so no route list is kept twice.

use std::time::Duration;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The template, built in, so that the program works from any folder.
const TEXT: &str = include_str!("../../template.yaml");

/// The template is not what this program can serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template.yaml: {0}")]
pub struct TemplateError(String);

/// One route of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method, in upper case.
    pub method: String,
    /// The path, with `{parameters}`.
    pub path: String,
    /// The function that serves it: the name of its binary, which is the name of its crate.
    pub function: String,
}

impl Route {
    /// The route as the gateway writes it: `METHOD /path/{parameter}`.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What the local run needs of the template.
#[derive(Clone, Debug)]
pub struct Template {
    /// Every route, in the order of function and event names.
    pub routes: Vec<Route>,
    /// How long a function may run.
    pub timeout: Duration,
}

/// The built-in template as one JSON document, with CloudFormation's short tags in their long form: `!Ref X` is
/// `{"Ref": "X"}`, `!GetAtt A.B` is `{"Fn::GetAtt": ["A", "B"]}`, every other `!Name x` is `{"Fn::Name": x}`.
///
/// # Errors
/// [`TemplateError`] when it is not one YAML document.
pub fn document() -> Result<Value, TemplateError> {
    parse(TEXT)
}

impl Template {
    /// Reads the built-in template.
    ///
    /// # Errors
    /// [`TemplateError`] when it holds a function or route that this program can't serve.
    pub fn built_in() -> Result<Self, TemplateError> {
        Self::of(&document()?)
    }

    /// Reads a template in its JSON form.
    ///
    /// # Errors
    /// [`TemplateError`] when it holds a function or route that this program can't serve.
    pub fn of(document: &Value) -> Result<Self, TemplateError> {
        let seconds = document.pointer("/Globals/Function/Timeout").and_then(Value::as_u64);
        let seconds =
            seconds.ok_or_else(|| TemplateError("Globals.Function.Timeout is no number of seconds".into()))?;
        let resources = document.get("Resources").and_then(Value::as_object);
        let resources = resources.ok_or_else(|| TemplateError("there are no Resources".into()))?;
        let mut routes = Vec::new();
        for (id, resource) in resources {
            if resource["Type"] == "AWS::Serverless::Function" {
                routes.extend(routes_of(id, resource)?);
            }
        }
        Ok(Self { routes, timeout: Duration::from_secs(seconds) })
    }
}

fn routes_of(id: &str, function: &Value) -> Result<Vec<Route>, TemplateError> {
    let binary = function.pointer("/Metadata/BuildProperties/Binary").and_then(Value::as_str);
    let binary = binary.ok_or_else(|| TemplateError(format!("{id} has no Metadata.BuildProperties.Binary")))?;
    let events = function.pointer("/Properties/Events").and_then(Value::as_object);
    let mut routes = Vec::new();
    for (name, event) in events.into_iter().flatten().filter(|(_, event)| event["Type"] == "HttpApi") {
        let property = |property: &str| {
            let text = event["Properties"][property].as_str();
            text.ok_or_else(|| TemplateError(format!("{id}.Events.{name} has no {property}")))
        };
        let (method, path) = (property("Method")?.to_ascii_uppercase(), property("Path")?);
        // The real gateway has these, too; this one serves only what the project uses.
        if method == "ANY" || path.contains("+}") || !path.starts_with('/') {
            return Err(TemplateError(format!("{id}.Events.{name}: `{method} {path}` can't be served locally")));
        }
        routes.push(Route { method, path: path.to_owned(), function: binary.to_owned() });
    }
    Ok(routes)
}

fn parse(text: &str) -> Result<Value, TemplateError> {
    let documents = Yaml::load_from_str(text).map_err(|error| TemplateError(error.to_string()))?;
    match documents.as_slice() {
        [document] => long_form(document),
        _ => Err(TemplateError("it is not exactly one document".into())),
    }
}

fn long_form(node: &Yaml<'_>) -> Result<Value, TemplateError> {
    Ok(match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => Value::Array(items.iter().map(long_form).collect::<Result<_, _>>()?),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = key.as_str().ok_or_else(|| TemplateError("a key is not text".into()))?;
                object.insert(key.to_owned(), long_form(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, value) => intrinsic(&tag.suffix, long_form(value)?),
        Yaml::Alias(_) | Yaml::BadValue | Yaml::Representation(..) => {
            return Err(TemplateError("CloudFormation takes no such YAML".into()));
        }
    })
}

fn intrinsic(name: &str, argument: Value) -> Value {
    let argument = match argument.as_str().and_then(|text| text.split_once('.')) {
        Some((resource, attribute)) if name == "GetAtt" => json!([resource, attribute]),
        _ => argument,
    };
    let key = if matches!(name, "Ref" | "Condition") { name.to_owned() } else { format!("Fn::{name}") };
    Value::Object(Map::from_iter([(key, argument)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_take_their_long_form() {
        let document =
            parse("a: !Ref Table\nb: !GetAtt Table.Arn\nc: [!Sub 'x${Y}', 1, true, ~, '1']\nd: !If [A, b]\n");
        assert_eq!(
            document.unwrap(),
            json!({
                "a": {"Ref": "Table"},
                "b": {"Fn::GetAtt": ["Table", "Arn"]},
                "c": [{"Fn::Sub": "x${Y}"}, 1, true, null, "1"],
                "d": {"Fn::If": ["A", "b"]},
            })
        );
    }

    #[test]
    fn the_built_in_template_names_a_function_for_every_route() {
        let template = Template::built_in().unwrap();
        assert!(template.routes.len() > 20 && template.timeout >= Duration::from_secs(8));
        let create = template.routes.iter().find(|route| route.key() == "POST /v1/partners/{partner_id}/invitations");
        assert_eq!(create.unwrap().function, "create-invitation");
    }

    #[test]
    fn what_can_not_be_served_is_named() {
        let with = |metadata: &str, properties: &str| {
            let text = format!(
                "Globals: {{Function: {{Timeout: 10}}}}\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    \
                 Metadata: {metadata}\n    Properties: {{Events: {{E: {{Type: HttpApi, Properties: {properties}}}}}}}\n"
            );
            Template::of(&parse(&text).unwrap()).map(|_| ()).map_err(|error| error.to_string())
        };
        let named = "{BuildProperties: {Binary: f}}";
        assert_eq!(with(named, "{Method: get, Path: /a}"), Ok(()));
        for (metadata, properties, reason) in [
            ("{}", "{Method: GET, Path: /a}", "F has no Metadata.BuildProperties.Binary"),
            (named, "{Path: /a}", "F.Events.E has no Method"),
            (named, "{Method: GET}", "F.Events.E has no Path"),
            (named, "{Method: any, Path: /a}", "F.Events.E: `ANY /a` can't be served locally"),
            (named, "{Method: GET, Path: '/{all+}'}", "F.Events.E: `GET /{all+}` can't be served locally"),
        ] {
            assert_eq!(with(metadata, properties), Err(format!("template.yaml: {reason}")));
        }
        assert!(parse("a: 1\na: 2\n").is_err(), "a key may stand only once");
        assert!(parse("a: 1\n---\nb: 2\n").is_err());
    }
}
