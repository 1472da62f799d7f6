//! Files and standard input as streams of plain bytes, whatever they are packed in.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::{Error, Result};

/// Where bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input, written `-`.
    Stdin,
}

impl Source {
    /// The source that a command-line argument names.
    pub fn of(argument: &str) -> Self {
        if argument == "-" { Self::Stdin } else { Self::File(argument.into()) }
    }

    /// What it is called in messages and reports. Holds text from outside.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
        }
    }

    /// Opens it and looks at its first bytes for what it is packed in.
    pub fn open(&self) -> Result<Opened> {
        let (raw, size): (Box<dyn Read + Send>, _) = match self {
            Self::Stdin => (Box::new(io::stdin()), None),
            Self::File(path) => {
                let failed =
                    |e: io::Error| Error::not_so(format!("Cannot read {}.", path.display())).because(e);
                let file = File::open(path).map_err(failed)?;
                let about = file.metadata().map_err(failed)?;
                if about.is_dir() {
                    return Err(Error::not_so(format!("{} is a folder, not a file.", path.display()))
                        .hint("Name the files in it."));
                }
                (Box::new(file), about.is_file().then_some(about.len()))
            }
        };
        let read = Arc::new(AtomicU64::new(0));
        let mut raw = Counted { inner: raw, read: Arc::clone(&read) };
        let mut magic = Vec::new();
        raw.by_ref()
            .take(4)
            .read_to_end(&mut magic)
            .map_err(|e| Error::failed(format!("Cannot read {}.", self.name())).because(e))?;
        let packing = match magic.as_slice() {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Packing::Zstd,
            _ => Packing::None,
        };
        let whole = io::Cursor::new(magic).chain(raw);
        let buffer = |whole| BufReader::with_capacity(128 * 1024, whole);
        let bytes: Box<dyn Read + Send> = match packing {
            Packing::None => Box::new(whole),
            Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffer(whole))),
            Packing::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(buffer(whole))
                    .map_err(|e| Error::failed(format!("Cannot unpack {}.", self.name())).because(e))?;
                // A frame may ask for a window of gigabytes; 128 MiB is what `zstd --long` writes at most
                // without being asked to be read the same way.
                decoder
                    .window_log_max(27)
                    .map_err(|e| Error::failed(format!("Cannot unpack {}.", self.name())).because(e))?;
                Box::new(decoder)
            }
        };
        Ok(Opened { bytes, packing, size, read })
    }
}

/// What a file is packed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Nothing.
    None,
    /// gzip, of one or more members.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Packing {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// An open source.
pub struct Opened {
    /// The unpacked bytes.
    pub bytes: Box<dyn Read + Send>,
    /// What they were packed in.
    pub packing: Packing,
    /// Size of the file as it lies on the disk, where it has one.
    pub size: Option<u64>,
    /// How much of that size was read so far.
    pub read: Arc<AtomicU64>,
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}
