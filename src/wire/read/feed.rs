//! A stream read into a buffer that is taken away from its front.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter};

use super::chunks::{Chunk, Flaw, LONGEST_ITEM};
use super::source::Packing;

/// Bytes read before a chunk is handed on. A slower source hands on what there is.
const CHUNK: usize = 512 * 1024;
/// How much of an item over the limit is kept for the report.
const KEPT: usize = 4 * 1024;

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// Where it should.
    Clean,
    /// In the middle, with a reason.
    Broken(String),
}

pub(super) struct Feed<R> {
    source: R,
    packing: Packing,
    /// What was read and not taken yet.
    pub(super) buffer: Vec<u8>,
    /// Where `buffer` begins in the stream, in unpacked bytes.
    pub(super) offset: u64,
    /// The line on which `buffer` begins.
    pub(super) line: u64,
    /// How the stream ended, once it has.
    pub(super) ended: Option<Ended>,
}

impl<R: Read> Feed<R> {
    pub(super) fn new(source: R, packing: Packing) -> Self {
        Self { source, packing, buffer: Vec::new(), offset: 0, line: 1, ended: None }
    }

    /// Reads a chunk's worth, or less where the source would make us wait, or nothing at the end.
    pub(super) fn fill(&mut self) {
        let from = self.buffer.len();
        self.buffer.resize(from + CHUNK, 0);
        let mut got = from;
        while self.ended.is_none() && got < self.buffer.len() {
            match self.source.read(&mut self.buffer[got..]) {
                Ok(0) => self.ended = Some(Ended::Clean),
                Ok(n) => {
                    got += n;
                    // A pipe hands over what it has: whole lines must not wait for more.
                    if n < 4096 && memchr(b'\n', &self.buffer[from..got]).is_some() {
                        break;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => self.ended = Some(Ended::Broken(self.why(&e))),
            }
        }
        self.buffer.truncate(got);
    }

    fn why(&self, error: &io::Error) -> String {
        match (self.packing, error.kind()) {
            (Packing::None, _) => format!("reading failed here: {error}"),
            (packing, io::ErrorKind::UnexpectedEof) => {
                format!("the {} data end early: the file was cut off", packing.name())
            }
            (packing, _) => format!("the {} data are damaged from here on: {error}", packing.name()),
        }
    }

    /// Takes the first bytes as a chunk.
    pub(super) fn take(&mut self, length: usize, items: Vec<std::ops::Range<usize>>) -> Chunk {
        let tail = self.buffer.split_off(length);
        let bytes = std::mem::replace(&mut self.buffer, tail);
        let chunk = Chunk { offset: self.offset, line: self.line, items, flaw: None, bytes };
        self.offset += length as u64;
        self.line += memchr_iter(b'\n', &chunk.bytes).count() as u64;
        chunk
    }

    /// Drops the first bytes.
    pub(super) fn drop_front(&mut self, length: usize) {
        self.line += memchr_iter(b'\n', &self.buffer[..length]).count() as u64;
        self.offset += length as u64;
        self.buffer.drain(..length);
    }

    /// What is wrong with the bytes that are left, from this one on.
    pub(super) fn flaw(&self, at: usize, reason: impl Into<String>) -> Flaw {
        let text = self.buffer[at..].iter().copied().take(KEPT).collect();
        let line = self.line + memchr_iter(b'\n', &self.buffer[..at]).count() as u64;
        Flaw { offset: self.offset + at as u64, line, reason: reason.into(), text }
    }

    /// The flaw of an item that is over the limit.
    pub(super) fn too_long(&self, at: usize, noun: &str) -> Flaw {
        self.flaw(at, format!("{noun} longer than {} MiB", LONGEST_ITEM / 1024 / 1024))
    }
}
