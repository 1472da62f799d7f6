//! Ids: the 64-bit hash that finds a trace, how a trace's id is stored, and new ids for acts.

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::Untrusted;

/// What an id is looked up by: xxh3 of its bytes. Two ids may share it, so compare the id too.
pub fn id_hash(id: &str) -> i64 {
    xxh3_64(id.as_bytes()).cast_signed()
}

/// A trace's id as `trace.id` holds it: text, or the 16 bytes of a UUID in canonical form.
pub(super) fn stored_id(value: ValueRef<'_>) -> rusqlite::Result<Untrusted> {
    match value {
        ValueRef::Blob(bytes) => {
            let uuid =
                Uuid::from_slice(bytes).map_err(|e| rusqlite::types::FromSqlError::Other(Box::new(e)))?;
            Ok(uuid.hyphenated().to_string().into())
        }
        other => Ok(other.as_str()?.into()),
    }
}

/// A new UUID v7 for an act at this time. It sorts after `after`, the newest id there is, even within a
/// millisecond and when the clock was set back: the order of ids is the order of the acts.
pub fn new_id(at: Timestamp, after: Option<&str>) -> String {
    let ms = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let fresh = uuid::Builder::from_unix_timestamp_millis(ms, &rand::random()).into_uuid();
    let last = after.and_then(|id| Uuid::try_parse(id).ok());
    match last {
        Some(last) if fresh <= last => next(last).hyphenated().to_string(),
        _ => fresh.hyphenated().to_string(),
    }
}

/// The UUID v7 that follows: its random bits counted up by one, its time with them when they are full.
fn next(last: Uuid) -> Uuid {
    const LOW: u128 = (1 << 62) - 1;
    const MIDDLE: u128 = (1 << 12) - 1;
    let bits = last.as_u128();
    let packed = (bits >> 80 << 74) | ((bits >> 64 & MIDDLE) << 62) | (bits & LOW);
    let packed = packed.wrapping_add(1);
    Uuid::from_u128(
        (packed >> 74 << 80) | (0x7 << 76) | ((packed >> 62 & MIDDLE) << 64) | (0b10 << 62) | (packed & LOW),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_they_are_made_whatever_the_clock_does() {
        let times = [1_700_000_000_000, 1_700_000_000_000, 1_699_999_999_000, 1_700_000_000_001, 0, 0];
        let mut last: Option<String> = None;
        for ms in times.into_iter().cycle().take(2_000) {
            let id = new_id(Timestamp::from_millisecond(ms).unwrap(), last.as_deref());
            assert!(last.as_deref().is_none_or(|last| *last < *id), "{last:?} then {id}");
            assert_eq!(Uuid::try_parse(&id).unwrap().get_version_num(), 7);
            last = Some(id);
        }
    }

    #[test]
    fn full_random_bits_carry_into_the_time() {
        let full = Uuid::from_u128((5 << 80) | (0x7fff << 64) | (0b10 << 62) | ((1 << 62) - 1));
        let carried = next(full);
        assert!(carried > full);
        assert_eq!((carried.as_u128() >> 80, carried.get_version_num()), (6, 7));
    }
}
