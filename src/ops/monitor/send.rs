//! Sending what the outbox holds, beside the watching: a receiver that hangs delays nothing but itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::tell::{SentView, of_rule};
use super::view::rule;
use crate::domain::monitor::{Delivery, Group, Message, Monitors, Notice, Receiver};
use crate::domain::{Error, Result};
use crate::ops::Ctx;
use crate::store::{Outgoing, Toll};
use crate::task::Cancel;
use crate::wire::notify::{Notifier, PATIENCE, Told};

/// Looks a variable of the environment up.
pub type Variable<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);
/// Rings the terminal's bell for a message.
pub type Ring<'a> = &'a (dyn Fn(&Notice) + Sync);

/// Sends the outbox's messages.
pub struct Sender<'a> {
    ctx: Ctx,
    receivers: Vec<Receiver>,
    wait: i64,
    variable: Variable<'a>,
    ring: Ring<'a>,
    runtime: tokio::runtime::Runtime,
    ready: Mutex<BTreeMap<String, Arc<Notifier>>>,
}

impl<'a> Sender<'a> {
    /// One that sends to these receivers.
    pub fn new(ctx: &Ctx, monitors: &Monitors, variable: Variable<'a>, ring: Ring<'a>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|e| Error::failed("No thread can be started to send alerts.").because(e))?;
        let receivers = monitors.receivers.clone();
        let wait = monitors.grouping.wait;
        Ok(Self { ctx: ctx.clone(), receivers, wait, variable, ring, runtime, ready: Mutex::default() })
    }

    /// Sends messages, each on its own; gives the tasks.
    fn begin(&self, due: Vec<Toll>) -> Vec<tokio::task::JoinHandle<()>> {
        let mut tasks = Vec::new();
        for toll in due {
            match self.notifier(&toll.receiver) {
                Ok(notifier) if notifier.is_bell() => {
                    (self.ring)(&toll.notice);
                    settle(&self.ctx, toll.seq, &taken());
                }
                Ok(notifier) => {
                    let ctx = self.ctx.clone();
                    tasks.push(self.runtime.spawn(send(ctx, notifier, toll)));
                }
                Err(error) => {
                    let told =
                        Told { taken: false, again: true, status: None, answer: error.what.as_str().into() };
                    settle(&self.ctx, toll.seq, &told);
                }
            }
        }
        tasks
    }

    fn due(&self, ahead: i64) -> Result<Vec<Toll>> {
        self.ctx.store.take_due(self.ctx.clock.now(), ahead)
    }

    fn notifier(&self, name: &str) -> Result<Arc<Notifier>> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notifier) = ready.get(name) {
            return Ok(Arc::clone(notifier));
        }
        let receiver = self.receivers.iter().find(|one| one.name == name).ok_or_else(|| {
            Error::not_so(format!("The receiver `{name}` is not in the configuration any more."))
        })?;
        let notifier = Arc::new(Notifier::connect(receiver, &|name| (self.variable)(name))?);
        ready.insert(name.to_owned(), Arc::clone(&notifier));
        Ok(notifier)
    }

    /// Sends what is due and waits for the answers. What waits for others of its group waits no longer: whoever
    /// calls this ends after it.
    pub fn send_now(&self) -> Result<()> {
        self.send(self.due(self.wait)?);
        Ok(())
    }

    fn send(&self, messages: Vec<Toll>) {
        let tasks = self.begin(messages);
        self.runtime.block_on(async {
            for task in tasks {
                // A task that broke has left its message to be recovered.
                let _ = task.await;
            }
        });
    }

    /// Sends what comes until it is asked to stop, then waits for what is on its way. Trouble with the store is
    /// told to `trouble` and tried again.
    pub fn run(&self, cancel: &Cancel, trouble: &(dyn Fn(&Error) + Sync)) {
        let mut tasks = Vec::new();
        while cancel.wait(Duration::from_millis(500)).is_ok() {
            match self.due(0) {
                Ok(due) => tasks.extend(self.begin(due)),
                Err(error) => trouble(&error),
            }
            tasks.retain(|task| !task.is_finished());
        }
        let _ = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, futures::future::join_all(tasks)).await });
    }
}

async fn send(ctx: Ctx, notifier: Arc<Notifier>, toll: Toll) {
    let told = notifier.tell(&toll.notice, &format!("tuesday-{}", toll.seq)).await;
    settle(&ctx, toll.seq, &told);
}

/// Notes what a receiver said. Where that cannot be written, the message is recovered later as one of which
/// nobody knows.
fn settle(ctx: &Ctx, seq: i64, told: &Told) {
    let state = match (told.taken, told.again) {
        (true, _) => Delivery::Sent,
        (false, true) => Delivery::Waiting,
        (false, false) => Delivery::Failed,
    };
    let _ = ctx.store.settle(seq, state, (told.status, told.answer.raw()), ctx.clock.now());
}

fn taken() -> Told {
    Told { taken: true, again: false, status: None, answer: "".into() }
}

/// What the receivers of a rule said to a test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestView {
    /// The rule.
    pub id: String,
    /// Every receiver took it.
    pub taken: bool,
    /// What each said.
    pub receivers: Vec<SentView>,
}

/// Sends a message that is marked as a test through the real receivers of a rule, and keeps their answers. A
/// receiver that does not take it is not tried again. `NotSo` when nobody would be told.
pub fn test(
    ctx: &Ctx,
    monitors: &Monitors,
    id: &str,
    variable: Variable<'_>,
    ring: Ring<'_>,
) -> Result<TestView> {
    let rule = rule(monitors, id)?;
    let mut group = Group::new();
    if let Some(feature) = &rule.feature {
        group.insert("feature".to_owned(), feature.as_str().into());
    }
    let now = ctx.clock.now();
    let message = Message::test(&rule.id, group, rule.severity, now);
    let out: Vec<Outgoing> = of_rule(monitors, rule)
        .map(|receiver| Outgoing {
            alert: None,
            receiver: receiver.name.clone(),
            kind: receiver.kind.name(),
            group: String::new(),
            grouping: monitors.grouping,
            message: message.clone(),
        })
        .collect();
    if out.is_empty() {
        return Err(Error::not_so(format!("Nobody is told of alerts of {id}: there is no receiver."))
            .hint("Add [[notify]] to tuesday.toml, such as kind = \"slack\" with url_env = \"SLACK_URL\"."));
    }
    let sender = Sender::new(ctx, monitors, variable, ring)?;
    let messages = ctx.store.post_taken(&out, now)?;
    let seqs: Vec<i64> = messages.iter().map(|one| one.seq).collect();
    sender.send(messages);
    ctx.store.give_up(&seqs, ctx.clock.now())?;
    let sent: Vec<SentView> = ctx
        .store
        .tests_of_rule(id)?
        .into_iter()
        .filter(|one| seqs.contains(&one.seq))
        .map(SentView::from)
        .collect();
    Ok(TestView {
        id: id.to_owned(),
        taken: sent.iter().all(|one| one.state == Delivery::Sent),
        receivers: sent,
    })
}
