//! A flag in the file that flagd serves (<https://flagd.dev/reference/flag-definitions/>).
//!
//! Off is `defaultVariant` set to the off variant with `targeting` taken out, since targeting decides before the
//! default does; what was there is parked for the way back. A `state` of `DISABLED` is never set: it means the
//! default in the application's code, which may be on, and an error in older versions of flagd.

use std::path::Path;

use serde_json::{Value, json};

use super::file::{Change, of};
use super::{Order, Reading, edit, text_of};
use crate::domain::switch::{FlagFormat, Flagd, Power};
use crate::domain::{Error, Result};

const JSON: FlagFormat = FlagFormat::Json;

struct Found {
    text: String,
    state: Value,
    default: Value,
    targeting: Option<Value>,
    variants: Value,
}

fn place(of_flag: &Flagd, member: &str) -> String {
    format!("/flags/{}/{member}", edit::token(&of_flag.flag))
}

fn find(of_flag: &Flagd, path: &Path) -> Result<Found> {
    let text = text_of(path)?;
    let get = |member: &str| edit::get(&text, JSON, &place(of_flag, member)).map_err(|e| of(path, e));
    let missing = |what: String| {
        Err(Error::not_so(format!("The flagd file {} {what}", path.display()))
            .hint("`flag`, `on` and `off` of the switch name the flag and two of its variants."))
    };
    let Some(default) = get("defaultVariant")? else {
        return missing(format!("has no flag {} with a `defaultVariant`.", of_flag.flag));
    };
    let found = Found {
        state: get("state")?.unwrap_or(Value::Null),
        targeting: get("targeting")?.filter(|of| !of.as_object().is_none_or(serde_json::Map::is_empty)),
        variants: get("variants")?.unwrap_or(Value::Null),
        default,
        text,
    };
    let wanted = [&of_flag.on, &of_flag.off].into_iter().chain(of_flag.fallbacks.values());
    match wanted.into_iter().find(|variant| found.variants.get(variant.as_str()).is_none()) {
        Some(variant) => missing(format!("has no variant {variant} of {}.", of_flag.flag)),
        None => Ok(found),
    }
}

pub(super) fn change(of_flag: &Flagd, home: &Path, order: Order<'_>) -> Result<Change> {
    let path = home.join(&of_flag.path);
    let found = find(of_flag, &path)?;
    if found.state == json!("DISABLED") {
        return Err(Error::not_so(format!(
            "The flag {} of {} is DISABLED: no variant is served.",
            of_flag.flag,
            path.display()
        ))
        .hint("Set its `state` to ENABLED: then a switch decides, and not the application's code."));
    }
    let shown = |value: &Value| {
        if value.as_object().is_some_and(serde_json::Map::is_empty) {
            "none".to_owned()
        } else {
            value.to_string()
        }
    };
    let mut text = found.text;
    let mut lines = Vec::new();
    let mut put = |member: &str, before: &Value, value: &Value| -> Result<()> {
        if before != value {
            text = edit::set(&text, JSON, &place(of_flag, member), value).map_err(|e| of(&path, e))?;
            lines.push(format!(
                "{} {} {member}: {} → {}",
                of_flag.path.display(),
                of_flag.flag,
                shown(before),
                shown(value)
            ));
        }
        Ok(())
    };
    let mut parked = None;
    match order.to {
        Power::Off => {
            let fallback = order.fallback.and_then(|fallback| of_flag.fallbacks.get(fallback.word()));
            put("defaultVariant", &found.default, &json!(fallback.unwrap_or(&of_flag.off)))?;
            if let Some(targeting) = &found.targeting {
                put("targeting", targeting, &json!({}))?;
            }
            parked = Some(json!({"defaultVariant": found.default, "targeting": found.targeting}));
        }
        Power::On => {
            let before =
                |member: &str| order.parked.and_then(|parked| parked.get(member)).filter(|of| !of.is_null());
            // What was parked while it was off already says nothing of how it was on.
            let default = before("defaultVariant").filter(|of| **of != json!(of_flag.off)).cloned();
            put("defaultVariant", &found.default, &default.unwrap_or_else(|| json!(of_flag.on)))?;
            if let (Some(targeting), None) = (before("targeting"), &found.targeting) {
                put("targeting", &json!({}), targeting)?;
            }
        }
    }
    Ok(Change { path, text, lines, parked })
}

pub(super) fn read(of_flag: &Flagd, home: &Path) -> Result<Reading> {
    let found = find(of_flag, &home.join(&of_flag.path))?;
    if found.state == json!("DISABLED") {
        return Ok(Reading::Unknown(
            "its state is DISABLED: the default in the application's code answers".to_owned(),
        ));
    }
    let is_off =
        std::iter::once(&of_flag.off).chain(of_flag.fallbacks.values()).any(|of| found.default == json!(of));
    Ok(match (is_off, &found.targeting) {
        (true, None) => Reading::Is(Power::Off),
        (true, Some(_)) => {
            Reading::Unknown("its targeting decides before the default variant does".to_owned())
        }
        (false, _) if found.default == json!(of_flag.on) => Reading::Is(Power::On),
        (false, _) => Reading::Unknown(format!("its default variant is {}", found.default)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::switch::Fallback;
    use crate::wire::flag::Acted;

    const FILE: &str = r#"{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "support-ai": {
      "state": "ENABLED",
      "variants": { "on": true, "off": false, "human": false },
      "defaultVariant": "on",
      "targeting": { "if": [{ "==": [{ "var": "lang" }, "de"] }, "off", "on"] }
    }
  }
}
"#;

    #[test]
    fn off_takes_the_targeting_out_and_on_puts_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flags.json");
        std::fs::write(&path, FILE).unwrap();
        let flag = Flagd {
            path: "flags.json".into(),
            flag: "support-ai".into(),
            on: "on".into(),
            off: "off".into(),
            fallbacks: [("human".to_owned(), "human".to_owned())].into(),
        };
        let read = || read(&flag, folder.path()).unwrap();
        assert_eq!(read(), Reading::Is(Power::On));
        let order = |to, fallback, parked| Order { to, fallback, parked };
        let off = change(&flag, folder.path(), order(Power::Off, Some(Fallback::Human), None)).unwrap();
        assert_eq!(off.lines[0], "flags.json support-ai defaultVariant: \"on\" → \"human\"");
        assert!(off.lines[1].ends_with("→ none"), "{:?}", off.lines);
        let Acted::Done(_, parked) = off.write().unwrap() else { panic!("it is done") };
        assert_eq!(read(), Reading::Is(Power::Off));
        let on = change(&flag, folder.path(), order(Power::On, None, parked.as_ref())).unwrap();
        on.write().unwrap();
        let after: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(after, serde_json::from_str::<Value>(FILE).unwrap());
        std::fs::write(&path, FILE.replace("ENABLED", "DISABLED")).unwrap();
        assert!(matches!(read(), Reading::Unknown(_)));
        assert!(change(&flag, folder.path(), order(Power::Off, None, None)).is_err());
        std::fs::write(&path, FILE.replace("\"off\": false, ", "")).unwrap();
        let error = change(&flag, folder.path(), order(Power::Off, None, None)).err().unwrap();
        assert!(error.what.contains("no variant off"), "{}", error.what);
    }
}
