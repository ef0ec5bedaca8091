//! Reads a CloudFormation template as JSON.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use super::error::TemplateError;

/// Reads one YAML document, with CloudFormation's short tags in their long form: `!Ref X` is `{"Ref": "X"}`, `!GetAtt A.B` is
/// `{"Fn::GetAtt": ["A", "B"]}`, every other `!Name x` is `{"Fn::Name": x}`.
pub fn parse(text: &str) -> Result<Value, TemplateError> {
    let documents = Yaml::load_from_str(text).map_err(TemplateError::Yaml)?;
    match documents.as_slice() {
        [document] => long_form(document),
        _ => Err(TemplateError::NotOneDocument),
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
                let key = key.as_str().ok_or(TemplateError::KeyNotText)?;
                object.insert(key.to_owned(), long_form(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, value) => intrinsic(&tag.suffix, long_form(value)?),
        Yaml::Alias(_) | Yaml::BadValue | Yaml::Representation(..) => {
            return Err(TemplateError::UnsupportedYaml);
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
    fn short_tags_become_their_long_form() {
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
    fn duplicate_keys_and_several_documents_are_rejected() {
        assert!(matches!(parse("a: 1\na: 2\n"), Err(TemplateError::Yaml(_))));
        assert_eq!(parse("a: 1\n---\nb: 2\n"), Err(TemplateError::NotOneDocument));
    }
}
