//! The hash chain over an incident's record: tampering becomes visible, not impossible.

/// A blake3 hash.
pub type Hash = [u8; 32];

/// What the hash of one event covers: everything that is kept of it, as it is kept.
pub struct Link<'a> {
    /// The incident's uuid, so that no event can be moved to another.
    pub incident: &'a str,
    /// Its place.
    pub seq: u64,
    /// When it happened, ms since the epoch.
    pub happened_ms: i64,
    /// When it was written down, ms since the epoch.
    pub recorded_ms: i64,
    /// By whom.
    pub actor: &'a str,
    /// The event's kind.
    pub kind: &'a str,
    /// The step it is about; empty when none.
    pub step: &'a str,
    /// The event's payload as kept.
    pub payload: &'a str,
    /// The hash of the event before; zeros for the first.
    pub prev: &'a Hash,
}

/// The hash of one event.
pub fn link(event: &Link<'_>) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key("tuesday incident event 1");
    hasher.update(event.prev);
    hasher.update(&event.seq.to_le_bytes());
    hasher.update(&event.happened_ms.to_le_bytes());
    hasher.update(&event.recorded_ms.to_le_bytes());
    for text in [event.incident, event.actor, event.kind, event.step, event.payload] {
        // With its length, so that no text can lend letters to its neighbour.
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}
