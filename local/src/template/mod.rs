//! Reads `template.yaml`, so that the local run has the same routes as a deployment.

mod error;
mod yaml;

use std::time::Duration;

use serde_json::Value;

pub use self::error::TemplateError;

/// The template, built in, so that the program works from any folder.
const TEXT: &str = include_str!("../../../template.yaml");

/// One route of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// In upper case.
    pub method: String,
    /// With `{parameters}`.
    pub path: String,
    /// The name of the function's binary, which is the name of its crate.
    pub function: String,
}

impl Route {
    /// `METHOD /path/{parameter}`.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What the local run needs from the template.
#[derive(Clone, Debug)]
pub struct Template {
    /// In the order of function and event names.
    pub routes: Vec<Route>,
    /// How long a function may run.
    pub timeout: Duration,
}

/// The built-in template as one JSON document, with CloudFormation's short tags in their long form.
///
/// # Errors
/// [`TemplateError`] if it is not one YAML document.
pub fn document() -> Result<Value, TemplateError> {
    yaml::parse(TEXT)
}

impl Template {
    /// Reads the built-in template.
    ///
    /// # Errors
    /// [`TemplateError`] if it has a function or route that the local gateway does not support.
    pub fn built_in() -> Result<Self, TemplateError> {
        Self::of(&document()?)
    }

    /// Reads a template in its JSON form.
    ///
    /// # Errors
    /// [`TemplateError`] if it has a function or route that the local gateway does not support.
    pub fn of(document: &Value) -> Result<Self, TemplateError> {
        let seconds = document.pointer("/Globals/Function/Timeout").and_then(Value::as_u64);
        let seconds = seconds.ok_or_else(|| TemplateError::Missing("Globals.Function.Timeout".into()))?;
        let resources = document.get("Resources").and_then(Value::as_object);
        let resources = resources.ok_or_else(|| TemplateError::Missing("Resources".into()))?;
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
    let binary = binary.ok_or_else(|| TemplateError::Missing(format!("{id}.Metadata.BuildProperties.Binary")))?;
    let events = function.pointer("/Properties/Events").and_then(Value::as_object);
    let mut routes = Vec::new();
    for (name, event) in events.into_iter().flatten().filter(|(_, event)| event["Type"] == "HttpApi") {
        let property = |property: &str| {
            let text = event["Properties"][property].as_str();
            text.ok_or_else(|| TemplateError::Missing(format!("{id}.Events.{name}.{property}")))
        };
        let (method, path) = (property("Method")?.to_ascii_uppercase(), property("Path")?);
        // API Gateway supports more than the project uses.
        if method == "ANY" || path.contains("+}") || !path.starts_with('/') {
            let (event, route) = (format!("{id}.Events.{name}"), format!("{method} {path}"));
            return Err(TemplateError::UnsupportedRoute { event, route });
        }
        routes.push(Route { method, path: path.to_owned(), function: binary.to_owned() });
    }
    Ok(routes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_template_names_a_function_for_every_route() {
        let template = Template::built_in().unwrap();
        assert!(template.routes.len() > 20 && template.timeout >= Duration::from_secs(8));
        let create = template.routes.iter().find(|route| route.key() == "POST /v1/partners/{partner_id}/invitations");
        assert_eq!(create.unwrap().function, "create-invitation");
    }

    #[test]
    fn an_unsupported_function_or_route_is_named() {
        let with = |metadata: &str, properties: &str| {
            let text = format!(
                "Globals: {{Function: {{Timeout: 10}}}}\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    \
                 Metadata: {metadata}\n    Properties: {{Events: {{E: {{Type: HttpApi, Properties: {properties}}}}}}}\n"
            );
            Template::of(&yaml::parse(&text).unwrap()).map(|_| ()).map_err(|error| error.to_string())
        };
        let named = "{BuildProperties: {Binary: f}}";
        assert_eq!(with(named, "{Method: get, Path: /a}"), Ok(()));
        for (metadata, properties, reason) in [
            ("{}", "{Method: GET, Path: /a}", "F.Metadata.BuildProperties.Binary is missing or has another type"),
            (named, "{Path: /a}", "F.Events.E.Method is missing or has another type"),
            (named, "{Method: GET}", "F.Events.E.Path is missing or has another type"),
            (named, "{Method: any, Path: /a}", "F.Events.E: `ANY /a` is not supported by the local gateway"),
            (
                named,
                "{Method: GET, Path: '/{all+}'}",
                "F.Events.E: `GET /{all+}` is not supported by the local gateway",
            ),
        ] {
            assert_eq!(with(metadata, properties), Err(format!("template.yaml: {reason}")));
        }
    }
}
