//! Responses: a function's as HTTP, and the gateway's own errors.

use axum::body::Bytes;
use data_encoding::BASE64;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use http_body_util::Full;
use platform::aws_lambda_events::{apigw::ApiGatewayV2httpResponse, encodings::Body};

/// A response of the gateway.
pub type Answer = Response<Full<Bytes>>;

/// Names the request, as the real gateway does.
const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// Errors of the gateway itself. Every other response comes from a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayError {
    /// The body is malformed or incomplete.
    BadRequest,
    /// No route has this method and path.
    NotFound,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body is too large for the gateway or for an invocation.
    EntityTooLarge,
    /// Request line and headers are too large.
    HeadersTooLarge,
    /// The function returned something that is not a response.
    InternalServerError,
    /// The function took too long.
    ServiceUnavailable,
}

impl GatewayError {
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "Bad Request"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Self::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
            Self::EntityTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::HeadersTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large"),
            Self::InternalServerError => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Self::ServiceUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }

    pub fn answer(self, request_id: &str) -> Answer {
        let (status, message) = self.parts();
        let mut answer = Response::new(Full::from(format!(r#"{{"message":"{message}"}}"#)));
        *answer.status_mut() = status;
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        name(&mut answer, request_id);
        answer
    }
}

/// A function's response as HTTP.
pub fn from_function(given: ApiGatewayV2httpResponse, request_id: &str) -> Answer {
    let status = u16::try_from(given.status_code).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let (Some(status), Some(body)) = (status, bytes(given.body, given.is_base64_encoded)) else {
        tracing::error!(status = given.status_code, "the function's response has no valid status or body");
        return GatewayError::InternalServerError.answer(request_id);
    };
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in given.headers.iter().chain(&given.multi_value_headers) {
        // The real gateway renames this header.
        let remapped = const { HeaderName::from_static("x-amzn-remapped-www-authenticate") };
        headers.append(if name == WWW_AUTHENTICATE { remapped } else { name.clone() }, value.clone());
    }
    for cookie in given.cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        headers.append(SET_COOKIE, cookie);
    }
    name(&mut answer, request_id);
    answer
}

fn bytes(body: Option<Body>, base64: bool) -> Option<Vec<u8>> {
    match body {
        Some(Body::Text(text)) if base64 => BASE64.decode(text.as_bytes()).ok(),
        Some(Body::Text(text)) => Some(text.into_bytes()),
        Some(Body::Binary(bytes)) => Some(bytes),
        _ => Some(Vec::new()),
    }
}

fn name(answer: &mut Answer, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn given(status: i64, body: &str, base64: bool) -> ApiGatewayV2httpResponse {
        let mut given = ApiGatewayV2httpResponse::default();
        given.status_code = status;
        given.body = Some(Body::Text(body.into()));
        given.is_base64_encoded = base64;
        given
    }

    async fn body(answer: Answer) -> String {
        String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn status_headers_cookies_and_body_are_passed_on() {
        let mut given = given(201, "hello", false);
        given.headers.insert("x-one", HeaderValue::from_static("1"));
        given.headers.insert("www-authenticate", HeaderValue::from_static("Bearer"));
        given.cookies = vec!["a=1".into(), "b=2".into()];
        let answer = from_function(given, "id");
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.headers()["x-one"], "1");
        assert_eq!(answer.headers()["x-amzn-remapped-www-authenticate"], "Bearer");
        assert!(!answer.headers().contains_key("www-authenticate"));
        assert_eq!(answer.headers().get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(answer.headers()["apigw-requestid"], "id");
        assert_eq!(body(answer).await, "hello");
    }

    #[tokio::test]
    async fn a_base64_body_is_decoded() {
        assert_eq!(body(from_function(given(200, "aGVsbG8=", true), "id")).await, "hello");
    }

    #[tokio::test]
    async fn an_invalid_response_becomes_500() {
        for broken in [given(99, "", false), given(-1, "", false), given(200, "no base64!", true)] {
            let answer = from_function(broken, "id");
            assert_eq!(answer.status(), 500);
            assert_eq!(body(answer).await, r#"{"message":"Internal Server Error"}"#);
        }
    }

    #[tokio::test]
    async fn the_gateways_own_errors_are_plain_json() {
        for (refusal, status, text) in [
            (GatewayError::NotFound, 404, r#"{"message":"Not Found"}"#),
            (GatewayError::EntityTooLarge, 413, r#"{"message":"Request Entity Too Large"}"#),
            (GatewayError::HeadersTooLarge, 431, r#"{"message":"Request Header Fields Too Large"}"#),
            (GatewayError::ServiceUnavailable, 503, r#"{"message":"Service Unavailable"}"#),
        ] {
            let answer = refusal.answer("id");
            assert_eq!(answer.status(), status);
            assert_eq!(answer.headers()["content-type"], "application/json");
            assert_eq!(answer.headers()["apigw-requestid"], "id");
            assert_eq!(body(answer).await, text);
        }
    }
}
