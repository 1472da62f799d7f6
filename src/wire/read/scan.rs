//! Finds where JSON values begin and end in a stream, without parsing them.
//!
//! It counts brackets outside strings, so a value that is broken inside its brackets is still told
//! from its neighbours: one bad item costs one item.

use std::ops::Range;

use memchr::memchr2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the `[`.
    Before,
    /// Between items.
    Between,
    /// Inside an object, array or string that is an item.
    Inside,
    /// Inside an item that is none of these: a number, a word, or rubbish.
    Bare,
    /// After the `]`.
    After,
}

/// The state between two reads.
#[derive(Debug)]
pub(super) struct Scanner {
    place: Place,
    array: bool,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// Where the item begins in the buffer.
    start: usize,
    /// How far the buffer was looked at.
    at: usize,
    /// Whether the item is not wanted.
    skipping: bool,
}

impl Scanner {
    /// For the elements of one array.
    pub(super) fn array() -> Self {
        Self { place: Place::Before, array: true, ..Self::objects() }
    }

    /// For values one after the other.
    pub(super) fn objects() -> Self {
        Self {
            place: Place::Between,
            array: false,
            depth: 0,
            in_string: false,
            escaped: false,
            start: 0,
            at: 0,
            skipping: false,
        }
    }

    /// Looks at the new end of the buffer and gives the items that end in it.
    pub(super) fn scan(&mut self, buffer: &[u8], items: &mut Vec<Range<usize>>) {
        while self.at < buffer.len() {
            let byte = buffer[self.at];
            match self.place {
                Place::Before => {
                    if byte == b'[' {
                        self.place = Place::Between;
                    }
                    self.at += 1;
                }
                Place::Between => self.between(byte),
                Place::Bare => {
                    if byte == b',' || byte.is_ascii_whitespace() || byte == b']' && self.array {
                        self.end(self.at, items);
                    } else {
                        self.at += 1;
                    }
                }
                Place::Inside => self.inside(buffer, items),
                Place::After => {
                    if byte.is_ascii_whitespace() {
                        self.at += 1;
                    } else {
                        (self.place, self.start) = (Place::Bare, self.at);
                        self.array = false;
                    }
                }
            }
        }
    }

    fn between(&mut self, byte: u8) {
        self.start = self.at;
        match byte {
            b',' => {}
            b if b.is_ascii_whitespace() => {}
            b']' if self.array => self.place = Place::After,
            b'{' | b'[' => (self.place, self.depth) = (Place::Inside, 1),
            b'"' => (self.place, self.depth, self.in_string) = (Place::Inside, 0, true),
            _ => self.place = Place::Bare,
        }
        self.at += 1;
    }

    fn inside(&mut self, buffer: &[u8], items: &mut Vec<Range<usize>>) {
        if self.escaped {
            self.escaped = false;
            self.at += 1;
        } else if self.in_string {
            match memchr2(b'"', b'\\', &buffer[self.at..]) {
                None => self.at = buffer.len(),
                Some(n) => {
                    self.escaped = buffer[self.at + n] == b'\\';
                    self.in_string = self.escaped;
                    self.at += n + 1;
                    if !self.in_string && self.depth == 0 {
                        self.end(self.at, items);
                    }
                }
            }
        } else {
            match buffer[self.at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            self.at += 1;
            if self.depth == 0 && !self.in_string {
                self.end(self.at, items);
            }
        }
    }

    fn end(&mut self, at: usize, items: &mut Vec<Range<usize>>) {
        if !self.skipping {
            items.push(self.start..at);
        }
        self.skipping = false;
        self.place = Place::Between;
    }

    /// The first bytes of the buffer are gone.
    pub(super) fn moved(&mut self, by: usize) {
        self.at = self.at.saturating_sub(by);
        self.start = self.start.saturating_sub(by);
    }

    /// Where the item that is not whole yet begins in the buffer.
    pub(super) fn item_start(&self) -> Option<usize> {
        (matches!(self.place, Place::Inside | Place::Bare) && !self.skipping).then_some(self.start)
    }

    /// The item that is not whole yet is not wanted: nothing is given for it.
    pub(super) fn skip_item(&mut self) {
        self.skipping = true;
    }

    /// What is missing when the input ends here.
    pub(super) fn missing_end(&self) -> Option<&'static str> {
        match self.place {
            Place::Inside | Place::Bare => Some("the file ends inside this item"),
            Place::Before | Place::Between if self.array => Some("the file ends before the end of the array"),
            _ => None,
        }
    }
}
