//! Keys by their written names: `q`, `ctrl-p`, `alt-1`, `shift-tab`, `space`, and sequences (`g g`).

use std::fmt;

use crate::domain::{Error, Result};

/// One key with its modifiers. A capital letter is its own character, without `shift`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub code: Code,
    pub ctrl: bool,
    pub alt: bool,
    /// Only with keys that have no shifted character: `shift-tab`, `shift-up`.
    pub shift: bool,
}

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

const NAMES: &[(&str, Code)] = &[
    ("space", Code::Char(' ')),
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("insert", Code::Insert),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("pgup", Code::PageUp),
    ("pgdn", Code::PageDown),
];

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// A character's key without modifiers.
    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// The same with ctrl.
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// The character that this key types, when it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt && !c.is_control() => Some(c),
            _ => None,
        }
    }

    /// Reads a key's written name.
    pub fn parse(text: &str) -> Result<Self> {
        let unknown = || {
            Error::usage(format!("`{text}` is not a key.")).hint(
                "Keys are written like these: q, G, ctrl-p, alt-1, shift-tab, space, enter, esc, pgdn, f5.",
            )
        };
        let mut key = Self::plain(Code::Esc);
        let mut rest = text;
        loop {
            if let Some(r) = rest.strip_prefix("ctrl-") {
                (key.ctrl, rest) = (true, r);
            } else if let Some(r) = rest.strip_prefix("alt-") {
                (key.alt, rest) = (true, r);
            } else if let Some(r) = rest.strip_prefix("shift-") {
                (key.shift, rest) = (true, r);
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_whitespace() && !c.is_control() => Code::Char(c),
            _ => match NAMES.iter().find(|(name, _)| *name == rest) {
                Some((_, code)) => *code,
                None => match rest.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()) {
                    Some(n @ 1..=12) => Code::F(n),
                    _ => return Err(unknown()),
                },
            },
        };
        match key.code {
            // Terminals send a capital letter or another sign instead of shift with a letter.
            Code::Char(c) if key.shift && c != ' ' => Err(unknown()),
            // Terminals do not tell ctrl-G from ctrl-g.
            Code::Char(c) if key.ctrl && c.is_uppercase() => Err(unknown()),
            _ => Ok(key),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (on, name) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if on {
                f.write_str(name)?;
            }
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, Code::F(n)) => write!(f, "f{n}"),
            (None, Code::Char(c)) => write!(f, "{c}"),
            (None, _) => Ok(()),
        }
    }
}

/// Reads a sequence of keys: `g g`, `f 1`, `ctrl-p`.
pub fn parse_keys(text: &str) -> Result<Vec<Key>> {
    let keys = text.split_whitespace().map(Key::parse).collect::<Result<Vec<_>>>()?;
    if keys.is_empty() { Err(Error::usage("A key is missing here.")) } else { Ok(keys) }
}

/// The written name of a sequence.
pub fn keys_text(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in
            ["q", "G", "ctrl-p", "alt-1", "shift-tab", "space", "enter", "f5", "-", "ctrl--", "alt-shift-up"]
        {
            let text = Key::parse(name).unwrap().to_string();
            assert_eq!(text, name);
        }
        assert_eq!(keys_text(&parse_keys("g  g").unwrap()), "g g");
    }

    #[test]
    fn what_no_terminal_sends_is_refused() {
        for name in ["", "shift-a", "ctrl-G", "f13", "escape", "ab"] {
            assert!(Key::parse(name).is_err(), "{name}");
        }
        assert!(parse_keys(" ").is_err());
    }
}
