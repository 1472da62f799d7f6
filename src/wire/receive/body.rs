//! Bodies: read within their limits, and unpacked within theirs.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;

use super::Limits;
use super::answer::Refusal;

/// Bytes of all bodies that are held now.
#[derive(Debug, Default)]
pub(super) struct Held(AtomicUsize);

/// A body, counted among those that are held as long as it lives.
pub(super) struct Bytes {
    bytes: Vec<u8>,
    counted: usize,
    held: Arc<Held>,
}

impl Bytes {
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        self.held.0.fetch_sub(self.counted, Ordering::Relaxed);
    }
}

/// What is read and thrown away of a body that is too large, so that the sender comes to read why.
const DRAINED: usize = 256 * 1024 * 1024;

/// Reads a body.
pub(super) async fn read(body: Body, held: &Arc<Held>, limits: &Limits) -> Result<Bytes, Refusal> {
    let mut body = body;
    let said = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if said > DRAINED {
        // It would not be read to its end: the answer need not wait for any of it.
        return Err(Refusal::TooLarge(limits.body));
    }
    let mut bytes = Bytes { bytes: Vec::new(), counted: 0, held: Arc::clone(held) };
    let whole = async {
        if said > limits.body {
            return Err(Refusal::TooLarge(limits.body));
        }
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Err(Refusal::Broken) };
            let Some(data) = frame.data_ref() else { continue };
            let before = held.0.fetch_add(data.len(), Ordering::Relaxed);
            bytes.counted += data.len();
            if before + data.len() > limits.held {
                return Err(Refusal::Busy);
            }
            if bytes.bytes.len() + data.len() > limits.body {
                return Err(Refusal::TooLarge(limits.body));
            }
            bytes.bytes.extend_from_slice(data);
        }
        Ok(())
    };
    match tokio::time::timeout(limits.whole, whole).await {
        Ok(Ok(())) => Ok(bytes),
        Err(_) => Err(Refusal::Slow),
        Ok(Err(refusal)) => {
            drop(bytes);
            if matches!(refusal, Refusal::TooLarge(_) | Refusal::Busy) {
                let rest = async {
                    let mut seen = 0;
                    while let Some(Ok(frame)) = body.frame().await {
                        seen += frame.data_ref().map_or(0, |data| data.len());
                        if seen > DRAINED {
                            break;
                        }
                    }
                };
                tokio::time::timeout(limits.turn, rest).await.ok();
            }
            Err(refusal)
        }
    }
}

/// Unpacks a body that came in gzip.
pub(super) fn unpack(packed: &[u8], limits: &Limits) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let most = limits.unpacked as u64 + 1;
    let read = flate2::read::MultiGzDecoder::new(packed).take(most).read_to_end(&mut bytes);
    match read {
        Ok(_) if bytes.len() > limits.unpacked => Err(Refusal::TooLargeUnpacked(limits.unpacked)),
        Ok(_) => Ok(bytes),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(Refusal::BadPacking("The gzip data end early."))
        }
        Err(_) => Err(Refusal::BadPacking("The body is not gzip, or damaged.")),
    }
}
