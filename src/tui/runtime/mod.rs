//! Carries effects out: the loop, worker threads, the terminal, signals, the person's editor.
//!
//! Draws only when something changed. A key is answered by a frame at once; what jobs report is drawn at
//! the pace of [`pace`]. With nothing to do it sleeps, but for a look at the store's change counter a few
//! times a second.

mod editor;
mod input;
mod lend;
mod pace;
mod panic;
mod signals;
mod terminal;
mod workers;

use std::collections::HashMap;
use std::future::poll_fn;
use std::io::IsTerminal as _;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use self::signals::Signals;
use self::workers::{Event, Threads, Worker};
use super::effect::Effect;
use super::jobs::JobId;
use super::message::Message;
use super::model::Model;
use super::screens::ScreenId;
use super::screens::review::Of;
use super::theme::{Terminal as Abilities, Theme};
use super::update::update;
use super::view::view;
use super::work::Request;
use crate::config::Config;
use crate::domain::monitor::Monitors;
use crate::domain::{Error, Result};
use crate::ops::Ctx;
use crate::ops::prompt::Fingerprint;
use crate::ops::watch::Watch;
use crate::task::Clock;

/// Events of the terminal that come faster than this after each other are pasted, or waited in a line.
const FLOOD: Duration = Duration::from_millis(3);
/// How often the store is asked whether it was changed.
const WATCH: Duration = Duration::from_millis(300);
/// How often a screen that shows a time that goes on is told.
const MINUTE: Duration = Duration::from_secs(60);
/// Work done at a time: a few that last (a run, the index, the look at the store, the monitors) and a few look-ups. Each
/// thread takes memory and keeps it, so that a burst of keys must not make one a key.
const WORKERS: usize = 7;
/// How long opening the store may take before the screen comes up without it.
const OPEN_WAIT: Duration = Duration::from_millis(20);

/// What the program starts with.
pub struct Start {
    /// The configuration in force.
    pub config: Config,
    /// The screen to begin on.
    pub first: ScreenId,
    /// A sample whose queue to open at once.
    pub sample: Option<String>,
    /// Opens the store; runs on a thread of its own.
    pub store: Box<dyn FnOnce() -> Result<Ctx> + Send>,
}

/// Opens the program on the terminal and returns when the person leaves: the process's exit code.
pub fn open(start: Start) -> Result<u8> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Error::usage("The program needs a terminal to open on.")
            .hint("Use a command with --json instead: `tuesday --help` lists them."));
    }
    panic::install();
    let (opened, opening) = std::sync::mpsc::sync_channel(1);
    let store = start.store;
    std::thread::spawn(move || {
        let ctx = panic::contain(|| {
            panic::rehearse("open");
            store()
        });
        // Nobody waits for it any more where the program has ended.
        opened.send(ctx).ok();
    });
    // A store that cannot be opened is told on the command line, not on a screen that flashes by.
    let early = opening.recv_timeout(OPEN_WAIT).ok().transpose()?;

    let logging = log_to_file();
    let threads = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(WORKERS)
        .build()
        .map(|tokio| Threads(Some(tokio)))
        .map_err(|e| Error::failed("The program cannot start its threads.").because(e))?;
    // Before the terminal is taken: from here on no signal leaves it as it is.
    let signals = threads
        .run(async { Signals::new() })
        .map_err(|e| Error::failed("The program cannot listen for signals.").because(e))?;
    let theme = Theme::new(start.config.theme.value, &start.config.colours, &abilities());
    let guard = terminal::enter()?;
    let terminal = terminal::screen()?;
    let size = terminal.size().map_err(terminal::failed)?;
    let mut model =
        Model::new(&start.config, theme, start.first, (size.width, size.height), TimeZone::system());
    if let Some(sample) = start.sample {
        model.screens.review.open_at_start(Of::Sample(sample));
    }
    let result = threads.run(async {
        let mut runtime = Runtime::new(terminal, model, &start.config, signals);
        runtime.draw()?;
        if runtime.model.theme.follows_background {
            terminal::ask_background();
        }
        match early {
            Some(ctx) => runtime.opened(ctx),
            None => {
                let send = runtime.sender.clone();
                tokio::task::spawn_blocking(move || {
                    let ctx =
                        opening.recv().unwrap_or_else(|_| Err(Error::failed("The store did not open.")));
                    let _ = send.blocking_send(Event::Opened(ctx));
                });
            }
        }
        runtime.run().await
    });
    drop(guard);
    drop(logging);
    result
}

struct Runtime {
    terminal: terminal::Screen,
    model: Model,
    editor: Vec<String>,
    ctx: Option<Ctx>,
    clock: Clock,
    workers: HashMap<JobId, Worker>,
    /// Requests that wait for the store to be open.
    early: Vec<(JobId, Request)>,
    watch: Option<Watch>,
    monitors: Monitors,
    /// The monitors' passes, where nobody else makes them. They end with this value.
    monitoring: Option<Worker>,
    /// How the prompts' folders looked last, and when that was.
    prompts: Option<(Instant, Fingerprint)>,
    sender: mpsc::Sender<Event>,
    receiver: mpsc::Receiver<Event>,
    input: input::Input,
    keys: Option<crossterm::event::EventStream>,
    dirty: bool,
    pace: pace::Pace,
    last_typed: Instant,
    exit: Option<u8>,
    signals: Signals,
}

impl Runtime {
    fn new(terminal: terminal::Screen, model: Model, config: &Config, signals: Signals) -> Self {
        let (sender, receiver) = mpsc::channel(256);
        Self {
            terminal,
            model,
            editor: config.editor.value.clone(),
            ctx: None,
            clock: Clock::System,
            workers: HashMap::new(),
            early: Vec::new(),
            watch: None,
            monitors: config.monitors.clone(),
            monitoring: None,
            prompts: None,
            sender,
            receiver,
            input: input::Input::default(),
            keys: None,
            dirty: false,
            pace: pace::Pace::new(Instant::now()),
            last_typed: Instant::now(),
            exit: None,
            signals,
        }
    }

    async fn run(&mut self) -> Result<u8> {
        self.keys = Some(crossterm::event::EventStream::new());
        self.take(Message::Started).await?;
        let mut next_watch = Instant::now() + WATCH;
        let mut next_minute = Instant::now() + self.minute();
        while self.exit.is_none() {
            let draw_at = self.dirty.then(|| self.pace.due());
            let sample_at = self.next_sample();
            let watch_at = self.watch.is_some().then_some(next_watch);
            let minute_at = self.model.ticks().then_some(next_minute);
            let keys = self.keys.get_or_insert_with(crossterm::event::EventStream::new);
            tokio::select! {
                signal = self.signals.next() => match signal {
                    Some(code) => self.exit = Some(code),
                    None => self.suspend().await?,
                },
                event = keys.next() => match event {
                    Some(Ok(event)) => self.typed(event).await?,
                    // The terminal is gone.
                    Some(Err(_)) | None => self.exit = Some(128 + 1),
                },
                Some(event) = self.receiver.recv() => self.came(event).await?,
                () = at(draw_at) => self.draw_in_turn()?,
                () = at(sample_at) => self.sample_progress().await?,
                () = at(minute_at) => {
                    next_minute = Instant::now() + self.minute();
                    self.take(Message::Tick).await?;
                }
                () = at(watch_at) => {
                    next_watch = Instant::now() + WATCH;
                    self.look_at_store();
                    self.look_at_prompts();
                }
            }
            self.drain().await?;
            if self.dirty && Instant::now() >= self.pace.due() {
                self.draw_in_turn()?;
            }
        }
        self.farewell().await;
        Ok(self.exit.unwrap_or(0))
    }

    /// A minute by the clock in force; a drill's can be faster. A screen is not told more often than once a second.
    fn minute(&self) -> Duration {
        MINUTE.div_f64(self.clock.speed().max(1.0)).max(Duration::from_secs(1))
    }

    /// Takes in what is ready without waiting, so that a burst costs one frame.
    async fn drain(&mut self) -> Result<()> {
        for _ in 0..10_000 {
            if self.exit.is_some() {
                return Ok(());
            }
            if let Ok(event) = self.receiver.try_recv() {
                self.came(event).await?;
                continue;
            }
            match self.typed_already().await {
                Some(Some(Ok(event))) => self.typed(event).await?,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// The terminal's next event when it is there already. Looked for with this task's own waker and not with
    /// one that wakes nobody (`now_or_never`): the stream keeps the waker of whoever looked first, and the
    /// next key would lie unheard until something else woke the loop.
    async fn typed_already(&mut self) -> Option<Option<std::io::Result<crossterm::event::Event>>> {
        let keys = self.keys.as_mut()?;
        poll_fn(|context| match keys.poll_next_unpin(context) {
            Poll::Ready(event) => Poll::Ready(Some(event)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    /// Takes in a terminal event and draws the frame that answers it at once. In a flood, faster than anybody
    /// types, a frame is drawn when one is due.
    async fn typed(&mut self, event: crossterm::event::Event) -> Result<()> {
        let flood = self.last_typed.elapsed() < FLOOD;
        self.last_typed = Instant::now();
        for message in self.input.take(event) {
            if matches!(message, Message::Key(_)) {
                panic::rehearse("key");
            }
            self.take(message).await?;
        }
        if self.dirty && self.exit.is_none() && !flood { self.draw() } else { Ok(()) }
    }

    async fn came(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Answered(job, result) => {
                self.workers.remove(&job);
                self.take(Message::Answered { job, result }).await
            }
            Event::Opened(ctx) => {
                self.opened(ctx?);
                Ok(())
            }
            Event::Prompts(now) => {
                let before = self.prompts.replace((Instant::now(), now));
                let changed =
                    before.zip(self.prompts.as_ref()).is_some_and(|((_, before), (_, now))| before != *now);
                if changed { self.take(Message::PromptsChanged).await } else { Ok(()) }
            }
            Event::Blind(error) => self.take(Message::Blind(error)).await,
            Event::Watched(watch, changes) => {
                self.watch = Some(watch);
                match changes {
                    Ok(changes) if changes.any() => self.take(Message::Changed(changes)).await,
                    _ => Ok(()),
                }
            }
        }
    }

    async fn take(&mut self, message: Message) -> Result<()> {
        self.dirty = true;
        let now = self.clock.now();
        for effect in update(&mut self.model, now, message) {
            self.carry_out(effect).await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, effect: Effect) -> Result<()> {
        match effect {
            Effect::Run { job, request } => self.work(job, request),
            Effect::Cancel(job) => {
                if let Some(worker) = self.workers.get(&job) {
                    worker.cancel.cancel();
                }
            }
            Effect::EditExternally { text, suffix } => {
                let edited = self.edit(text, suffix).await;
                Box::pin(self.take(Message::Edited(edited))).await?;
                Box::pin(self.take(Message::Resumed)).await?;
            }
            Effect::RunItself { args } => Box::pin(self.run_itself(args)).await?,
            Effect::Suspend => Box::pin(self.suspend()).await?,
            Effect::Redraw => {
                terminal::forget(&mut self.terminal)?;
                self.dirty = true;
            }
            Effect::Quit => self.exit = Some(0),
        }
        Ok(())
    }

    /// Draws a frame that no key asked for.
    fn draw_in_turn(&mut self) -> Result<()> {
        self.pace.drawn(Instant::now());
        self.draw()
    }

    fn draw(&mut self) -> Result<()> {
        self.dirty = false;
        let mut laid = None;
        let model = &self.model;
        terminal::draw(&mut self.terminal, |frame| {
            let mut drawn = view(model, frame.area());
            if let Some(cursor) = drawn.cursor {
                frame.set_cursor_position(cursor);
            }
            std::mem::swap(frame.buffer_mut(), &mut drawn.buffer);
            panic::rehearse("draw");
            laid = Some(drawn.laid);
        })?;
        if let Some(laid) = laid {
            let grown = laid.differs_from(&self.model.env.laid);
            let now = self.clock.now();
            let effects = update(&mut self.model, now, Message::Drawn(laid));
            debug_assert!(effects.iter().all(|effect| matches!(effect, Effect::Run { .. } | Effect::Quit)));
            for effect in effects {
                match effect {
                    Effect::Run { job, request } => self.work(job, request),
                    Effect::Quit => self.exit = Some(0),
                    _ => {}
                }
            }
            self.dirty |= grown;
        }
        Ok(())
    }
}

/// Waits until then; for ever when there is no time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

/// What the environment says of the terminal.
fn abilities() -> Abilities {
    let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Abilities {
        term: get("TERM").unwrap_or_default(),
        colorterm: get("COLORTERM").unwrap_or_default(),
        no_color: get("NO_COLOR").is_some(),
        locale: get("LC_ALL").or_else(|| get("LC_CTYPE")).or_else(|| get("LANG")).unwrap_or_default(),
    }
}

/// Logs into the file that `TUESDAY_LOG` names, and nowhere otherwise.
fn log_to_file() -> Option<tracing::subscriber::DefaultGuard> {
    let path = std::env::var_os("TUESDAY_LOG").filter(|path| !path.is_empty())?;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path).ok()?;
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::sync::Mutex::new(file))
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .finish();
    Some(tracing::subscriber::set_default(subscriber))
}
