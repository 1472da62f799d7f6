//! From keys to commands: the table's keys with a person's own in their place.

use std::collections::BTreeMap;

use super::table;
use super::{Id, Key, Place, When, parse_keys};
use crate::domain::{Error, Result};

/// Which keys mean which command, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

#[derive(Debug, Clone, PartialEq)]
struct Binding {
    keys: Vec<Key>,
    id: Id,
}

/// What the keys pressed so far mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// This command.
    Command(Id),
    /// Nothing yet: these keys go on, each with what it would mean (a command, or more keys).
    Pending(Vec<(Key, Id)>),
    /// Nothing.
    Nothing,
}

impl Default for Keymap {
    /// The table's own keys.
    fn default() -> Self {
        Self::new(&BTreeMap::new()).expect("the table's own keys do not clash; a test holds this")
    }
}

impl Keymap {
    /// The table's keys, but for the commands named in `own` these keys (none frees the command's keys).
    /// An unknown command, a name that is no key, and keys that mean two things in one place are refused.
    pub fn new(own: &BTreeMap<String, Vec<String>>) -> Result<Self> {
        for name in own.keys() {
            if !table::all().any(|row| row.id.0 == name) {
                let near = nearest(name, table::all().map(|row| row.id.0));
                let error = Error::usage(format!("There is no command `{name}`."));
                return Err(match near {
                    Some(near) => {
                        error.hint(format!("Did you mean `{near}`? `tuesday keys` lists them all."))
                    }
                    None => error.hint("`tuesday keys` lists them all."),
                });
            }
        }
        let mut bindings = Vec::new();
        for row in table::all() {
            match own.get(row.id.0) {
                Some(keys) => {
                    for text in keys {
                        bindings.push(Binding { keys: parse_keys(text)?, id: row.id });
                    }
                }
                None => {
                    for text in row.keys {
                        bindings.push(Binding { keys: parse_keys(text)?, id: row.id });
                    }
                }
            }
        }
        let map = Self { bindings };
        map.refuse_clashes()?;
        Ok(map)
    }

    fn refuse_clashes(&self) -> Result<()> {
        for (at, one) in self.bindings.iter().enumerate() {
            for other in &self.bindings[at + 1..] {
                if one.id == other.id || !together(one.id, other.id) {
                    continue;
                }
                let (short, long) =
                    if one.keys.len() <= other.keys.len() { (one, other) } else { (other, one) };
                if long.keys.starts_with(&short.keys) {
                    return Err(Error::usage(format!(
                        "The keys `{}` of `{}` and `{}` of `{}` are in each other's way.",
                        super::keys_text(&one.keys),
                        one.id.0,
                        super::keys_text(&other.keys),
                        other.id.0
                    ))
                    .hint("Give one of them another key under [keys] in tuesday.toml."));
                }
            }
        }
        Ok(())
    }

    /// What `pressed` means in these places, among the commands whose condition holds.
    pub fn find(&self, places: &[Place], pressed: &[Key], holds: impl Fn(When) -> bool) -> Found {
        let mut pending: Vec<(Key, Id)> = Vec::new();
        for binding in &self.bindings {
            let row = table::row(binding.id);
            if !binding.keys.starts_with(pressed)
                || !row.places.iter().any(|place| places.contains(place))
                || !holds(row.when)
            {
                continue;
            }
            match binding.keys.get(pressed.len()) {
                None => return Found::Command(binding.id),
                Some(next) => pending.push((*next, binding.id)),
            }
        }
        if pending.is_empty() { Found::Nothing } else { Found::Pending(pending) }
    }

    /// The keys of a command, most usual first.
    pub fn keys_of(&self, id: Id) -> impl Iterator<Item = &[Key]> {
        self.bindings.iter().filter(move |binding| binding.id == id).map(|binding| binding.keys.as_slice())
    }

    /// The written name of the first keys of a command, or nothing.
    pub fn key_text(&self, id: Id) -> Option<String> {
        self.keys_of(id).next().map(super::keys_text)
    }
}

/// Whether two commands can be asked for in the same moment.
fn together(one: Id, other: Id) -> bool {
    let (one, other) = (table::row(one).places, table::row(other).places);
    let reaches = |place: &Place, places: &[Place]| {
        places.contains(place) || (place.is_screen() && places.contains(&Place::Anywhere))
    };
    one.iter().any(|place| reaches(place, other)) || other.iter().any(|place| reaches(place, one))
}

/// The name most like `name`, when one is like enough.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(name.len()) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::table::app;

    fn find(map: &Keymap, text: &str) -> Found {
        map.find(&[Place::Health, Place::Anywhere], &parse_keys(text).unwrap(), |when| when == When::ALWAYS)
    }

    #[test]
    fn the_tables_keys_do_not_clash() {
        let map = Keymap::new(&BTreeMap::new()).unwrap();
        assert_eq!(find(&map, "q"), Found::Command(app::QUIT));
        assert_eq!(find(&map, "g g"), Found::Command(app::TOP));
        assert_eq!(find(&map, "g z"), Found::Nothing);
        assert_eq!(find(&map, "ctrl-x"), Found::Nothing, "no job runs");
        let Found::Pending(next) = find(&map, "g") else { panic!("g waits for another key") };
        assert!(next.contains(&(Key::char('h'), app::GO_HEALTH)));
    }

    #[test]
    fn own_keys_take_the_place_of_the_tables() {
        let own = BTreeMap::from([("quit".to_owned(), vec!["Q".to_owned()])]);
        let map = Keymap::new(&own).unwrap();
        assert_eq!(find(&map, "Q"), Found::Command(app::QUIT));
        assert_eq!(find(&map, "q"), Found::Nothing);
    }

    #[test]
    fn own_keys_that_cannot_be_are_refused() {
        let refused = |id: &str, keys: &str| {
            Keymap::new(&BTreeMap::from([(id.to_owned(), vec![keys.to_owned()])])).unwrap_err()
        };
        assert!(refused("quitt", "Q").hints[0].contains("`quit`"));
        assert!(refused("quit", "j").what.contains("`down`"));
        assert!(refused("quit", "g").what.contains("in each other's way"));
        assert!(refused("quit", "hyper-x").what.contains("not a key"));
    }
}
