//! The change feed: that somebody changed the store, told cheaply enough to be asked ten times a second.
//! What changed is then read from the subject's own feed, such as [`Store::labels_since`].

use rusqlite::Connection;

use super::open::Store;
use crate::domain::Result;

/// Watches both files of a store from a connection of its own, so that it sees what any connection of
/// any process commits, this program's other connections included.
pub struct Watch {
    // Closed before the store, whose writers take in the logs when they close last.
    db: Connection,
    store: Store,
    traces: i64,
    work: i64,
}

/// Which files changed since the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// The traces file: an import, or the text index.
    pub traces: bool,
    /// The work file: labels, samples, taxonomy, cases, incidents.
    pub work: bool,
}

impl Changes {
    /// Whether anything changed.
    pub fn any(self) -> bool {
        self.traces || self.work
    }
}

impl Store {
    /// Starts to watch: the first [`Watch::poll`] tells of changes from now on.
    pub fn watch(&self) -> Result<Watch> {
        let db = self.open_reader()?;
        let mut watch = Watch { db, store: self.clone(), traces: 0, work: 0 };
        watch.poll()?;
        Ok(watch)
    }
}

impl Watch {
    /// What changed since the last call. Reads two counters; takes microseconds.
    pub fn poll(&mut self) -> Result<Changes> {
        let version = |schema| {
            self.db
                .pragma_query_value(Some(schema), "data_version", |row| row.get::<_, i64>(0))
                .map_err(|e| self.store.explain(e))
        };
        let (traces, work) = (version("main")?, version("work")?);
        let changes = Changes { traces: traces != self.traces, work: work != self.work };
        (self.traces, self.work) = (traces, work);
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{LabelBody, Verdict};
    use crate::store::{Access, Act};

    #[test]
    fn another_connection_and_another_store_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mine = Store::open(&path, Access::Create).unwrap();
        let theirs = Store::open(&path, Access::Existing).unwrap();
        let mut watch = mine.watch().unwrap();
        assert!(!watch.poll().unwrap().any());
        let cursor = mine.label_cursor().unwrap();
        for (store, reviewer) in [(&theirs, "ben"), (&mine, "ann")] {
            let trace = "t-1".into();
            let act = Act { at: jiff::Timestamp::UNIX_EPOCH, reviewer, trace: &trace, sample: None };
            store.set_label(act, |_| Ok(LabelBody::verdict(Verdict::Pass))).unwrap();
            assert_eq!(watch.poll().unwrap(), Changes { traces: false, work: true });
            assert!(!watch.poll().unwrap().any());
        }
        let (events, after) = mine.labels_since(cursor).unwrap();
        assert_eq!(events.iter().map(|e| e.reviewer.raw()).collect::<Vec<_>>(), ["ben", "ann"]);
        assert_eq!(mine.labels_since(after).unwrap(), (Vec::new(), after));
        theirs.traces_writer().unwrap().db().execute("INSERT INTO meta VALUES ('k', 1)", []).unwrap();
        assert_eq!(watch.poll().unwrap(), Changes { traces: true, work: false });
    }
}
