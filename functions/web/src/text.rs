//! Files are written for people. What only helps a reader of the file is not sent: indentation, and lines that are comments.

use std::io::Write;

use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use platform::http_api::{Request, Response};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Html,
    Script,
    Style,
    Words,
    Icon,
}

impl Kind {
    /// The kind of a file, by the end of its name.
    pub(crate) fn from_name(name: &str) -> Self {
        match name.rsplit_once('.').map_or("", |(_, end)| end) {
            "js" => Self::Script,
            "css" => Self::Style,
            "json" => Self::Words,
            "svg" => Self::Icon,
            _ => Self::Html,
        }
    }

    pub(crate) fn media(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Script => "text/javascript; charset=utf-8",
            Self::Style => "text/css; charset=utf-8",
            Self::Words => "application/json",
            Self::Icon => "image/svg+xml",
        }
    }
}

/// The text to send. A script keeps its line breaks, because they end statements; no string of a script spans lines.
pub(crate) fn compact(text: &str, kind: Kind) -> String {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !is_comment(line, kind));
    let between = if kind == Kind::Words { "" } else { "\n" };
    lines.collect::<Vec<_>>().join(between)
}

/// A text that is sent, and how it is sent to clients that understand gzip.
pub(crate) struct Sent {
    pub(crate) plain: String,
    zipped: String,
}

impl Sent {
    pub(crate) fn new(text: &str, kind: Kind) -> Self {
        let plain = compact(text, kind);
        let zipped = BASE64.encode(&zip(&plain).unwrap_or_default());
        Self { plain, zipped }
    }

    /// The response to this request. The gateway decodes a body that is base64, so the client gets the gzip bytes.
    pub(crate) fn response(&self, request: &Request, headers: Vec<(&'static str, String)>) -> Response {
        let response = |body: &String| Response { status: 200, headers, body: body.clone() };
        let accepted = request.header("accept-encoding").unwrap_or_default();
        let takes_gzip = accepted.split(',').any(|one| one.trim() == "gzip" || one.trim().starts_with("gzip;q=1"));
        let response = if takes_gzip && !self.zipped.is_empty() {
            response(&self.zipped).with_header("content-encoding", "gzip")
        } else {
            response(&self.plain)
        };
        response.with_header("vary", "accept-encoding")
    }

    /// The number of bytes that a browser loads.
    #[cfg(test)]
    pub(crate) fn zipped_bytes(&self) -> usize {
        BASE64.decode(self.zipped.as_bytes()).unwrap().len()
    }
}

fn zip(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

fn is_comment(line: &str, kind: Kind) -> bool {
    match kind {
        Kind::Script => line.starts_with("//"),
        Kind::Style => line.starts_with("/*") && line.ends_with("*/"),
        Kind::Html => line.starts_with("<!--") && line.ends_with("-->"),
        Kind::Words | Kind::Icon => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_and_comment_lines_are_not_sent() {
        assert_eq!(compact("// why\nlet a = 1 // b\n\n  f(a)\n", Kind::Script), "let a = 1 // b\nf(a)");
        assert_eq!(compact("/* why */\na {\n  b: c;\n}\n", Kind::Style), "a {\nb: c;\n}");
        assert_eq!(compact("{\n  \"a\": \"//\"\n}\n", Kind::Words), "{\"a\": \"//\"}");
        assert_eq!(compact("<!-- why -->\n<p>a</p>", Kind::Html), "<p>a</p>");
    }
}
