//! Whether a trace is there, and which one a person may have meant when it is not.

use super::ids::{id_hash, stored_id};
use super::open::Store;
use super::traces::{StoredTrace, find};
use crate::domain::{Error, Result, Untrusted};

/// How many of the newest traces are looked at for one of a similar id.
const LOOKED_AT: i64 = 50_000;

impl Store {
    /// The trace of this id. Errors with `NotSo` when there is none, naming the nearest.
    pub fn wanted_trace(&self, id: &Untrusted) -> Result<StoredTrace> {
        loop {
            if let Some(stored) = self.trace_by_id(id.raw())? {
                return Ok(stored);
            }
            // It goes on where the trace came in between the two looks.
            self.require_trace(id)?;
        }
    }

    /// Errors with `NotSo` when there is no trace of this id, naming the nearest.
    pub fn require_trace(&self, id: &Untrusted) -> Result<()> {
        if self.has_trace(id)? {
            return Ok(());
        }
        let error = Error::not_so(format!("There is no trace {:?} in {}.", id.raw(), self.path().display()));
        Err(match self.nearest_trace(id)? {
            Some(near) => error.hint(format!("Did you mean {}?", near.raw())),
            None => error.hint("`tuesday trace list` shows the traces that are there."),
        })
    }

    /// Whether there is a trace of this id.
    pub fn has_trace(&self, id: &Untrusted) -> Result<bool> {
        self.read(|db| Ok(find(db, id.raw(), id_hash(id.raw()))?.is_some()))
    }

    /// The places of these traces in the order of arrival; `None` for one that is not there.
    pub fn seqs_of(&self, ids: &[Untrusted]) -> Result<Vec<Option<i64>>> {
        self.read(|db| {
            let found =
                ids.iter().map(|id| Ok(find(db, id.raw(), id_hash(id.raw()))?.map(|found| found.seq)));
            found.collect()
        })
    }

    /// Among the newest traces, the id that is most like this one: it begins so, or differs in little.
    fn nearest_trace(&self, id: &Untrusted) -> Result<Option<Untrusted>> {
        let wanted = id.raw();
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT id FROM main.trace ORDER BY seq DESC LIMIT ?")?;
            let mut rows = query.query([LOOKED_AT])?;
            let mut best: Option<(f64, Untrusted)> = None;
            while let Some(row) = rows.next()? {
                let held = stored_id(row.get_ref(0)?)?;
                let begins = wanted.len() >= 4 && held.raw().starts_with(wanted);
                // Longer texts are no typing mistakes, and comparing them takes long.
                let comparable = held.raw().len() <= 128 && held.raw().len().abs_diff(wanted.len()) <= 2;
                let near = match (begins, comparable) {
                    (true, _) => 1.0,
                    (false, true) => strsim::normalized_damerau_levenshtein(held.raw(), wanted),
                    (false, false) => 0.0,
                };
                if near >= 0.8 && best.as_ref().is_none_or(|(most, _)| near > *most) {
                    best = Some((near, held));
                }
            }
            Ok(best.map(|(_, id)| id))
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{ErrorKind, Trace};
    use crate::store::{Access, Preparer};

    #[test]
    fn traces_are_found_with_and_without_the_index_of_ids() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.db"), Access::Create).unwrap();
        let mut preparer = Preparer::new(None).unwrap();
        let mut loader = store.loader(0).unwrap();
        for numbers in [0..4_000, 4_000..9_000] {
            let traces = numbers.map(|n| {
                let json = serde_json::json!({ "id": format!("t-{n}"), "input": "?", "output": "!" });
                serde_json::from_value::<Trace>(json).unwrap()
            });
            let mut batch: Vec<_> =
                traces.map(|t| preparer.prepare(t, Timestamp::UNIX_EPOCH).unwrap()).collect();
            loader.write(&mut batch).unwrap();
        }
        let wanted = ["t-0", "t-4095", "t-4096", "t-8999", "t-9000"].map(Untrusted::from);
        let expected = [Some(1), Some(4_096), Some(4_097), Some(9_000), None];
        assert_eq!(store.seqs_of(&wanted).unwrap(), expected);
        // Under a reader that has the statement at hand already.
        store.traces_writer().unwrap().db().execute_batch("DROP INDEX trace_id").unwrap();
        assert_eq!(store.seqs_of(&wanted).unwrap(), expected);
        store.build_indexes().unwrap();
        assert_eq!(store.seqs_of(&wanted).unwrap(), expected);
        let missing = store.require_trace(&"t-9000".into()).unwrap_err();
        assert_eq!((missing.kind, missing.hints.len()), (ErrorKind::NotSo, 1));
    }
}
