//! What will be read as what: settled before the first trace is written, so that a mistake in the
//! last file's name does not leave half an import.

use super::ImportSpec;
use crate::domain::{Error, Result};
use crate::wire::read::{Chunk, Chunks, Format, Mapping, Opened, Reader, Source};

/// One file to read.
pub(super) struct Planned {
    pub(super) source: Source,
    pub(super) reader: Reader,
    /// What was read of it already, where it cannot be read twice.
    pub(super) begun: Option<Begun>,
    /// Its size on the disk, when it has one.
    pub(super) size: Option<u64>,
    /// About how many traces it holds; 0 when that cannot be told.
    pub(super) traces: u64,
}

/// A stream whose first chunk was looked at.
pub(super) struct Begun {
    pub(super) chunks: Chunks<Box<dyn std::io::Read + Send>>,
    pub(super) first: Option<Chunk>,
    pub(super) read: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

/// Looks at the beginning of every file.
pub(super) fn make(spec: &ImportSpec) -> Result<Vec<Planned>> {
    let mut mapping = Mapping::parse(spec.map.iter().map(String::as_str))?;
    if let Some(path) = &spec.map_file {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Error::not_so(format!("Cannot read the mapping file {}.", path.display())).because(e)
        })?;
        mapping.parse_file(&text, &path.display().to_string())?;
    }
    if spec.format.is_some_and(|format| format != Format::Chat) && mapping.is_given() {
        return Err(Error::usage("A mapping is for --format chat: other formats need none."));
    }
    if spec.files.iter().filter(|file| *file == "-").count() > 1 {
        return Err(Error::usage("Standard input (-) can be read only once."));
    }
    spec.files.iter().map(|file| planned(file, spec.format, &mapping)).collect()
}

fn planned(file: &str, format: Option<Format>, mapping: &Mapping) -> Result<Planned> {
    let source = Source::of(file);
    let Opened { bytes, packing, size, read } = source.open()?;
    let mut chunks = Chunks::new(bytes, packing);
    let first = chunks.next_chunk();
    let reader = match (format, &first) {
        (Some(format), _) => Reader::new(format, mapping.clone()),
        (None, Some(chunk)) => Reader::detect(chunk, chunks.framing(), mapping.clone(), file)?,
        (None, None) => Reader::new(Format::Tuesday, mapping.clone()),
    };
    // The share of the file that the first chunk took says how many such chunks there are.
    let traces = match (size, &first) {
        (Some(size), Some(chunk)) => {
            let packed = read.load(std::sync::atomic::Ordering::Relaxed).clamp(1, size.max(1));
            chunk.pieces().len() as u64 * size / packed
        }
        _ => 0,
    };
    let begun = (size.is_none()).then_some(Begun { chunks, first, read });
    Ok(Planned { source, reader, begun, size, traces })
}
