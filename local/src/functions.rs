//! The functions in this program. The template says which routes each of them serves.

use platform::lambda::Function;

use crate::template::{Route, Template};

pub const FUNCTIONS: &[Function] = &[
    accept_invitation::FUNCTION,
    administer::FUNCTION,
    create_invitation::FUNCTION,
    end_relationship::FUNCTION,
    manage_endpoints::FUNCTION,
    manage_invitations::FUNCTION,
    read::FUNCTION,
    register_subscription::FUNCTION,
    sign_in::FUNCTION,
    web::FUNCTION,
];

/// Template and functions disagree. The template is built in, so this is a mistake in the source code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("template.yaml sends `{route}` to the function `{function}`, which is missing from FUNCTIONS in {}", file!())]
    NotLinked { route: String, function: String },
    #[error("template.yaml sends `{route}` to the function `{function}`, which does not list it in FUNCTION.routes")]
    NotServed { route: String, function: String },
}

/// Pairs every route of the template with its function.
///
/// # Errors
/// The first [`Mismatch`].
pub fn link<'a>(template: &'a Template, functions: &[Function]) -> Result<Vec<(&'a Route, Function)>, Mismatch> {
    let mut linked = Vec::new();
    for route in &template.routes {
        let named = || (route.key(), route.function.clone());
        let function = functions.iter().find(|function| function.name == route.function).ok_or_else(|| {
            let (route, function) = named();
            Mismatch::NotLinked { route, function }
        })?;
        if !function.serves(&route.key()) {
            let (route, function) = named();
            return Err(Mismatch::NotServed { route, function });
        }
        linked.push((route, *function));
    }
    Ok(linked)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use platform::config::Needs;
    use platform::handler::{Anyone, Context, Never, Nothing};
    use platform::http_api::Problem;

    use super::*;

    async fn nothing(_: Context, _: Anyone, _: Nothing) -> Result<Never, Problem> {
        Err(Problem::not_found())
    }

    const ONE: Function = Function {
        name: "one",
        routes: platform::routes! {
            /// Return nothing.
            "GET /a" => nothing, computes [NotFound];
        },
        needs: Needs::NOTHING,
    };

    fn template(path: &str, function: &str) -> Template {
        let route = Route { method: "GET".into(), path: path.into(), function: function.into() };
        Template { routes: vec![route], timeout: Duration::from_secs(10) }
    }

    #[test]
    fn the_template_routes_exactly_what_the_functions_serve() {
        let template = Template::built_in().unwrap();
        link(&template, FUNCTIONS).unwrap();
        for function in FUNCTIONS {
            for route in function.routes {
                let routed = template.routes.iter().any(|r| r.function == function.name && r.key() == route.key);
                assert!(routed, "{} serves `{}`, but template.yaml does not send it there", function.name, route.key);
            }
        }
    }

    #[test]
    fn each_disagreement_is_named() {
        let mismatch = |path, function, functions: &[Function]| link(&template(path, function), functions).unwrap_err();
        assert_eq!(
            mismatch("/a", "two", &[ONE]),
            Mismatch::NotLinked { route: "GET /a".into(), function: "two".into() }
        );
        assert_eq!(
            mismatch("/b", "one", &[ONE]),
            Mismatch::NotServed { route: "GET /b".into(), function: "one".into() }
        );
    }
}
