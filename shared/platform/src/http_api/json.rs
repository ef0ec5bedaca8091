//! Strict JSON (RFC 8259). `serde_json` alone keeps the last of two members with one name and reads to depth 128; two
//! readers of a document with duplicate members may see different requests, so here it is rejected.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, Map, Value};

/// How many arrays and objects may be open at once; a lone scalar has depth 0, `[]` depth 1. Requests here
/// are a few levels deep; the limit keeps every recursive reader of a value, its drop included, far from the stack's end.
pub const MAX_DEPTH: usize = 32;

/// Why a body isn't a document this service reads. Of several faults, the first in the text is named, save that the
/// encoding is judged before all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The bytes aren't UTF-8.
    #[error("the document is not UTF-8")]
    Encoding,
    /// The text isn't exactly one JSON document, begins with a byte order mark, or holds a number beyond the range of a
    /// double.
    #[error("the document is not JSON, at line {line} column {column}")]
    Invalid {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1; 0 when the fault is met at the line break before, or in an empty text.
        column: usize,
    },
    /// More than [`MAX_DEPTH`] arrays and objects are open at once. What follows the one too many isn't read.
    #[error("the document is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// An object has two members whose names, after unescaping, are equal.
    #[error("the document repeats a member name in one object")]
    DuplicateKey,
}

/// Reads exactly one document.
///
/// Numbers are as `serde_json` gives them: `u64`, else `i64`, else `f64`. Escaped NUL and other control characters are
/// valid JSON and pass; [`domain::text`] refuses them where they matter.
///
/// # Errors
/// See [`JsonError`]; none holds any of the text.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::Encoding)?;
    let refusal = Cell::new(None);
    let mut reader = Deserializer::from_str(text);
    Node { depth: 0, refusal: &refusal }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| refusal.get().unwrap_or(JsonError::Invalid { line: error.line(), column: error.column() }))
}

/// Builds one value. Its own refusals go through `refusal`, since `serde_json`'s error can only carry text. It is not
/// `Value`'s own visitor also because that one gives a member named `$serde_json::private::RawValue` a second parse.
#[derive(Clone, Copy)]
struct Node<'r> {
    /// How many arrays and objects are open around this value.
    depth: usize,
    refusal: &'r Cell<Option<JsonError>>,
}

impl Node<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH { Err(self.refuse(JsonError::TooDeep)) } else { Ok(Self { depth, ..self }) }
    }

    fn refuse<E: Error>(self, cause: JsonError) -> E {
        self.refusal.set(Some(cause));
        E::custom(cause)
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.refuse(JsonError::DuplicateKey));
            }
            object.insert(name, members.next_value_seed(inside)?);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn refusal(text: &str) -> JsonError {
        parse(text.as_bytes()).expect_err(text)
    }

    fn nested(open: &str, close: &str, times: usize) -> String {
        format!("{}null{}", open.repeat(times), close.repeat(times))
    }

    #[test]
    fn one_document_of_every_kind_of_value_is_read() {
        let text = "\t{\"a\":[null,true,false,0,-1,1.5,\"\\u00e9\\n\"],\"b\":{},\"c\":[]} \r\n";
        assert_eq!(parse(text.as_bytes()), Ok(json!({"a": [null, true, false, 0, -1, 1.5, "é\n"], "b": {}, "c": []})));
        for (text, value) in [("null", Value::Null), ("\"x\"", json!("x")), ("7", json!(7)), ("[]", json!([]))] {
            assert_eq!(parse(text.as_bytes()), Ok(value), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_reported_anywhere() {
        let wrong: [&[u8]; 7] = [
            b"\"\xff\"",
            b"{} \xc0\x80",
            b"\"\xed\xa0\x80\"",
            b"\"\xf4\x90\x80\x80\"",
            b"\"\xe2\x82",
            b"\xff\xfe{\0}\0",
            b"[[x \x80",
        ];
        for bytes in wrong {
            assert_eq!(parse(bytes), Err(JsonError::Encoding), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_exactly_one_document_is_invalid() {
        #[rustfmt::skip]
        let not_documents = [
            "", " ", "\u{feff}{}", "{}\u{feff}", "{} {}", "1 2", "[]]", "[1,]", "[,1]", "{\"a\":1,}", "{\"a\" 1}",
            "{\"a\"}", "{a:1}", "{1:1}", "{'a':1}", "'a'", "// x\n1", "/* x */1", "1 # x", "NaN", "Infinity",
            "-Infinity", "undefined", "True", "nul", "01", "-", "+1", "1.", ".5", "1e", "0x1", "1_000", "\"a",
            "\"\n\"", "\"\t\"", "\"\0\"", "\"\\x41\"", "\"\\u12\"", "[", "{", "{\"a\":", "\0", "{}\0", "\u{a0}1",
            "\u{2028}1",
        ];
        for text in not_documents {
            assert!(matches!(refusal(text), JsonError::Invalid { .. }), "{text:?}");
        }
    }

    #[test]
    fn an_invalid_place_is_given_by_line_and_column() {
        assert_eq!(refusal("{\n  \"a\": 1,\n  \"b\": tru\n}"), JsonError::Invalid { line: 4, column: 0 });
        assert_eq!(refusal("[1,2,x]"), JsonError::Invalid { line: 1, column: 6 });
        assert_eq!(refusal("{}\n{}"), JsonError::Invalid { line: 2, column: 1 });
        assert_eq!(refusal(""), JsonError::Invalid { line: 1, column: 0 });
    }

    #[test]
    fn lone_surrogates_are_invalid_and_pairs_are_read() {
        for text in [
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800x""#,
            r#""\ud800\n""#,
            r#""\ud800\u0041""#,
            r#""\ud800\ud800""#,
            r#""\udc00\ud800""#,
            r#"{"\ud800":1}"#,
            r#"{"a":{"\udfff":1}}"#,
        ] {
            assert!(matches!(refusal(text), JsonError::Invalid { .. }), "{text}");
        }
        assert_eq!(parse(br#""\ud83d\ude00""#), Ok(json!("😀")));
    }

    #[test]
    fn numbers_are_what_serde_json_makes_of_them_and_never_infinite() {
        for (text, value) in [
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("18446744073709551616", json!(18_446_744_073_709_551_616.0_f64)),
            ("1.0", json!(1.0)),
            ("-0", json!(-0.0)),
            ("1e-400", json!(0.0)),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(value), "{text}");
        }
        for text in ["1e400", "-1e400", "[1e99999999999]", &"9".repeat(400)] {
            assert!(matches!(refusal(text), JsonError::Invalid { .. }), "{text}");
        }
    }

    #[test]
    fn depth_32_is_read_and_depth_33_is_too_deep() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            assert!(parse(nested(open, close, 32).as_bytes()).is_ok());
            for depth in [33, 34, 128, 100_000] {
                assert_eq!(refusal(&nested(open, close, depth)), JsonError::TooDeep);
            }
        }
        let mixed = nested("[{\"a\":", "}]", 16);
        assert!(parse(mixed.as_bytes()).is_ok());
        assert_eq!(refusal(&format!("[{mixed}]")), JsonError::TooDeep);
    }

    #[test]
    fn siblings_do_not_add_up_to_depth() {
        let row = vec![nested("[", "]", 31); 100].join(",");
        assert!(parse(format!("[{row}]").as_bytes()).is_ok());
        assert!(parse(format!("[{}]", vec!["{}"; 10_000].join(",")).as_bytes()).is_ok());
    }

    #[test]
    fn level_33_is_rejected_when_it_opens() {
        let deep = "[".repeat(33);
        for rest in ["", "x", ",,,", "}", "\u{0}", &"[".repeat(99_967), &"{\"a\":".repeat(100_000)] {
            assert_eq!(refusal(&format!("{deep}{rest}")), JsonError::TooDeep);
        }
        let garbage_first = format!("[x{deep}");
        assert_eq!(refusal(&garbage_first), JsonError::Invalid { line: 1, column: 2 });
    }

    #[test]
    fn a_repeated_member_name_is_refused_at_any_level() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"a":3}"#,
            r#"{"":1,"":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"é":1,"\u00e9":2}"#,
            r#"{"\ud83d\ude00":1,"😀":2}"#,
            r#"[{"x":{"a":1,"a":1}}]"#,
            r#"{"a":1,"a":x"#,
        ] {
            assert_eq!(refusal(text), JsonError::DuplicateKey, "{text}");
        }
    }

    #[test]
    fn names_alike_but_not_equal_and_names_in_different_objects_are_kept() {
        for text in [r#"{"a":1,"A":2,"a ":3}"#, r#"{"a":{"a":[{"a":1},{"a":2}]}}"#, "{\"\u{e9}\":1,\"e\u{301}\":2}"] {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn no_member_name_has_a_meaning_of_its_own() {
        for name in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
            let text = format!(r#"{{"{name}":"{{\"a\":1,\"a\":2}}"}}"#);
            let value = parse(text.as_bytes()).unwrap();
            assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), [name]);
            assert!(value[name].is_string());
        }
    }

    #[test]
    fn a_megabyte_in_one_string_is_read() {
        let long = "x".repeat(1_000_000);
        assert_eq!(parse(format!("\"{long}\"").as_bytes()), Ok(Value::String(long)));
    }

    #[test]
    fn errors_do_not_repeat_the_text() {
        for text in ["secret", r#"{"secret":1,"secret":2}"#, &"[\"secret\",".repeat(40)] {
            assert!(!refusal(text).to_string().contains("secret"));
        }
    }

    fn document() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|it| it.to_string()),
            any::<i64>().prop_map(|it| it.to_string()),
            any::<f64>().prop_map(|it| json!(it).to_string()),
            any::<String>().prop_map(|it| json!(it).to_string()),
        ];
        leaf.prop_recursive(6, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(" , "))),
                prop::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|members| {
                    let members: Vec<_> = members.iter().map(|(name, it)| format!("{}:{it}", json!(name))).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_document_without_repeats_is_read_as_serde_json_reads_it(text in document()) {
            prop_assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        }

        #[test]
        fn a_damaged_document_is_read_as_serde_json_reads_it_or_refused(
            text in document(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let theirs = serde_json::from_slice::<Value>(&bytes).ok();
            match parse(&bytes) {
                Ok(value) => prop_assert_eq!(Some(value), theirs),
                // Which of two members counts is just what readers disagree about.
                Err(JsonError::DuplicateKey) => {}
                Err(_) => prop_assert_eq!(None, theirs),
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
