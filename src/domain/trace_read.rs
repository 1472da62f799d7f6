//! How content and messages are read from JSON: what serde's `untagged` and `flatten` would do, without
//! the copy of everything that they make first, and with errors that say which form is wrong.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{ChatMessage, Content, Untrusted};

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a list of chat messages")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.into()))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
                let mut messages = Vec::new();
                while let Some(message) = items.next_element()? {
                    messages.push(message);
                }
                Ok(Content::Messages(messages))
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl<'de> Deserialize<'de> for ChatMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = ChatMessage;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a chat message")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<ChatMessage, A::Error> {
                let mut message = ChatMessage::default();
                let mut role: Option<Untrusted> = None;
                while let Some(key) = fields.next_key::<String>()? {
                    match key.as_str() {
                        "role" => role = Some(fields.next_value()?),
                        "content" => message.content = fields.next_value()?,
                        "tool_calls" => message.tool_calls = fields.next_value()?,
                        "tool_call_id" => message.tool_call_id = fields.next_value()?,
                        "name" => message.name = fields.next_value()?,
                        _ => {
                            message.extra.insert(key, fields.next_value()?);
                        }
                    }
                }
                message.role = role.ok_or_else(|| A::Error::missing_field("role"))?;
                Ok(message)
            }
        }
        deserializer.deserialize_map(Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_out_as_it_went_in() {
        for json in [
            r#""plain""#,
            r#"[{"role":"user","content":[{"type":"text","text":"x"}]},{"role":"assistant","content":null,"refusal":"no","z":[1]}]"#,
            r#"[{"role":"tool","content":"{}","tool_call_id":"1","name":"f"}]"#,
        ] {
            let content: Content = serde_json::from_str(json).unwrap();
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(value(&serde_json::to_string(&content).unwrap()), value(json));
            assert_eq!(
                serde_json::from_value::<Content>(serde_json::from_str(json).unwrap()).unwrap(),
                content
            );
        }
        let error = |json| serde_json::from_str::<Content>(json).unwrap_err().to_string();
        assert!(error("7").contains("expected text or a list of chat messages"));
        assert!(error(r#"[{"content":"x"}]"#).contains("missing field `role`"));
        assert!(error(r#"["x"]"#).contains("expected a chat message"));
    }
}
