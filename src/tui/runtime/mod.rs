//! Carries effects out: the loop, worker threads, the terminal, signals, the person's editor.
//!
//! Draws only when something changed. A key is answered by a frame at once; what jobs report is drawn at
//! the pace of [`pace`]. With nothing to do it sleeps, but for a look at the store's change counter a few
//! times a second.

mod editor;
mod input;
mod pace;
mod panic;
mod terminal;

use std::collections::HashMap;
use std::future::poll_fn;
use std::io::IsTerminal as _;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use jiff::tz::TimeZone;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::effect::Effect;
use super::jobs::JobId;
use super::message::Message;
use super::model::Model;
use super::screens::ScreenId;
use super::screens::review::Of;
use super::theme::{Terminal as Abilities, Theme};
use super::update::update;
use super::view::view;
use super::work::{Answer, Request};
use crate::config::Config;
use crate::domain::monitor::Monitors;
use crate::domain::{Error, Result};
use crate::ops::Ctx;
use crate::ops::monitor;
use crate::ops::prompt::Fingerprint;
use crate::ops::watch::{self, Changes, Watch};
use crate::task::{Cancel, Clock, Progress};

/// Events of the terminal that come faster than this after each other are pasted, or waited in a line.
const FLOOD: Duration = Duration::from_millis(3);
/// A job that runs longer than this shows how far it is.
const SHOW_AFTER: Duration = Duration::from_millis(250);
/// How often progress is sampled.
const SAMPLE: Duration = Duration::from_millis(100);
/// How often the store is asked whether it was changed.
const WATCH: Duration = Duration::from_millis(300);
/// The prompts' folders are looked at this often.
const PROMPTS: Duration = Duration::from_secs(1);
/// How often a screen that shows a time that goes on is told.
const MINUTE: Duration = Duration::from_secs(60);
/// Work done at a time: a few that last (a run, the index, the look at the store, the monitors) and a few look-ups. Each
/// thread takes memory and keeps it, so that a burst of keys must not make one a key.
const WORKERS: usize = 7;
/// How long opening the store may take before the screen comes up without it.
const OPEN_WAIT: Duration = Duration::from_millis(20);
/// How long jobs get to stop when the program ends.
const FAREWELL: Duration = Duration::from_secs(5);

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

/// The runtime of tasks and its worker threads. Dropped, also by a panic, it waits for workers a while and
/// not for ever, as it would by itself: signals are caught, so nobody could end the program then.
struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    fn run<T>(&self, task: impl Future<Output = T>) -> T {
        self.0.as_ref().expect("taken by drop only").block_on(task)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(tokio) = self.0.take() {
            tokio.shutdown_timeout(FAREWELL);
        }
    }
}

/// What comes from worker threads.
enum Event {
    Answered(JobId, Result<Answer>),
    Opened(Result<Ctx>),
    Watched(Watch, Result<Changes>),
    /// How the prompts' folders look.
    Prompts(Fingerprint),
    /// Watching had a fault: it is over.
    Blind(Error),
}

/// A job on a worker thread.
struct Worker {
    cancel: Cancel,
    progress: Progress,
    started: Instant,
}

impl Drop for Worker {
    /// Nobody waits for it any more, because it is done or because the program ends in whatever way.
    fn drop(&mut self) {
        self.cancel.cancel();
    }
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

struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    stop: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(signal_hook::consts::SIGTSTP))?,
        })
    }

    /// Waits for one. Gives the exit code of those that end the program, nothing for the one that stops it.
    async fn next(&mut self) -> Option<u8> {
        tokio::select! {
            _ = self.terminate.recv() => Some(128 + 15),
            _ = self.hang_up.recv() => Some(128 + 1),
            _ = self.interrupt.recv() => Some(128 + 2),
            _ = self.stop.recv() => None,
        }
    }
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

    fn opened(&mut self, ctx: Ctx) {
        self.clock = ctx.clock.clone();
        if self.model.env.writable != ctx.writable() {
            self.model.env.writable = ctx.writable();
            self.dirty = true;
        }
        let (send, of) = (self.sender.clone(), ctx.clone());
        tokio::task::spawn_blocking(move || {
            if let Ok(watch) = watch::watch(&of) {
                let _ = send.blocking_send(Event::Watched(watch, Ok(Changes::default())));
            }
        });
        if ctx.writable() {
            let cancel = Cancel::default();
            let (of, monitors, end) = (ctx.clone(), self.monitors.clone(), cancel.clone());
            self.monitoring = Some(Worker { cancel, progress: Progress::default(), started: Instant::now() });
            tokio::task::spawn_blocking(move || monitor::quietly(&of, &monitors, &end));
        }
        self.ctx = Some(ctx);
        for (job, request) in std::mem::take(&mut self.early) {
            self.work(job, request);
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

    fn work(&mut self, job: JobId, request: Request) {
        let Some(ctx) = self.ctx.clone() else {
            self.early.push((job, request));
            return;
        };
        let worker =
            Worker { cancel: Cancel::default(), progress: Progress::default(), started: Instant::now() };
        let (cancel, progress, send) = (worker.cancel.clone(), worker.progress.clone(), self.sender.clone());
        self.workers.insert(job, worker);
        tokio::task::spawn_blocking(move || {
            let result = panic::contain(|| {
                panic::rehearse("job");
                // While it waited for a thread a newer question may have made it moot.
                cancel.check()?;
                request.run(&ctx, &cancel, &progress)
            });
            let _ = send.blocking_send(Event::Answered(job, result));
        });
    }

    fn next_sample(&self) -> Option<Instant> {
        let oldest = self.workers.values().map(|worker| worker.started).min()?;
        Some((oldest + SHOW_AFTER).max(Instant::now() + SAMPLE))
    }

    async fn sample_progress(&mut self) -> Result<()> {
        let progress: Vec<_> = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.started.elapsed() >= SHOW_AFTER)
            .map(|(job, worker)| (*job, worker.progress.view()))
            .collect();
        if progress.is_empty() { Ok(()) } else { self.take(Message::Progress(progress)).await }
    }

    /// Looks at the prompts' folders while their screen is on, once in a while.
    fn look_at_prompts(&mut self) {
        let due = self.prompts.as_ref().is_none_or(|(at, _)| at.elapsed() >= PROMPTS);
        if self.model.active == ScreenId::Prompts && due {
            if let Some((at, _)) = &mut self.prompts {
                *at = Instant::now();
            }
            let (send, team) = (self.sender.clone(), self.model.env.team.clone());
            tokio::task::spawn_blocking(move || {
                let _ = send.blocking_send(Event::Prompts(Fingerprint::take(&team)));
            });
        }
    }

    fn look_at_store(&mut self) {
        if let Some(mut watch) = self.watch.take() {
            let send = self.sender.clone();
            tokio::task::spawn_blocking(move || {
                let looked = panic::contain(move || {
                    panic::rehearse("watch");
                    let changes = watch.poll();
                    Ok(Event::Watched(watch, changes))
                });
                let _ = send.blocking_send(looked.unwrap_or_else(Event::Blind));
            });
        }
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

    async fn suspend(&mut self) -> Result<()> {
        self.keys = None;
        terminal::leave();
        let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
        self.come_back().await
    }

    /// Takes the terminal again after it was given away.
    async fn come_back(&mut self) -> Result<()> {
        terminal::enter_again()?;
        self.keys = Some(crossterm::event::EventStream::new());
        let size = self.terminal.size().map_err(terminal::failed)?;
        self.take(Message::Resize(size.width, size.height)).await?;
        self.take(Message::Resumed).await
    }

    /// Hands the terminal to the person's own editor and takes the text back.
    async fn edit(&mut self, text: String, suffix: &'static str) -> Result<String> {
        self.keys = None;
        terminal::leave();
        let editor = self.editor.clone();
        let mut edited = tokio::task::spawn_blocking(move || editor::edit(&editor, &text, suffix));
        let result = loop {
            tokio::select! {
                done = &mut edited => {
                    break done.unwrap_or_else(|_| Err(Error::failed("The editor could not be started.")));
                }
                // ctrl-c in the editor is the editor's; what ends us ends after it.
                _ = self.signals.interrupt.recv() => {}
                _ = self.signals.terminate.recv() => self.exit = Some(128 + 15),
                _ = self.signals.hang_up.recv() => self.exit = Some(128 + 1),
            }
        };
        terminal::enter_again()?;
        self.keys = Some(crossterm::event::EventStream::new());
        result
    }

    /// Hands the terminal to another run of this program, and takes it back once the person has read how it ended.
    async fn run_itself(&mut self, args: Vec<String>) -> Result<()> {
        self.keys = None;
        terminal::leave();
        let config = self.model.env.team.file.clone();
        let store = self.ctx.as_ref().map(|ctx| ctx.path().to_owned());
        let reviewer = self.model.env.reviewer.clone();
        let ended =
            tokio::task::spawn_blocking(move || editor::run_itself(&args, config, store, &reviewer)).await;
        let ended = ended.unwrap_or_else(|_| Err(Error::failed("The program could not be started again.")));
        self.come_back().await?;
        match ended {
            Ok(()) => Ok(()),
            Err(error) => self.take(Message::Edited(Err(error))).await,
        }
    }

    /// Lets look-ups go and waits for acts of the person to reach the disk.
    async fn farewell(&mut self) {
        self.monitoring = None;
        for worker in self.workers.values() {
            worker.cancel.cancel();
        }
        let deadline = tokio::time::Instant::now() + FAREWELL;
        while !self.workers.is_empty() {
            match tokio::time::timeout_at(deadline, self.receiver.recv()).await {
                Ok(Some(Event::Answered(job, _))) => {
                    self.workers.remove(&job);
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
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
