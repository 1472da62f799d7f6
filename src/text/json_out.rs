//! JSON text that may be printed to a terminal: whatever a terminal could act on, or not show, is
//! escaped as `\uXXXX`. A reader of the JSON gets back exactly what went in.

use super::chars::safe_raw;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// The value as JSON on one line.
///
/// # Errors
/// As `serde_json`: a map whose keys are no strings, or the value's own error.
pub fn to_string(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    written(value, CompactFormatter)
}

/// The value as JSON with line breaks and an indent of two.
///
/// # Errors
/// As [`to_string`].
pub fn to_string_pretty(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    written(value, PrettyFormatter::new())
}

fn written<F: Formatter>(value: &(impl Serialize + ?Sized), format: F) -> serde_json::Result<String> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Escaping(format)))?;
    String::from_utf8(out).map_err(|e| serde::ser::Error::custom(e.to_string()))
}

/// A formatter that escapes more than JSON asks for, and leaves the rest to another.
struct Escaping<F>(F);

/// Writes text of a JSON string or document, with unsafe characters escaped. Line breaks and tabs can
/// only be space between the tokens of a document that came as it is: they become spaces.
fn escaped<W: Write + ?Sized>(out: &mut W, text: &str) -> io::Result<()> {
    let mut written = 0;
    for (at, c) in text.char_indices() {
        if (' '..='~').contains(&c) || safe_raw(c) {
            continue;
        }
        out.write_all(&text.as_bytes()[written..at])?;
        written = at + c.len_utf8();
        if matches!(c, '\n' | '\r' | '\t') {
            out.write_all(b" ")?;
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
    }
    out.write_all(&text.as_bytes()[written..])
}

macro_rules! passed_on {
    ($($name:ident($($arg:ident: $kind:ty),*);)*) => {$(
        fn $name<W: ?Sized + Write>(&mut self, out: &mut W $(, $arg: $kind)*) -> io::Result<()> {
            self.0.$name(out $(, $arg)*)
        }
    )*};
}

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        escaped(out, text)
    }

    fn write_raw_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        escaped(out, text)
    }

    passed_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_could_act_on_is_escaped() {
        let text = "a\u{1b}[31m\u{9b}\u{7f}\u{202e}\u{200b}\u{feff}\u{e0041}é漢👍\u{a0}";
        let json = to_string(&serde_json::json!({ text: [text] })).unwrap();
        let half = r"a\u001b[31m\u009b\u007f\u202e\u200b\ufeff\udb40\udc41é漢👍\u00a0";
        assert_eq!(json, format!(r#"{{"{half}":["{half}"]}}"#));
    }

    #[test]
    fn a_document_that_came_as_it_is_is_escaped_too() {
        let raw = serde_json::value::RawValue::from_string("{\n\t\"a\u{9b}\":\r\n1}".to_owned()).unwrap();
        assert_eq!(to_string(&raw).unwrap(), r#"{  "a\u009b":  1}"#);
    }

    proptest! {
        #[test]
        fn a_reader_gets_back_what_went_in(text in any::<String>()) {
            let value = serde_json::json!({ "key": [text.clone(), { text: null }] });
            for json in [to_string(&value).unwrap(), to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&json).unwrap(), &value);
                let hidden = |c: char| c != '\n' && !safe_raw(c);
                prop_assert!(!json.contains(hidden), "{}", json.escape_debug());
            }
        }
    }
}
