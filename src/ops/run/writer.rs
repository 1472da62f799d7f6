//! Many small writes, few commits: whatever came while the last commit reached the disk goes into the next.

use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::domain::{CaseId, Error, Result, RunName};
use crate::store::{RunWrite, Store};

/// The one writer of a run.
pub(super) struct Writer {
    to: Sender<RunWrite>,
    thread: JoinHandle<Result<()>>,
}

impl Writer {
    /// Starts it. What is about to be asked comes back from it once that is on the disk.
    pub(super) fn start(store: Store, run: RunName) -> Result<(Self, UnboundedReceiver<CaseId>)> {
        let (to, from) = unbounded();
        let (told, committed) = unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("run-writer".to_owned())
            .spawn(move || write(&store, &run, &from, &told))
            .map_err(|e| Error::failed("The run cannot be started.").because(e))?;
        Ok((Self { to, thread }, committed))
    }

    /// Queues a write. One that comes after a failure is lost; [`finish`](Self::finish) has the failure.
    pub(super) fn write(&self, what: RunWrite) {
        self.to.send(what).ok();
    }

    /// The queue, for tasks.
    pub(super) fn queue(&self) -> Sender<RunWrite> {
        self.to.clone()
    }

    /// Waits until all is on the disk.
    pub(super) fn finish(self) -> Result<()> {
        drop(self.to);
        self.thread.join().unwrap_or_else(|_| Err(Error::failed("The results could not be written.")))
    }
}

fn write(
    store: &Store,
    run: &RunName,
    from: &Receiver<RunWrite>,
    told: &UnboundedSender<CaseId>,
) -> Result<()> {
    while let Ok(first) = from.recv() {
        let mut batch = vec![first];
        batch.extend(from.try_iter());
        store.write_run(run, &batch)?;
        for write in batch {
            if let RunWrite::Asked(case, _) = write {
                told.send(case).ok();
            }
        }
    }
    Ok(())
}
