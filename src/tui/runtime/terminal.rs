//! The terminal: taken once, given back once, whichever of leaving, a panic or a signal comes first.

use std::io::{BufWriter, Stdout, Write as _, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

use crate::domain::{Error, Result};

/// What is drawn on.
pub type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Presses and the wheel, in coordinates of any size. Not motion: every move of the mouse would wake us.
const MOUSE: &str = "\x1b[?1000h\x1b[?1006h";

/// Asks for the background's colour. The answer comes among the keys; `input` knows it.
const BACKGROUND: &str = "\x1b]11;?\x07";

/// Gives the terminal back when dropped.
pub struct Guard(());

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
    }
}

/// Takes the terminal.
pub fn enter() -> Result<Guard> {
    enter_again()?;
    Ok(Guard(()))
}

/// Takes the terminal again after [`leave`].
pub fn enter_again() -> Result<()> {
    enable_raw_mode().map_err(failed)?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Print(MOUSE)).map_err(failed)
}

/// Gives the terminal back as it was. Does nothing when it is not ours.
pub fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            stdout(),
            EndSynchronizedUpdate,
            DisableMouseCapture,
            DisableBracketedPaste,
            Show,
            LeaveAlternateScreen
        );
        let _ = disable_raw_mode();
    }
}

/// What is drawn on, buffered so that a frame is few writes.
pub fn screen() -> Result<Screen> {
    let out = BufWriter::with_capacity(64 * 1024, stdout());
    Terminal::new(CrosstermBackend::new(out)).map_err(failed)
}

/// Draws a frame inside a synchronised update: terminals that know it show it whole or not at all.
pub fn draw(screen: &mut Screen, render: impl FnOnce(&mut Frame<'_>)) -> Result<()> {
    queue!(screen.backend_mut(), BeginSynchronizedUpdate).map_err(failed)?;
    screen.draw(render).map_err(failed)?;
    execute!(screen.backend_mut(), EndSynchronizedUpdate).map_err(failed)
}

/// Asks for the background's colour, where the terminal is not known to stumble over the question.
pub fn ask_background() {
    let term = std::env::var("TERM").unwrap_or_default();
    let stumbles = ["", "dumb", "linux", "Eterm"].contains(&term.as_str())
        || term == "screen"
        || term.starts_with("screen.");
    if !stumbles {
        let _ = stdout().write_all(BACKGROUND.as_bytes());
        let _ = stdout().flush();
    }
}

/// A terminal that does not take what is written.
pub fn failed(error: std::io::Error) -> Error {
    Error::failed("The terminal cannot be written.").because(error)
}
