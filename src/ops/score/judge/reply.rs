//! What a judge answered, read and held against the criteria it was given.

use std::collections::BTreeMap;

use serde_json::{Deserializer, Value};

use super::Criterion;

/// Bytes of a reply that is looked at for ratings.
const LONGEST_REPLY: usize = 64 << 10;

/// One reply that could be read.
pub(super) struct Vote {
    pub(super) ratings: BTreeMap<String, f64>,
    pub(super) explanation: String,
}

/// The ratings of a reply: a JSON object, whatever stands around it. `Err`: why there are none. Two objects
/// that rate differently are none either: one of them may be quoted from what was judged.
pub(super) fn read(reply: &str, criteria: &[Criterion]) -> std::result::Result<Vote, String> {
    if reply.len() > LONGEST_REPLY {
        return Err("it is too long".into());
    }
    let (mut found, mut why): (Option<Vote>, _) = (None, "it holds no JSON object".to_owned());
    let mut rest = reply;
    while let Some(at) = rest.find('{') {
        rest = &rest[at..];
        let mut stream = Deserializer::from_str(rest).into_iter::<Value>();
        let Some(Ok(Value::Object(object))) = stream.next() else {
            rest = &rest[1..];
            continue;
        };
        rest = &rest[stream.byte_offset()..];
        match ratings(&object, criteria) {
            Ok(vote) if found.as_ref().is_some_and(|other| other.ratings != vote.ratings) => {
                return Err("it holds two ratings that differ".into());
            }
            Ok(vote) => found = Some(found.unwrap_or(vote)),
            Err(wrong) => why = wrong,
        }
    }
    found.ok_or(why)
}

pub(super) fn ratings(
    object: &serde_json::Map<String, Value>,
    criteria: &[Criterion],
) -> std::result::Result<Vote, String> {
    let get =
        |name: &str| object.iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, v)| v);
    let mut ratings = BTreeMap::new();
    for one in criteria {
        let rating = match get(&one.name) {
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_f64(),
            None => return Err(format!("it does not rate {}", one.name)),
        };
        let rating = rating.filter(|rating| (1.0..=10.0).contains(rating));
        ratings.insert(one.name.clone(), rating.ok_or_else(|| format!("{} is not 1 to 10", one.name))?);
    }
    let explanation =
        get("explanation").and_then(Value::as_str).unwrap_or("without an explanation").to_owned();
    Ok(Vote { ratings, explanation })
}
