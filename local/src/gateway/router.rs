//! Finds the route of a request. As on the real gateway, method and path count together, literal segments win over
//! parameters, and a trailing slash makes another path.

use percent_encoding::percent_decode_str;

/// Routes, each with a target.
#[derive(Clone, Debug)]
pub struct Router<T> {
    routes: Vec<Pattern<T>>,
}

#[derive(Clone, Debug)]
struct Pattern<T> {
    key: String,
    method: String,
    segments: Vec<Segment>,
    target: T,
}

/// The derived order puts literals first, and so the more specific of two patterns for the same path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Parameter(String),
}

/// The route of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched<'a, T> {
    /// `METHOD /path/{parameter}`.
    pub key: &'a str,
    /// The parameters by name, percent-decoded.
    pub parameters: Vec<(&'a str, String)>,
    pub target: &'a T,
}

impl<T> Router<T> {
    /// A router over (method, path template, target).
    pub fn new<'a>(routes: impl IntoIterator<Item = (&'a str, &'a str, T)>) -> Self {
        let pattern = |(method, path, target): (&str, &str, T)| Pattern {
            key: format!("{method} {path}"),
            method: method.to_owned(),
            segments: path.split('/').skip(1).map(Segment::parse).collect(),
            target,
        };
        let mut routes: Vec<_> = routes.into_iter().map(pattern).collect();
        routes.sort_by(|a, b| a.segments.cmp(&b.segments));
        Self { routes }
    }

    /// The route for a method and a path, still percent-encoded as in the request line.
    pub fn find(&self, method: &str, path: &str) -> Option<Matched<'_, T>> {
        // Split before decoding: an encoded slash is part of its segment.
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        self.routes.iter().filter(|route| route.method == method).find_map(|route| {
            let parameters = route.parameters(&segments)?;
            Some(Matched { key: &route.key, parameters, target: &route.target })
        })
    }
}

impl<T> Pattern<T> {
    fn parameters(&self, segments: &[&str]) -> Option<Vec<(&str, String)>> {
        if segments.len() != self.segments.len() {
            return None;
        }
        let mut parameters = Vec::new();
        for (pattern, segment) in self.segments.iter().zip(segments) {
            let value = percent_decode_str(segment).decode_utf8_lossy();
            match pattern {
                Segment::Literal(text) if *text == value => {}
                Segment::Parameter(name) if !value.is_empty() => parameters.push((name.as_str(), value.into_owned())),
                _ => return None,
            }
        }
        Some(parameters)
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Self::Parameter(name.to_owned()),
            None => Self::Literal(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router<u8> {
        Router::new([
            ("GET", "/v1/{kind}/list", 0),
            ("GET", "/v1/things/{id}", 1),
            ("GET", "/v1/things/mine", 2),
            ("POST", "/v1/things/{id}", 3),
            ("GET", "/", 4),
        ])
    }

    #[test]
    fn literals_win_over_parameters_from_the_left() {
        let router = router();
        for (method, path, expected) in [
            ("GET", "/v1/things/mine", Some(2)),
            ("GET", "/v1/things/other", Some(1)),
            ("GET", "/v1/things/list", Some(1)),
            ("GET", "/v1/others/list", Some(0)),
            ("POST", "/v1/things/mine", Some(3)),
            ("GET", "/", Some(4)),
            ("PUT", "/v1/things/mine", None),
            ("get", "/v1/things/mine", None),
            ("GET", "/v1/things/mine/", None),
            ("GET", "/v1/things/", None),
            ("GET", "/v1//mine", None),
            ("GET", "//v1/things/mine", None),
            ("GET", "/V1/things/mine", None),
            ("GET", "*", None),
            ("GET", "", None),
        ] {
            assert_eq!(router.find(method, path).map(|found| *found.target), expected, "{method} {path}");
        }
    }

    #[test]
    fn parameters_arrive_decoded_once() {
        let router = router();
        for (path, value) in [
            ("/v1/things/a%20b", "a b"),
            ("/v1/things/a%2Fb", "a/b"),
            ("/v1/things/a%252Fb", "a%2Fb"),
            ("/v1/things/a+b", "a+b"),
            ("/v1/things/%zz", "%zz"),
            ("/v1/things/%00", "\0"),
            ("/v1/things/%ff", "\u{fffd}"),
            ("/v1/things/..", ".."),
        ] {
            let found = router.find("GET", path).unwrap();
            assert_eq!(found.key, "GET /v1/things/{id}");
            assert_eq!(found.parameters, [("id", value.to_owned())]);
        }
    }
}
