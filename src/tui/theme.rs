//! Colours by meaning. What the words mean is in [`Role`]; here is how it looks on this terminal.

use ratatui::style::{Color, Modifier, Style};

use crate::config::{Colour, ThemeChoice};
use crate::text::{Role, Style as Meaning};

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// None at all, or none wanted: meaning is carried by words, glyphs and weight.
    None,
    /// The terminal's own sixteen.
    Sixteen,
    /// The fixed 256.
    Indexed,
    /// Any.
    True,
}

/// How meanings look.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    pub depth: Depth,
    /// For a dark background.
    pub dark: bool,
    /// Only ASCII characters can be drawn.
    pub ascii: bool,
    /// Whether the terminal's background decides between light and dark.
    pub follows_background: bool,
    own: Vec<(Role, Colour)>,
}

impl Default for Theme {
    fn default() -> Self {
        Self { depth: Depth::True, dark: true, ascii: false, follows_background: false, own: Vec::new() }
    }
}

/// What the environment says of the terminal.
#[derive(Debug, Clone, Default)]
pub struct Terminal {
    /// `TERM`.
    pub term: String,
    /// `COLORTERM`.
    pub colorterm: String,
    /// `NO_COLOR` is set to something.
    pub no_color: bool,
    /// The first of `LC_ALL`, `LC_CTYPE`, `LANG` that is set.
    pub locale: String,
}

impl Theme {
    /// Without colours, whatever the terminal has.
    #[cfg(test)]
    pub fn without_colour() -> Self {
        Self { depth: Depth::None, ..Self::default() }
    }

    /// The theme for this terminal, as the configuration wants it.
    pub fn new(choice: ThemeChoice, own: &[(Role, Colour)], terminal: &Terminal) -> Self {
        let term = terminal.term.as_str();
        let depth = if choice == ThemeChoice::None || terminal.no_color || term == "dumb" {
            Depth::None
        } else if matches!(terminal.colorterm.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
            Depth::True
        } else if term.contains("256") {
            Depth::Indexed
        } else {
            Depth::Sixteen
        };
        let locale = terminal.locale.to_ascii_lowercase();
        // A terminal that does not say is taken for a modern one; `C` and `POSIX` say.
        let ascii = matches!(locale.as_str(), "c" | "posix")
            || (!locale.is_empty()
                && locale.contains('.')
                && !locale.contains("utf-8")
                && !locale.contains("utf8"))
            || term == "linux" && locale.is_empty();
        Self {
            depth,
            dark: choice != ThemeChoice::Light,
            ascii,
            follows_background: choice == ThemeChoice::Auto && depth != Depth::None,
            own: own.to_vec(),
        }
    }

    /// How this meaning looks.
    pub fn style(&self, meaning: Meaning) -> Style {
        let mut style = self.role(meaning.role);
        for (on, modifier) in [
            (meaning.bold, Modifier::BOLD),
            (meaning.italic, Modifier::ITALIC),
            (meaning.underline, Modifier::UNDERLINED),
            (meaning.strike, Modifier::CROSSED_OUT),
            (meaning.dim, Modifier::DIM),
        ] {
            if on {
                style = style.add_modifier(modifier);
            }
        }
        style
    }

    /// The look of the line under the cursor, laid over what is on it.
    pub fn selected(&self) -> Style {
        match (self.depth, self.dark) {
            (Depth::None | Depth::Sixteen, _) => Style::new().add_modifier(Modifier::REVERSED),
            (_, true) => Style::new().bg(self.rgb(0x2b, 0x32, 0x45)),
            (_, false) => Style::new().bg(self.rgb(0xdf, 0xe6, 0xf3)),
        }
    }

    fn role(&self, role: Role) -> Style {
        let own = self.own.iter().find(|(of, _)| *of == role).map(|(_, colour)| *colour);
        let style = weight(role, self.depth);
        if self.depth == Depth::None {
            return style;
        }
        match own.map(|colour| self.own_colour(colour)).or_else(|| self.colour(role)) {
            Some(colour) if matches!(role, Role::Match | Role::CurrentMatch) => style
                .bg(colour)
                .fg(if self.depth == Depth::Sixteen { Color::Black } else { self.rgb(0x10, 0x10, 0x10) }),
            Some(colour) => style.fg(colour),
            None => style,
        }
    }

    fn colour(&self, role: Role) -> Option<Color> {
        let (dark, light, sixteen) = match role {
            Role::Plain | Role::Heading | Role::Title | Role::JsonString => return None,
            Role::Muted | Role::Rule | Role::JsonPunctuation => (0x8a93a6, 0x666f80, Color::DarkGray),
            Role::Quote => (0xa8b0c0, 0x555e70, Color::Gray),
            Role::Code => (0xd7b98e, 0x7a5200, Color::Yellow),
            Role::Link => (0x7fb4ff, 0x0a58ca, Color::Blue),
            Role::ListMark => (0x9aa7c7, 0x5a6785, Color::Blue),
            Role::JsonKey => (0x8fc1ff, 0x1550a8, Color::Cyan),
            Role::JsonNumber => (0xc9a8ff, 0x6a3fb5, Color::Magenta),
            Role::JsonLiteral => (0xffb27a, 0xa34c00, Color::Yellow),
            Role::Match => (0xe8d28a, 0xffe69a, Color::Yellow),
            Role::CurrentMatch => (0xffb454, 0xffb13d, Color::LightYellow),
            Role::Added | Role::Pass | Role::Better => (0x7bd88f, 0x12722e, Color::Green),
            Role::Removed | Role::Fail | Role::Worse => (0xff7b80, 0xb3202b, Color::Red),
            Role::Unsure => (0xe6c06a, 0x8a5a00, Color::Yellow),
            Role::Alert => (0xff9e64, 0xb04300, Color::LightRed),
            Role::Key => (0x9ecbff, 0x0a4fa8, Color::Cyan),
            Role::Accent => (0x7aa2f7, 0x1d4fbf, Color::LightBlue),
        };
        if self.depth == Depth::Sixteen {
            // On a light background the terminal's yellow and gray are hard to read.
            return Some(match sixteen {
                Color::Yellow | Color::LightYellow
                    if !self.dark && !matches!(role, Role::Match | Role::CurrentMatch) =>
                {
                    Color::Magenta
                }
                Color::Gray if !self.dark => Color::DarkGray,
                other => other,
            });
        }
        let rgb: u32 = if self.dark { dark } else { light };
        let [_, r, g, b] = rgb.to_be_bytes();
        Some(self.rgb(r, g, b))
    }

    fn rgb(&self, r: u8, g: u8, b: u8) -> Color {
        if self.depth == Depth::True { Color::Rgb(r, g, b) } else { Color::Indexed(nearest_indexed(r, g, b)) }
    }

    fn own_colour(&self, colour: Colour) -> Color {
        match colour {
            Colour::Rgb(r, g, b) if self.depth == Depth::Sixteen => {
                Color::Indexed(nearest_of_sixteen(r, g, b))
            }
            Colour::Rgb(r, g, b) => self.rgb(r, g, b),
            Colour::Indexed(n) => Color::Indexed(n),
        }
    }
}

/// What carries the meaning besides the colour, or without one.
fn weight(role: Role, depth: Depth) -> Style {
    let style = Style::new();
    let plain = depth == Depth::None;
    match role {
        Role::Heading | Role::Title | Role::Fail | Role::Alert | Role::Accent => {
            style.add_modifier(Modifier::BOLD)
        }
        Role::Link => style.add_modifier(Modifier::UNDERLINED),
        Role::Key if plain => style.add_modifier(Modifier::BOLD),
        Role::Muted | Role::Rule | Role::Quote if plain => style.add_modifier(Modifier::DIM),
        Role::Match if plain => style.add_modifier(Modifier::UNDERLINED),
        Role::CurrentMatch if plain => style.add_modifier(Modifier::REVERSED),
        Role::CurrentMatch => style.add_modifier(Modifier::BOLD),
        Role::Added | Role::Better if plain => style.add_modifier(Modifier::BOLD),
        Role::Removed if plain => style.add_modifier(Modifier::CROSSED_OUT),
        _ => style,
    }
}

/// The nearest of the 6×6×6 cube and the grays of the 256 colours.
fn nearest_indexed(r: u8, g: u8, b: u8) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |v: u8| (0..6u8).min_by_key(|i| STEPS[*i as usize].abs_diff(v)).unwrap_or(0);
    let (cr, cg, cb) = (step(r), step(g), step(b));
    let far = |x: (u8, u8, u8)| {
        [(x.0, r), (x.1, g), (x.2, b)].iter().map(|(p, q)| u32::from(p.abs_diff(*q)).pow(2)).sum::<u32>()
    };
    let cube = (STEPS[cr as usize], STEPS[cg as usize], STEPS[cb as usize]);
    let gray_at = ((u16::from(r) + u16::from(g) + u16::from(b)) / 3).saturating_sub(3).min(238) / 10;
    let gray_at = u8::try_from(gray_at).unwrap_or(0).min(23);
    let gray = 8 + 10 * gray_at;
    if far((gray, gray, gray)) < far(cube) { 232 + gray_at } else { 16 + 36 * cr + 6 * cg + cb }
}

fn nearest_of_sixteen(r: u8, g: u8, b: u8) -> u8 {
    let bright = r.max(g).max(b);
    let bit = |v: u8| u8::from(u16::from(v) * 2 > u16::from(bright)) & u8::from(bright > 60);
    bit(r) | bit(g) << 1 | bit(b) << 2 | if bright > 200 { 8 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(term: &str, colorterm: &str, locale: &str) -> Theme {
        let terminal = Terminal {
            term: term.into(),
            colorterm: colorterm.into(),
            no_color: false,
            locale: locale.into(),
        };
        Theme::new(ThemeChoice::Auto, &[], &terminal)
    }

    #[test]
    fn the_environment_decides_depth_and_characters() {
        assert_eq!(theme("xterm-256color", "truecolor", "en_US.UTF-8").depth, Depth::True);
        assert_eq!(theme("xterm-256color", "", "").depth, Depth::Indexed);
        assert_eq!(theme("linux", "", "C").depth, Depth::Sixteen);
        assert!(theme("linux", "", "C").ascii && !theme("xterm", "", "de_DE.utf8").ascii);
        assert!(theme("xterm", "", "de_DE.ISO-8859-1").ascii);
        let bare = Terminal { no_color: true, term: "xterm".into(), ..Terminal::default() };
        let theme = Theme::new(ThemeChoice::Dark, &[], &bare);
        assert_eq!(theme.style(Role::Fail.into()).fg, None);
    }

    #[test]
    fn colours_are_brought_down_to_what_the_terminal_has() {
        assert_eq!(nearest_indexed(255, 0, 0), 196);
        assert_eq!(nearest_indexed(8, 8, 8), 232);
        assert_eq!(nearest_of_sixteen(255, 20, 20), 9);
        let own = [(Role::Pass, Colour::Rgb(0, 255, 0))];
        let terminal = Terminal { term: "xterm-256color".into(), ..Terminal::default() };
        let theme = Theme::new(ThemeChoice::Dark, &own, &terminal);
        assert_eq!(theme.style(Role::Pass.into()).fg, Some(Color::Indexed(46)));
    }

    #[test]
    fn without_colour_every_warning_still_stands_out() {
        let theme = Theme { depth: Depth::None, ..Theme::default() };
        for role in [Role::Fail, Role::Alert, Role::Key, Role::Match, Role::CurrentMatch, Role::Removed] {
            assert_ne!(theme.style(role.into()), theme.style(Role::Plain.into()), "{role:?}");
        }
    }
}
