//! The whole program without a terminal: keys in, screen out, work done at once.

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::print::{print, symbols};
use crate::command::{Key, parse_keys};
use crate::config::{Config, Environment, Flags};
use crate::ops::Ctx;
use crate::task::{Cancel, Progress};
use crate::tui::canvas::Drawn;
use crate::tui::effect::{Effect, Effects};
use crate::tui::jobs::JobId;
use crate::tui::message::Message;
use crate::tui::model::Model;
use crate::tui::screens::ScreenId;
use crate::tui::theme::Theme;
use crate::tui::update::update;
use crate::tui::view::view;
use crate::tui::work::Request;

/// The program on a store, driven by a test.
pub struct Story {
    pub model: Model,
    pub ctx: Ctx,
    /// Effects that are the terminal's: a test can look at them.
    pub outside: Effects,
    /// Keys pressed so far.
    pub keys: usize,
    /// While held, work is kept here instead of being done.
    held: Option<Vec<(JobId, Request)>>,
    cancelled: Vec<JobId>,
}

impl Story {
    /// Starts the program at 80×24 on this screen, with a dark theme of all colours.
    pub fn new(ctx: Ctx, first: ScreenId) -> Self {
        Self::with(ctx, first, Theme::default())
    }

    /// The same with this theme.
    pub fn with(ctx: Ctx, first: ScreenId, theme: Theme) -> Self {
        let mut story = Self::unstarted(ctx, first, theme);
        story.send(Message::Started);
        story
    }

    /// The program before its first message, for what the command line sets up.
    pub fn unstarted(ctx: Ctx, first: ScreenId, theme: Theme) -> Self {
        let folder = std::env::temp_dir();
        let environment = Environment { folder, variable: Box::new(|_| None) };
        let flags =
            Flags { reviewer: Some(ctx.reviewer.clone()), store: Some("story.db".into()), config: None };
        let config = Config::resolve(&flags, &environment).unwrap();
        let model = Model::new(&config, theme, first, (80, 24), TimeZone::UTC);
        Self { model, ctx, outside: Vec::new(), keys: 0, held: None, cancelled: Vec::new() }
    }

    /// Sends a message, does the work that follows, and draws, until nothing is left to do.
    pub fn send(&mut self, message: Message) -> &mut Self {
        let effects = update(&mut self.model, self.ctx.clock.now(), message);
        self.carry_out(effects);
        let drawn = self.draw();
        let effects = update(&mut self.model, self.ctx.clock.now(), Message::Drawn(drawn.laid));
        self.carry_out(effects);
        self
    }

    fn carry_out(&mut self, effects: Effects) {
        for effect in effects {
            match effect {
                Effect::Run { job, request } => match &mut self.held {
                    Some(held) => held.push((job, request)),
                    None => self.work(job, &request),
                },
                Effect::Cancel(job) => self.cancelled.push(job),
                other => self.outside.push(other),
            }
        }
    }

    fn work(&mut self, job: JobId, request: &Request) {
        let cancel = Cancel::default();
        if self.cancelled.contains(&job) {
            cancel.cancel();
        }
        let result = request.run(&self.ctx, &cancel, &Progress::default());
        self.send(Message::Answered { job, result });
    }

    /// From now on work is kept until [`release`](Self::release).
    pub fn hold(&mut self) -> &mut Self {
        self.held.get_or_insert_default();
        self
    }

    /// The work that is kept.
    pub fn held(&self) -> impl Iterator<Item = &Request> {
        self.held.iter().flatten().map(|(_, request)| request)
    }

    /// Does the work that was kept, in the order it was asked for.
    pub fn release(&mut self) -> &mut Self {
        for (job, request) in self.held.take().unwrap_or_default() {
            self.work(job, &request);
        }
        self
    }

    /// Presses keys by their names, one after the other: `j enter f 1`.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in parse_keys(keys).unwrap() {
            self.keys += 1;
            self.send(Message::Key(key));
        }
        self
    }

    /// Types text, a key a character.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.keys += 1;
            self.send(Message::Key(Key::char(c)));
        }
        self
    }

    /// Makes the terminal this large.
    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.send(Message::Resize(columns, rows))
    }

    /// Draws a frame.
    pub fn draw(&self) -> Drawn {
        let (columns, rows) = self.model.env.size;
        view(&self.model, Rect::new(0, 0, columns, rows))
    }

    /// What is on screen, without styles.
    pub fn text(&self) -> String {
        symbols(&self.draw().buffer).join("\n")
    }

    /// One row of what is on screen.
    pub fn row(&self, y: usize) -> String {
        symbols(&self.draw().buffer).swap_remove(y)
    }

    /// The status line: what just happened.
    pub fn status(&self) -> String {
        self.model.status.as_ref().map(crate::text::Line::text).unwrap_or_default()
    }

    /// The screen with its styles, as it is.
    pub fn snapshot(&self) -> String {
        print(&self.draw().buffer)
    }

    /// The screen with its styles at another size.
    pub fn snapshot_at(&mut self, columns: u16, rows: u16) -> String {
        self.resize(columns, rows);
        self.snapshot()
    }
}
