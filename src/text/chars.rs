//! What each character is to a terminal. The one table behind [`clean()`](super::clean()) and
//! [`json_out`](super::json_out).

/// What becomes of a character on its way to a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Drawn as it is, and never merges with a neighbour.
    Keep,
    /// Drawn as it is, once its neighbours are looked at: marks, complex scripts, emoji.
    Check,
    /// Drawn as this instead.
    Instead(&'static str),
    /// Left out: it has an innocent use in ordinary text and nothing to show.
    Drop,
    /// Part of a run of hidden characters, for which one substitute is drawn.
    Hidden,
}

/// What stands for a character that cannot be shown. Not U+FFFD: there are terminals that leave it out.
pub(super) const SUBSTITUTE: &str = "␦";

const CONTROL_PICTURES: [&str; 32] = [
    "␀", "␁", "␂", "␃", "␄", "␅", "␆", "␇", "␈", "␉", "␊", "␋", "␌", "␍", "␎", "␏", "␐", "␑", "␒", "␓", "␔",
    "␕", "␖", "␗", "␘", "␙", "␚", "␛", "␜", "␝", "␞", "␟",
];

/// The fate of a character. Line breaks and tabs are the caller's matter.
pub(super) fn fate(c: char) -> Fate {
    match c {
        ' '..='~' => Fate::Keep,
        '\0'..='\u{1f}' => Fate::Instead(CONTROL_PICTURES[c as usize]),
        '\u{7f}' => Fate::Instead("␡"),
        '\u{80}'..='\u{9f}' => Fate::Instead(SUBSTITUTE),
        // Soft hyphen, joiners, direction marks, variation selectors, fillers: ordinary text has them.
        // Without its joiners a family of emoji is drawn as its members, whose width all terminals agree on.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200c}'..='\u{200f}'
        | '\u{2d7f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0100}'..='\u{e01ef}' => Fate::Drop,
        // What hides or reorders text is worth seeing: one substitute a run.
        '\u{200b}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e00ff}'
        | '\u{e01f0}'..='\u{e0fff}' => Fate::Hidden,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => Fate::Instead(" "),
        // Characters on whose width terminals disagree, as ones on which they agree.
        '\u{2e3a}' => Fate::Instead("——"),
        '\u{2e3b}' => Fate::Instead("———"),
        '\u{ff9e}' => Fate::Instead("゛"),
        '\u{ff9f}' => Fate::Instead("゜"),
        '\u{17a4}' | '\u{17d8}' | '\u{fffd}' => Fate::Instead(SUBSTITUTE),
        '\u{1f1e6}'..='\u{1f1ff}' => Fate::Instead(regional_letter(c)),
        _ if plain(c) => Fate::Keep,
        '\u{3000}' => Fate::Keep,
        _ if assigned(c) => Fate::Check,
        _ => Fate::Instead(SUBSTITUTE),
    }
}

/// Whether the character may stand in JSON text on a terminal without an escape.
pub(super) fn safe_raw(c: char) -> bool {
    match fate(c) {
        Fate::Keep | Fate::Check => true,
        Fate::Drop | Fate::Hidden => false,
        Fate::Instead(_) => assigned(c),
    }
}

/// A letter for half a flag: some terminals draw flags two columns wide, some four, some as letters.
fn regional_letter(c: char) -> &'static str {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let at = c as usize - 0x1f1e6;
    LETTERS.get(at..=at).unwrap_or(SUBSTITUTE)
}

/// Common characters that are known to be assigned, visible, and alone in their cells. Only a short cut.
fn plain(c: char) -> bool {
    matches!(c,
        '\u{a1}'..='\u{ac}'
        | '\u{ae}'..='\u{2ff}'
        | '\u{391}'..='\u{3a1}'
        | '\u{3a3}'..='\u{3ff}'
        | '\u{400}'..='\u{482}'
        | '\u{48a}'..='\u{52f}'
        | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{205e}'
        | '\u{20a0}'..='\u{20c0}'
        | '\u{2190}'..='\u{22ff}'
        | '\u{2400}'..='\u{2426}'
        | '\u{2500}'..='\u{25fc}'
        | '\u{3001}'..='\u{3029}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30ff}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{ff01}'..='\u{ff60}')
}

/// Whether Unicode has assigned the character to something that can be seen: no control, format,
/// separator, surrogate, private-use or unassigned code point. The standard library's debug escapes
/// know this, for the character that follows another.
fn assigned(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_control();
    }
    let mut pair = [b'a'; 5];
    let len = 1 + c.encode_utf8(&mut pair[1..]).len();
    std::str::from_utf8(&pair[..len]).is_ok_and(|pair| pair.escape_debug().nth(1) == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_assigned_is_known() {
        for c in ['\u{378}', '\u{e000}', '\u{fdd0}', '\u{ffff}', '\u{10ffff}', '\u{600}', '\u{1d173}'] {
            assert_eq!(fate(c), Fate::Instead(SUBSTITUTE), "{}", c.escape_unicode());
        }
        for c in ['é', 'ß', 'Ω', 'ж', '漢', '한', 'ا', 'ก', '👍', '❤', '\u{301}', '∑'] {
            assert!(matches!(fate(c), Fate::Keep | Fate::Check), "{c}");
        }
    }

    #[test]
    fn the_short_cut_holds_only_what_it_says() {
        use unicode_width::UnicodeWidthChar;
        for c in (0..=0x10ffff).filter_map(char::from_u32).filter(|c| plain(*c)) {
            assert!(assigned(c), "{}", c.escape_unicode());
            assert!(matches!(c.width(), Some(1 | 2)), "{}", c.escape_unicode());
        }
    }
}
