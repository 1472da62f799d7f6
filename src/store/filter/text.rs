//! Words of a query as expressions of the search index, and the newest rows, which the index does not
//! know yet: while they are few, an index of their own is kept in memory.

use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::Connection;

use crate::domain::query::{Node, Side, Term, Word};
use crate::domain::{Result, Untrusted};
use crate::store::open::Store;
use crate::store::text_index::{Words, normalise};
use crate::text::figures::thousands;

/// At most so many rows are searched beside the index; reading more would keep a person waiting.
const MOST_TAIL: i64 = 5_000;

/// The table of the newest rows, whose words can change: by the rules of the search index, and with what
/// deleting takes.
const TAIL_INDEX: &str = "CREATE VIRTUAL TABLE text_index USING fts5(\
     input, output, content='', contentless_delete=1, detail=full, tokenize='ascii')";

/// How far the search index is, read once a request.
#[derive(Default)]
pub(in crate::store) struct TextState {
    /// The last `seq` that the index knows.
    pub(in crate::store) indexed: i64,
    /// The last `seq` there is.
    pub(in crate::store) last: i64,
    /// The rows between, while they are few.
    tail: Option<Arc<Tail>>,
}

impl TextState {
    /// Reads how far the index is.
    pub(in crate::store) fn read(store: &Store) -> Result<Self> {
        let (indexed, last) = store.text_index_state()?;
        let few = last > indexed && last - indexed <= MOST_TAIL;
        let tail = if few { Some(store.0.text_tail.upto(store, indexed, last)?) } else { None };
        Ok(Self { indexed, last, tail })
    }

    /// Rows after the index whose text matches this expression.
    pub(super) fn tail_matches(&self, wanted: &str) -> rusqlite::Result<Vec<i64>> {
        let Some(tail) = &self.tail else { return Ok(Vec::new()) };
        let rows = lock(&tail.rows);

        rows.prepare_cached("SELECT rowid FROM text_index WHERE text_index MATCH ?1 AND rowid > ?2")?
            .query_map((wanted, self.indexed), |r| r.get(0))?
            .collect()
    }

    /// What the person should know of the index: how many of the newest rows a search leaves out.
    pub(super) fn note(&self) -> Option<Untrusted> {
        let missing = self.last - self.indexed;
        (missing > 0 && self.tail.is_none()).then(|| {
            Untrusted::new(format!(
                "The search index is being built: the newest {} traces are not searched yet.",
                thousands(missing)
            ))
        })
    }
}

/// The newest rows' words, kept between requests and added to as rows arrive.
#[derive(Default)]
pub(in crate::store) struct TailCache(Mutex<Option<Arc<Tail>>>);

struct Tail {
    /// It holds the rows after this.
    after: i64,
    /// An index in memory of the same words as the one in the file.
    rows: Mutex<Connection>,
    /// Up to this.
    upto: Mutex<i64>,
    /// The last of the rewritten traces that it saw.
    rewritten: Mutex<i64>,
}

impl TailCache {
    /// A tail that holds the rows after `indexed` up to `last`, and maybe some before.
    fn upto(&self, store: &Store, indexed: i64, last: i64) -> Result<Arc<Tail>> {
        let mut kept = lock(&self.0);
        let usable = kept.as_ref().filter(|tail| {
            let upto = *lock(&tail.upto);
            tail.after <= indexed && indexed <= upto && last - tail.after <= 2 * MOST_TAIL
        });
        let tail = match usable {
            Some(tail) => Arc::clone(tail),
            None => {
                let rows = Connection::open_in_memory().map_err(|e| store.explain(e))?;
                rows.execute_batch(TAIL_INDEX).map_err(|e| store.explain(e))?;
                Arc::new(Tail {
                    after: indexed,
                    rows: Mutex::new(rows),
                    upto: Mutex::new(indexed),
                    rewritten: Mutex::new(0),
                })
            }
        };
        let mut upto = lock(&tail.upto);
        let mut seen = lock(&tail.rewritten);
        // Read before the words: what is rewritten after is told the next time.
        let (rewritten, last_n) = store.rewritten_since(*seen)?;
        for seq in rewritten.into_iter().filter(|seq| (tail.after + 1..=*upto).contains(seq)) {
            let words = store.words(seq, seq)?;
            lock_and_add(&tail.rows, &words).map_err(|e| store.explain(e))?;
        }
        *seen = last_n;
        drop(seen);
        if *upto < last {
            let words = store.words(*upto + 1, last)?;
            lock_and_add(&tail.rows, &words).map_err(|e| store.explain(e))?;
            *upto = last;
        }
        drop(upto);
        *kept = Some(Arc::clone(&tail));
        Ok(tail)
    }
}

fn lock_and_add(rows: &Mutex<Connection>, words: &[Words]) -> rusqlite::Result<()> {
    let mut db = lock(rows);
    let tx = db.transaction()?;
    {
        let mut insert =
            tx.prepare_cached("INSERT OR REPLACE INTO text_index(rowid, input, output) VALUES (?, ?, ?)")?;
        for one in words {
            insert.execute((one.seq, &one.input, &one.output))?;
        }
    }
    tx.commit()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Any of these words, on this side; `None` when they hold no letter or digit, which nothing matches.
pub(super) fn any_of(side: Side, words: &[Word]) -> Option<String> {
    let column = match side {
        Side::Any => "",
        Side::Input => "input : ",
        Side::Output => "output : ",
    };
    let words: Vec<String> = words.iter().filter_map(phrase).collect();
    (!words.is_empty()).then(|| format!("{column}({})", words.join(" OR ")))
}

/// What all text terms among these ask for; `None` when one asks for nothing that could be found.
pub(super) fn all_of(parts: &[Node]) -> Option<String> {
    let texts: Option<Vec<String>> = parts
        .iter()
        .filter_map(|part| match part {
            Node::Term(Term::Text { side, any }) => Some(any_of(*side, any)),
            _ => None,
        })
        .collect();
    texts.map(|texts| texts.join(" AND "))
}

/// A phrase in quotes, in which nothing is an operator.
fn phrase(word: &Word) -> Option<String> {
    let words = normalise(&word.text);
    let words = words.trim();
    // Only letters, digits and spaces come out, but quotes cost nothing.
    let quoted = words.replace('"', "\"\"");
    (!words.is_empty()).then(|| format!("\"{quoted}\"{}", if word.prefix { " *" } else { "" }))
}
