//! The terminal lent to others: the shell, the editor, another command of this program.

use super::{Runtime, editor, terminal};
use crate::domain::{Error, Result};
use crate::tui::message::Message;

impl Runtime {
    pub(super) async fn suspend(&mut self) -> Result<()> {
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
    pub(super) async fn edit(&mut self, text: String, suffix: &'static str) -> Result<String> {
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
    pub(super) async fn run_itself(&mut self, args: Vec<String>) -> Result<()> {
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
}
