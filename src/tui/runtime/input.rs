//! From what the terminal sends to messages. Its answer to the question for the background's colour comes
//! among the keys, whenever it likes: it is taken out here and never reaches the program as keys.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

use crate::command::{Code, Key};
use crate::tui::message::{Message, Mouse};

/// The answer is `ESC ] 11 ; rgb:RRRR/GGGG/BBBB` and BEL or `ESC \`; the reader of keys makes of it alt-],
/// the characters one by one, and ctrl-g or alt-\.
const START: &str = "11;";
const LONGEST: usize = 40;

/// Reads events, remembering an answer that has begun.
#[derive(Debug, Default)]
pub struct Input {
    held: Vec<Key>,
    answer: String,
    /// The last key was a lone escape: an answer that came in two pieces can follow it.
    escaped: bool,
}

impl Input {
    /// The messages of an event.
    pub fn take(&mut self, event: Event) -> Vec<Message> {
        match event {
            Event::Key(event) if event.kind != KeyEventKind::Release => match key(event) {
                Some(key) => self.key(key),
                None => Vec::new(),
            },
            Event::Paste(text) => vec![Message::Paste(text)],
            Event::Resize(columns, rows) => vec![Message::Resize(columns, rows)],
            Event::Mouse(mouse) => {
                let act = match mouse.kind {
                    MouseEventKind::Down(MouseButton::Left) => Mouse::Press,
                    MouseEventKind::ScrollUp => Mouse::WheelUp,
                    MouseEventKind::ScrollDown => Mouse::WheelDown,
                    _ => return Vec::new(),
                };
                vec![Message::Mouse { at: (mouse.column, mouse.row), act }]
            }
            _ => Vec::new(),
        }
    }

    fn key(&mut self, key: Key) -> Vec<Message> {
        let begins = Key { alt: true, ..Key::char(']') };
        let ends = [Key::ctrl('g'), Key { alt: true, ..Key::char('\\') }];
        if self.held.is_empty() {
            let escaped = std::mem::replace(&mut self.escaped, key == Key::plain(Code::Esc));
            if key == begins || escaped && key == Key::char(']') {
                self.held.push(key);
                self.answer.clear();
                return Vec::new();
            }
            return vec![Message::Key(key)];
        }
        if ends.contains(&key) && self.answer.starts_with(START) {
            self.held.clear();
            let dark = background_is_dark(&self.answer);
            return dark.map(|dark| Message::Background { dark }).into_iter().collect();
        }
        self.held.push(key);
        let fits = key.typed().is_some_and(|c| {
            self.answer.push(c);
            self.answer.len() <= LONGEST
                && (START.starts_with(&self.answer) || self.answer.starts_with(START))
        });
        if fits {
            return Vec::new();
        }
        // It was a person after all.
        std::mem::take(&mut self.held).into_iter().map(Message::Key).collect()
    }
}

/// Whether the colour of an answer such as `11;rgb:1e1e/2020/2828` is a dark one.
fn background_is_dark(answer: &str) -> Option<bool> {
    let (_, channels) = answer.split_once(':')?;
    let mut values = channels.split('/').map(|hex| {
        let most =
            16u32.checked_pow(u32::try_from(hex.len()).ok()?)?.checked_sub(1).filter(|most| *most > 0)?;
        Some(f64::from(u32::from_str_radix(hex, 16).ok()?) / f64::from(most))
    });
    let (r, g, b) = (values.next()??, values.next()??, values.next()??);
    Some(0.2126 * r + 0.7152 * g + 0.0722 * b < 0.5)
}

/// Our name of a key; nothing for those that we do not know.
fn key(event: KeyEvent) -> Option<Key> {
    let has = |modifier| event.modifiers.contains(modifier);
    let (code, shift) = match event.code {
        KeyCode::Char(c) => (Code::Char(c), c == ' ' && has(KeyModifiers::SHIFT)),
        KeyCode::BackTab => (Code::Tab, true),
        KeyCode::Enter => (Code::Enter, has(KeyModifiers::SHIFT)),
        KeyCode::Esc => (Code::Esc, false),
        KeyCode::Tab => (Code::Tab, has(KeyModifiers::SHIFT)),
        KeyCode::Backspace => (Code::Backspace, false),
        KeyCode::Delete => (Code::Delete, false),
        KeyCode::Insert => (Code::Insert, false),
        KeyCode::Up => (Code::Up, has(KeyModifiers::SHIFT)),
        KeyCode::Down => (Code::Down, has(KeyModifiers::SHIFT)),
        KeyCode::Left => (Code::Left, has(KeyModifiers::SHIFT)),
        KeyCode::Right => (Code::Right, has(KeyModifiers::SHIFT)),
        KeyCode::Home => (Code::Home, has(KeyModifiers::SHIFT)),
        KeyCode::End => (Code::End, has(KeyModifiers::SHIFT)),
        KeyCode::PageUp => (Code::PageUp, false),
        KeyCode::PageDown => (Code::PageDown, false),
        KeyCode::F(n) => (Code::F(n), false),
        _ => return None,
    };
    Some(Key { code, ctrl: has(KeyModifiers::CONTROL), alt: has(KeyModifiers::ALT), shift })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the reader of keys makes of these bytes.
    fn send(input: &mut Input, keys: &[(char, KeyModifiers)]) -> Vec<Message> {
        keys.iter()
            .flat_map(|(c, modifiers)| input.take(Event::Key(KeyEvent::new(KeyCode::Char(*c), *modifiers))))
            .collect()
    }

    fn plain(text: &str) -> Vec<(char, KeyModifiers)> {
        text.chars().map(|c| (c, KeyModifiers::NONE)).collect()
    }

    #[test]
    fn the_answer_for_the_background_is_no_key() {
        for (end, colour, dark) in [
            (('g', KeyModifiers::CONTROL), "11;rgb:1e1e/1e1e/2e2e", true),
            (('\\', KeyModifiers::ALT), "11;rgb:ffff/fFfF/eeee", false),
            (('\\', KeyModifiers::ALT), "11;rgba:00/00/00/ff", true),
        ] {
            let mut input = Input::default();
            let mut keys = vec![(']', KeyModifiers::ALT)];
            keys.extend(plain(colour));
            keys.push(end);
            keys.push(('p', KeyModifiers::NONE));
            let messages = send(&mut input, &keys);
            assert!(
                matches!(&messages[..], [Message::Background { dark: d }, Message::Key(p)] if *d == dark && *p == Key::char('p')),
                "{messages:?}"
            );
        }
    }

    #[test]
    fn an_answer_in_two_pieces_is_no_key_either() {
        let mut input = Input::default();
        input.take(Event::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)));
        let mut keys = plain("]11;rgb:0000/0000/0000");
        keys.push(('g', KeyModifiers::CONTROL));
        let messages = send(&mut input, &keys);
        assert!(matches!(&messages[..], [Message::Background { dark: true }]), "{messages:?}");
    }

    #[test]
    fn a_person_who_presses_those_keys_is_heard() {
        let mut input = Input::default();
        let mut keys = vec![(']', KeyModifiers::ALT)];
        keys.extend(plain("1p"));
        let messages = send(&mut input, &keys);
        assert_eq!(messages.len(), 3, "{messages:?}");
        assert_eq!(send(&mut input, &plain("q")).len(), 1);
    }
}
