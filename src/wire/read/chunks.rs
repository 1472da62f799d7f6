//! Streams cut into chunks of whole items: lines of a JSONL file, elements of a JSON array, or JSON
//! objects one after the other. Memory is bounded whatever the input: an item over the limit is
//! skipped and reported, and the items after it are read.

use std::io::Read;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr};

use super::binary::{self, Next};
use super::feed::{Ended, Feed};
use super::scan::Scanner;
use super::source::Packing;

/// An item may be this long, in bytes.
pub const LONGEST_ITEM: usize = 16 * 1024 * 1024;

/// How items lie in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// One a line.
    Lines,
    /// The elements of one JSON array.
    Array,
    /// JSON objects one after the other, each over several lines.
    Objects,
    /// The fields of one protobuf message: OTLP's `TracesData`, each of its resources an item that is such a
    /// message again.
    Fields,
    /// Protobuf messages, each behind its length in four bytes, as the Collector's file exporter writes them.
    Prefixed,
}

/// Items that follow each other in one stream.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The bytes of the items.
    pub bytes: Vec<u8>,
    /// Where `bytes` begins in the unpacked stream.
    pub offset: u64,
    /// The line on which `bytes` begins, from 1.
    pub line: u64,
    /// Where each item is; empty with [`Framing::Lines`], where each line is one.
    pub items: Vec<Range<usize>>,
    /// What is wrong with the stream after these items.
    pub flaw: Option<Flaw>,
}

/// One item of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it lies in the chunk's bytes, without white space around it.
    pub range: Range<usize>,
    /// Where it begins in the unpacked stream.
    pub offset: u64,
    /// The line on which it begins.
    pub line: u64,
}

impl Chunk {
    /// The items, in order. Lines of white space are none.
    pub fn pieces(&self) -> Vec<Piece> {
        let mut line = self.line;
        let mut seen = 0;
        let mut piece = |range: Range<usize>| {
            line += memchr_iter(b'\n', &self.bytes[seen..range.start]).count() as u64;
            seen = range.start;
            Piece { offset: self.offset + range.start as u64, range, line }
        };
        if !self.items.is_empty() {
            return self.items.iter().cloned().map(piece).collect();
        }
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < self.bytes.len() {
            let end = memchr(b'\n', &self.bytes[start..]).map_or(self.bytes.len(), |n| start + n);
            let line = &self.bytes[start..end];
            let text = line.trim_ascii_end();
            if !text.is_empty() {
                let indent = text.len() - text.trim_ascii_start().len();
                if indent < text.len() {
                    pieces.push(piece(start + indent..start + text.len()));
                }
            }
            start = end + 1;
        }
        pieces
    }
}

/// Something wrong with the stream itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where it begins in the unpacked stream.
    pub offset: u64,
    /// The line on which it begins.
    pub line: u64,
    /// What it is.
    pub reason: String,
    /// The bytes it is about, or their beginning.
    pub text: Vec<u8>,
}

/// Cuts a stream into chunks.
pub struct Chunks<R> {
    feed: Feed<R>,
    state: State,
}

enum State {
    Begin,
    /// Whether the beginning of this line was over the limit and is gone.
    Lines {
        skipping: bool,
    },
    Values {
        scanner: Scanner,
        framing: Framing,
    },
    /// Items that say their length. Bytes that are still to be skipped of one that is too long.
    Binary {
        framing: Framing,
        skip: usize,
    },
    Over,
}

impl<R: Read> Chunks<R> {
    /// Cuts this stream, which came out of this packing.
    pub fn new(source: R, packing: Packing) -> Self {
        Self { feed: Feed::new(source, packing), state: State::Begin }
    }

    /// How the items lie; known from the first chunk on.
    pub fn framing(&self) -> Framing {
        match self.state {
            State::Values { framing, .. } | State::Binary { framing, .. } => framing,
            _ => Framing::Lines,
        }
    }

    /// The next chunk, or `None` at the end. A chunk may hold no items but a flaw.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        loop {
            match &mut self.state {
                State::Over => return None,
                State::Begin => {
                    while self.feed.ended.is_none()
                        && (self.feed.buffer.trim_ascii().is_empty() || binary::may_be(&self.feed.buffer))
                    {
                        self.feed.fill();
                    }
                    self.begin();
                }
                State::Lines { .. } => {
                    if let Some(chunk) = self.lines() {
                        return Some(chunk);
                    }
                }
                State::Values { .. } => {
                    if let Some(chunk) = self.values() {
                        return Some(chunk);
                    }
                }
                State::Binary { .. } => {
                    if let Some(chunk) = self.binary() {
                        return Some(chunk);
                    }
                }
            }
        }
    }

    /// Drops a byte order mark and tells the framing by the first line.
    fn begin(&mut self) {
        if self.feed.buffer.starts_with(b"\xef\xbb\xbf") {
            self.feed.drop_front(3);
        }
        if let Some(framing) = binary::framing(&self.feed.buffer) {
            self.state = State::Binary { framing, skip: 0 };
            return;
        }
        let text = self.feed.buffer.trim_ascii_start();
        let first = text.split(|c| *c == b'\n').next().unwrap_or_default().trim_ascii();
        self.state = match first {
            [b'[', ..] => State::Values { scanner: Scanner::array(), framing: Framing::Array },
            // No object ends so: it goes on in the next line.
            [b'{'] | [b'{', .., b'{' | b'[' | b','] => {
                State::Values { scanner: Scanner::objects(), framing: Framing::Objects }
            }
            _ => State::Lines { skipping: false },
        };
    }

    fn lines(&mut self) -> Option<Chunk> {
        let State::Lines { skipping } = &mut self.state else { return None };
        if *skipping {
            let end = memchr(b'\n', &self.feed.buffer);
            *skipping = end.is_none();
            self.feed.drop_front(end.map_or(self.feed.buffer.len(), |at| at + 1));
        }
        let mut whole = memrchr(b'\n', &self.feed.buffer).map_or(0, |at| at + 1);
        if self.feed.ended == Some(Ended::Clean) {
            whole = self.feed.buffer.len();
        }
        if whole > 0 {
            return Some(self.feed.take(whole, Vec::new()));
        }
        let flaw = match &self.feed.ended {
            Some(Ended::Clean) => None,
            Some(Ended::Broken(reason)) => Some(self.feed.flaw(0, reason.clone())),
            None if self.feed.buffer.len() > LONGEST_ITEM => Some(self.feed.too_long(0, "line")),
            None => {
                self.feed.fill();
                return None;
            }
        };
        if self.feed.ended.is_some() {
            self.state = State::Over;
        } else {
            self.feed.drop_front(self.feed.buffer.len());
            self.state = State::Lines { skipping: true };
        }
        flaw.map(|flaw| Chunk { offset: flaw.offset, line: flaw.line, flaw: Some(flaw), ..Chunk::default() })
    }

    fn binary(&mut self) -> Option<Chunk> {
        let State::Binary { framing, skip } = &mut self.state else { return None };
        if *skip > 0 {
            let gone = (*skip).min(self.feed.buffer.len());
            *skip -= gone;
            self.feed.drop_front(gone);
        }
        let cut = binary::cut(&self.feed.buffer, *framing);
        if cut.length > 0 {
            return Some(self.feed.take(cut.length, cut.items));
        }
        let flaw = match cut.next {
            Next::Strange => Some(self.feed.flaw(0, "not OTLP in protobuf from here on")),
            Next::Long(length) => {
                *skip = length;
                let flaw = self.feed.too_long(0, "item");
                return Some(Chunk {
                    offset: flaw.offset,
                    line: flaw.line,
                    flaw: Some(flaw),
                    ..Chunk::default()
                });
            }
            Next::Unfinished => match &self.feed.ended {
                None => {
                    self.feed.fill();
                    return None;
                }
                Some(Ended::Broken(reason)) => Some(self.feed.flaw(0, reason.clone())),
                Some(Ended::Clean) if self.feed.buffer.is_empty() => None,
                Some(Ended::Clean) => Some(self.feed.flaw(0, "the file ends inside this item")),
            },
        };
        self.state = State::Over;
        flaw.map(|flaw| Chunk { offset: flaw.offset, line: flaw.line, flaw: Some(flaw), ..Chunk::default() })
    }

    fn values(&mut self) -> Option<Chunk> {
        let State::Values { scanner, .. } = &mut self.state else { return None };
        let mut items = Vec::new();
        scanner.scan(&self.feed.buffer, &mut items);
        if let Some(last) = items.last() {
            let length = last.end;
            scanner.moved(length);
            return Some(self.feed.take(length, items));
        }
        let flaw = match &self.feed.ended {
            Some(ended) => {
                let at = scanner.item_start().unwrap_or(self.feed.buffer.len());
                let reason = match ended {
                    Ended::Broken(reason) => Some(reason.clone()),
                    Ended::Clean => scanner.missing_end().map(str::to_owned),
                };
                self.state = State::Over;
                reason.map(|reason| self.feed.flaw(at, reason))
            }
            None => match scanner.item_start() {
                Some(at) if self.feed.buffer.len() - at > LONGEST_ITEM => {
                    let flaw = self.feed.too_long(at, "item");
                    scanner.skip_item();
                    Some(flaw)
                }
                Some(_) => None,
                // Between items, or inside one that is skipped: nothing here is wanted any more.
                None => {
                    let length = self.feed.buffer.len();
                    scanner.moved(length);
                    self.feed.drop_front(length);
                    None
                }
            },
        };
        if flaw.is_none() && self.feed.ended.is_none() {
            self.feed.fill();
        }
        flaw.map(|flaw| Chunk { offset: flaw.offset, line: flaw.line, flaw: Some(flaw), ..Chunk::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line, offset, and text or reason.
    type Places = Vec<(u64, u64, String)>;

    /// All items and all flaws, however small the reads.
    fn read(input: &[u8], step: usize) -> (Places, Places) {
        let mut chunks = Chunks::new(Slow(input, step), Packing::None);
        let (mut items, mut flaws) = (Vec::new(), Vec::new());
        while let Some(chunk) = chunks.next_chunk() {
            for item in chunk.pieces() {
                let text = String::from_utf8_lossy(&chunk.bytes[item.range]).into_owned();
                items.push((item.line, item.offset, text));
            }
            flaws.extend(chunk.flaw.map(|f| (f.line, f.offset, f.reason)));
        }
        (items, flaws)
    }

    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn at(line: u64, offset: u64, text: &str) -> (u64, u64, String) {
        (line, offset, text.to_owned())
    }

    #[test]
    fn lines_with_all_kinds_of_ends() {
        for step in [1, 7, 1 << 20] {
            let (items, flaws) = read(b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{\"b\":2}\n{\"c\":3}", step);
            assert_eq!(items, [at(1, 3, "{\"a\":1}"), at(4, 16, "{\"b\":2}"), at(5, 24, "{\"c\":3}")]);
            assert_eq!(flaws, []);
        }
        assert_eq!(read(b"", 9), (vec![], vec![]));
    }

    #[test]
    fn elements_of_an_array_are_told_apart_even_when_one_is_broken() {
        let text = br#" [ {"a":"]},\"{"} ,
 7,{"b":[1,{"c":2}]} x , "s,]" , {"d":1]},{"e":5}
] "#;
        for step in [1, 5, 1 << 20] {
            let (items, flaws) = read(text, step);
            let texts: Vec<_> = items.iter().map(|i| i.2.as_str()).collect();
            assert_eq!(
                texts,
                [
                    r#"{"a":"]},\"{"}"#,
                    "7",
                    r#"{"b":[1,{"c":2}]}"#,
                    "x",
                    r#""s,]""#,
                    r#"{"d":1]"#,
                    "}",
                    r#"{"e":5}"#
                ]
            );
            assert_eq!((items[1].0, items[1].1), (2, 21));
            assert_eq!(flaws, []);
        }
    }

    #[test]
    fn a_cut_off_array_says_where() {
        let (items, flaws) = read(br#"[{"a":1},{"b":"#, 3);
        assert_eq!(items.len(), 1);
        assert_eq!(flaws, [at(1, 9, "the file ends inside this item")]);
        let (items, flaws) = read(br#"[{"a":1},"#, 3);
        assert_eq!(items.len(), 1);
        assert_eq!(flaws, [at(1, 9, "the file ends before the end of the array")]);
    }

    #[test]
    fn objects_over_several_lines() {
        let (items, flaws) = read(b"{\n \"a\": 1\n}\n{\n \"b\": {}\n}\n", 4);
        assert_eq!(items, [at(1, 0, "{\n \"a\": 1\n}"), at(4, 12, "{\n \"b\": {}\n}")]);
        assert_eq!(flaws, []);
    }

    #[test]
    fn an_item_over_the_limit_is_skipped_in_bounded_memory() {
        let long = "x".repeat(LONGEST_ITEM * 2);
        let lines = format!("{{\"a\":1}}\n{{\"long\":\"{long}\"}}\n{{\"b\":2}}\n");
        let (items, flaws) = read(lines.as_bytes(), 1 << 20);
        assert_eq!(items.len(), 2);
        assert_eq!((items[1].0, items[1].2.as_str()), (3, "{\"b\":2}"));
        assert_eq!(flaws, [at(2, 8, "line longer than 16 MiB")]);
        let array = format!("[{{\"a\":1}},\n{{\"long\":\"{long}\"}},\n{{\"b\":2}}]");
        let (items, flaws) = read(array.as_bytes(), 1 << 20);
        assert_eq!(items.len(), 2);
        assert_eq!((items[1].0, items[1].2.as_str()), (3, "{\"b\":2}"));
        assert_eq!(flaws, [at(2, 10, "item longer than 16 MiB")]);
    }
}
