//! The terminal: taken once, given back once, whichever of leaving, a panic or a signal comes first.

use std::io::{self, BufWriter, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::style::{Print, ResetColor};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};

use crate::domain::{Error, Result};

/// What is drawn on.
pub type Screen = Terminal<CrosstermBackend<BufWriter<Out>>>;

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Presses and the wheel, in coordinates of any size. Not motion: every move of the mouse would wake us.
const MOUSE: &str = "\x1b[?1000h\x1b[?1006h";

/// Asks for the background's colour. The answer comes among the keys; `input` knows it.
const BACKGROUND: &str = "\x1b]11;?\x07";

/// The terminal while it is ours. Once it was given back, in a panic half-way through a frame for one, what
/// is still buffered must not reach it: it would be drawn over the shell, and begin an update that nothing ends.
#[derive(Debug)]
pub struct Out(());

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if TAKEN.load(Ordering::SeqCst) { stdout().write(bytes) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if TAKEN.load(Ordering::SeqCst) { stdout().flush() } else { Ok(()) }
    }
}

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
            ResetColor,
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
    let out = BufWriter::with_capacity(64 * 1024, Out(()));
    Terminal::new(CrosstermBackend::new(out)).map_err(failed)
}

/// Draws a frame inside a synchronised update: terminals that know it show it whole or not at all.
pub fn draw(screen: &mut Screen, render: impl FnOnce(&mut Frame<'_>)) -> Result<()> {
    queue!(screen.backend_mut(), BeginSynchronizedUpdate).map_err(failed)?;
    screen.draw(render).map_err(failed)?;
    execute!(screen.backend_mut(), EndSynchronizedUpdate).map_err(failed)
}

/// Makes the next frame draw every cell. Not by `Terminal::clear`: that asks the terminal where its cursor is
/// and waits for the answer, which keys overtake and some terminals never give.
pub fn forget(screen: &mut Screen) -> Result<()> {
    let size = screen.size().map_err(failed)?;
    screen.resize(Rect::from(size)).map_err(failed)
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
