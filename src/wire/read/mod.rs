//! Formats that come in: bytes → items ([`chunks`]) → traces. One file a format.
//!
//! Owns what a format means and what is wrong with an item, as a sentence. Must not know the store.
//! A new format is a new file, a variant of [`Format`] and an arm of [`Reader::read`].

mod binary;
mod chat;
mod chunks;
mod diagnose;
pub mod eval_set;
mod feed;
pub mod gate;
mod keys;
mod mapping;
pub mod rule_tests;
pub mod runbook;
mod scan;
mod source;
mod tuesday;

#[cfg(test)]
mod schema_tests;

pub use chunks::{Chunk, Chunks, Framing, Piece};
pub use mapping::Mapping;
pub use source::{Opened, Packing, Source};

use crate::domain::{Error, Result, Trace};
use crate::wire::otlp::Encoding;

/// A format of traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Our JSONL.
    Tuesday,
    /// Chat transcripts by a field mapping.
    Chat,
    /// OpenTelemetry's spans: documents of OTLP, in JSON or protobuf.
    Otlp,
}

impl Format {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tuesday => "tuesday",
            Self::Chat => "chat",
            Self::Otlp => "otlp",
        }
    }
}

/// A trace out of a file, before it is checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The trace.
    pub trace: Trace,
    /// How many fields the format does not know; they are in the metadata now.
    pub unknown: u64,
}

/// Turns items into traces.
#[derive(Debug, Clone)]
pub struct Reader {
    format: Format,
    mapping: Mapping,
}

impl Reader {
    /// A reader of this format; the mapping is for [`Format::Chat`].
    pub fn new(format: Format, mapping: Mapping) -> Self {
        Self { format, mapping }
    }

    /// Tells the format by the first item that is JSON. A mapping means [`Format::Chat`].
    pub fn detect(chunk: &Chunk, framing: Framing, mapping: Mapping, name: &str) -> Result<Self> {
        if mapping.is_given() {
            return Ok(Self::new(Format::Chat, mapping));
        }
        if matches!(framing, Framing::Fields | Framing::Prefixed) {
            return Ok(Self::new(Format::Otlp, mapping));
        }
        let object = chunk.pieces().into_iter().take(100).find_map(|piece| {
            serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&chunk.bytes[piece.range])
                .ok()
        });
        match object {
            // Nothing readable: as our own format every item is rejected with its reason.
            None => Ok(Self::new(Format::Tuesday, mapping)),
            Some(object) if object.contains_key("input") || object.contains_key("output") => {
                Ok(Self::new(Format::Tuesday, mapping))
            }
            Some(object)
                if ["resourceSpans", "resource_spans"].iter().any(|name| object.contains_key(*name)) =>
            {
                Ok(Self::new(Format::Otlp, mapping))
            }
            Some(object) if object.contains_key("messages") => Ok(Self::new(Format::Chat, mapping)),
            Some(_) => Err(Error::usage(format!(
                "Cannot tell the format of {name}: its first item has neither input and output, nor messages, nor resourceSpans."
            ))
            .hint("Say where the messages are, such as --map messages=/conversation/turns (see `tuesday help formats`).")
            .hint("Or name the format with --format.")),
        }
    }

    /// The format that it reads.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How an item is written that holds spans: several traces, or parts of them, for [`otlp`](crate::wire::otlp).
    /// `None` where each item is a trace.
    pub fn spans(&self, item: &[u8]) -> Option<Encoding> {
        let json = item.first() == Some(&b'{');
        (self.format == Format::Otlp).then_some(if json { Encoding::Json } else { Encoding::Protobuf })
    }

    /// Reads one item. The error is the reason in a reject file.
    pub fn read(&self, item: &[u8]) -> std::result::Result<Found, String> {
        let text = std::str::from_utf8(item)
            .map_err(|e| format!("not UTF-8: byte {} of the item is wrong", e.valid_up_to() + 1))?;
        match self.format {
            Format::Tuesday => tuesday::read(text),
            Format::Chat => chat::read(text, &self.mapping),
            Format::Otlp => Err("a document of spans, not a trace".to_owned()),
        }
    }
}
