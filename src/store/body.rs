//! The body of a trace: all of it as JSON but id, feedback and scores, compressed with zstd and a
//! dictionary that was trained on the store's own first traces.
//!
//! The first byte of a stored body names its dictionary (0: none); the rest is one zstd frame with
//! its size. A body is never changed once written, but where later spans rewrite the trace: what else may
//! change lies in tables of its own.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::DecoderDictionary;

use crate::domain::{Content, Error, Result, Trace, Untrusted, stated_language};

/// Fast, and within a tenth of the ratio of the slower levels on texts of this size.
const LEVEL: i32 = 1;
/// Size of a trained dictionary. Larger ones save no more on texts of a kilobyte or two, and fall out of the
/// processor's first cache.
const DICTIONARY: usize = 16 * 1024;
/// Fewer samples than this train nothing worth its place.
pub(super) const SAMPLES: usize = 500;
/// No trace is larger: importing refuses longer lines. A larger claim is damage.
const LARGEST: usize = 256 * 1024 * 1024;

/// A dictionary to compress with.
#[derive(Debug, Clone)]
pub struct Dictionary {
    /// 1..=255; in the first byte of each body.
    pub id: u8,
    /// What zstd trained.
    pub bytes: Arc<Vec<u8>>,
}

/// Compresses bodies; each worker thread has its own.
pub struct BodyEncoder {
    dictionary: u8,
    zstd: Compressor<'static>,
    frame: Vec<u8>,
}

impl BodyEncoder {
    /// An encoder with this dictionary, or with none.
    pub fn new(dictionary: Option<&Dictionary>) -> Result<Self> {
        let zstd = Compressor::with_dictionary(LEVEL, dictionary.map_or(&[], |d| d.bytes.as_slice()));
        Ok(Self {
            dictionary: dictionary.map_or(0, |d| d.id),
            zstd: zstd.map_err(broken)?,
            frame: Vec::new(),
        })
    }

    /// The stored form of a body.
    pub fn encode(&mut self, json: &[u8]) -> Result<Vec<u8>> {
        self.frame.clear();
        self.frame.reserve(zstd::zstd_safe::compress_bound(json.len()));
        self.zstd.compress_to_buffer(json, &mut self.frame).map_err(broken)?;
        let mut z = Vec::with_capacity(1 + self.frame.len());
        z.push(self.dictionary);
        z.extend_from_slice(&self.frame);
        Ok(z)
    }
}

/// What was said in a trace.
#[derive(Deserialize)]
pub(super) struct Talk {
    pub(super) input: Content,
    pub(super) output: Content,
    #[serde(default)]
    pub(super) tags: Vec<Untrusted>,
}

/// Learns what bodies have in common.
pub(super) fn train(samples: &[Vec<u8>]) -> Option<Vec<u8>> {
    zstd::dict::from_samples(samples, DICTIONARY).ok()
}

/// The dictionaries of one store, read when first needed. They are only ever added.
#[derive(Default)]
pub(super) struct Dictionaries(Mutex<HashMap<u8, Arc<DecoderDictionary<'static>>>>);

impl Dictionaries {
    /// Makes sure that [`traces`](Self::traces) will know this body's dictionary.
    pub(super) fn prepare(&self, db: &Connection, z: &[u8]) -> rusqlite::Result<()> {
        let id = z.first().copied().unwrap_or(0);
        let mut known = self.lock();
        if id != 0 && !known.contains_key(&id) {
            let bytes: Option<Vec<u8>> = db
                .query_row("SELECT bytes FROM main.dictionary WHERE id = ?", [id], |r| r.get(0))
                .optional()?;
            if let Some(bytes) = bytes {
                known.insert(id, Arc::new(DecoderDictionary::copy(&bytes)));
            }
        }
        Ok(())
    }

    /// The traces of stored bodies whose dictionaries were [prepared](Self::prepare), in order, without
    /// what the tables hold.
    pub(super) fn traces<'a>(&self, bodies: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Trace>> {
        self.unpack(bodies, |json| serde_json::from_slice(json).map_err(damaged))
    }

    /// The same, of what is read most often only.
    pub(super) fn talks<'a>(&self, bodies: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Talk>> {
        self.unpack(bodies, |json| serde_json::from_slice(json).map_err(damaged))
    }

    /// What was said in one stored body, for a writer in its transaction.
    pub(super) fn talk(&self, db: &Connection, z: &[u8]) -> rusqlite::Result<Talk> {
        self.prepare(db, z)?;
        let talk = self.talks([z]).map(|mut talks| talks.pop());
        talk.and_then(|talk| talk.ok_or_else(|| damaged("it is empty"))).map_err(inner)
    }

    /// The bytes of one stored body, for a writer in its transaction.
    pub(super) fn bytes(&self, db: &Connection, z: &[u8]) -> rusqlite::Result<Vec<u8>> {
        self.prepare(db, z)?;
        self.json(z).map_err(inner)
    }

    /// The JSON of one stored body whose dictionary was [prepared](Self::prepare).
    pub(super) fn json(&self, z: &[u8]) -> Result<Vec<u8>> {
        Ok(self.unpack([z], |json| Ok(json.to_vec()))?.pop().unwrap_or_default())
    }

    /// The language that one stored body states whose dictionary was [prepared](Self::prepare). A body that is
    /// damaged states none.
    pub(super) fn stated_language(&self, z: &[u8]) -> Option<String> {
        #[derive(Deserialize)]
        struct Stated {
            #[serde(default)]
            metadata: serde_json::Map<String, serde_json::Value>,
        }
        // Most bodies without metadata need no reading.
        let read = |json: &[u8]| match memchr::memmem::find(json, b"\"metadata\"") {
            None => Ok(None),
            Some(_) => {
                let stated: Stated = serde_json::from_slice(json).map_err(damaged)?;
                Ok(stated_language(&stated.metadata))
            }
        };
        self.unpack([z], read).ok()?.pop().flatten()
    }

    fn unpack<'a, T>(
        &self,
        bodies: impl IntoIterator<Item = &'a [u8]>,
        read: impl Fn(&[u8]) -> Result<T>,
    ) -> Result<Vec<T>> {
        let known = self.lock().clone();
        // Making a context costs as much as unpacking a body, so one serves all of a dictionary.
        let mut contexts: HashMap<u8, Decompressor<'_>> = HashMap::new();
        let mut json = Vec::new();
        bodies
            .into_iter()
            .map(|z| {
                let (&id, frame) = z.split_first().ok_or_else(|| damaged("it is empty"))?;
                let size = Decompressor::upper_bound(frame)
                    .filter(|size| *size <= LARGEST)
                    .ok_or_else(|| damaged("its size is not believable"))?;
                let zstd = match contexts.entry(id) {
                    Entry::Occupied(context) => context.into_mut(),
                    Entry::Vacant(place) if id == 0 => place.insert(Decompressor::new().map_err(damaged)?),
                    Entry::Vacant(place) => {
                        let dictionary =
                            known.get(&id).ok_or_else(|| damaged("its dictionary is missing"))?;
                        place.insert(Decompressor::with_prepared_dictionary(dictionary).map_err(damaged)?)
                    }
                };
                json.clear();
                json.reserve(size);
                zstd.decompress_to_buffer(frame, &mut json).map_err(damaged)?;
                read(&json)
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u8, Arc<DecoderDictionary<'static>>>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// An error of ours on its way through a transaction.
pub(super) fn inner(error: Error) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(Box::new(error))
}

fn damaged(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::failed("The text of a trace in the store is damaged.")
        .because(why)
        .hint("Run `tuesday doctor` for the details; restore the file from a backup.")
}

/// The newest dictionary of the store, to compress with.
pub(super) fn newest(db: &Connection) -> rusqlite::Result<Option<Dictionary>> {
    db.query_row("SELECT id, bytes FROM dictionary ORDER BY id DESC LIMIT 1", [], |r| {
        Ok(Dictionary { id: r.get(0)?, bytes: Arc::new(r.get(1)?) })
    })
    .optional()
}

/// Keeps a trained dictionary; inside the transaction of the caller.
pub(super) fn keep(db: &Connection, bytes: Vec<u8>) -> rusqlite::Result<Dictionary> {
    let id: u8 = db.query_row("SELECT coalesce(max(id), 0) + 1 FROM dictionary", [], |r| r.get(0))?;
    db.execute("INSERT INTO dictionary(id, bytes) VALUES (?, ?)", params![id, bytes])?;
    Ok(Dictionary { id, bytes: Arc::new(bytes) })
}

fn broken(error: std::io::Error) -> Error {
    Error::failed("A trace could not be compressed.").because(error)
}
