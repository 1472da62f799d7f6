//! Colours as a person writes them, and the meanings that can have one.

use crate::text::Role;

/// A colour that a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// One of the terminal's 256; the first 16 are its own.
    Indexed(u8),
    Rgb(u8, u8, u8),
}

const NAMES: &[&str] = &[
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

/// The meanings that can be given a colour, by the words of the file.
pub const MEANINGS: &[(&str, Role)] = &[
    ("pass", Role::Pass),
    ("fail", Role::Fail),
    ("unsure", Role::Unsure),
    ("better", Role::Better),
    ("worse", Role::Worse),
    ("alert", Role::Alert),
    ("muted", Role::Muted),
    ("accent", Role::Accent),
    ("key", Role::Key),
    ("title", Role::Title),
    ("rule", Role::Rule),
    ("match", Role::Match),
    ("current_match", Role::CurrentMatch),
    ("heading", Role::Heading),
    ("code", Role::Code),
    ("quote", Role::Quote),
    ("link", Role::Link),
    ("json_key", Role::JsonKey),
    ("json_string", Role::JsonString),
    ("json_number", Role::JsonNumber),
    ("added", Role::Added),
    ("removed", Role::Removed),
];

impl Colour {
    /// Reads `red`, `bright-blue`, `#7bd88f` or a number up to 255.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(hex) = text.strip_prefix('#') {
            let rgb = (hex.len() == 6).then(|| u32::from_str_radix(hex, 16).ok()).flatten()?;
            let [_, r, g, b] = rgb.to_be_bytes();
            return Some(Self::Rgb(r, g, b));
        }
        if let Some(at) = NAMES.iter().position(|name| *name == text) {
            return u8::try_from(at).ok().map(Self::Indexed);
        }
        text.parse().ok().map(Self::Indexed)
    }
}

/// The names of colours.
pub fn colour_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}
