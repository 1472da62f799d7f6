//! The program in a real pseudo-terminal: keys in, screen out, and every byte it wrote kept.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long a screen may take to show what is waited for before the test gives up. Never a measure of speed.
const PATIENCE: Duration = Duration::from_secs(120);

fn cells(n: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(n).expect("a terminal has cells")
}

/// What ends a frame: the end of a synchronised update.
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// The private modes that a full-screen program may leave on, and whether a terminal has them on at first.
const MODES: [(&str, bool); 11] = [
    ("1049", false),
    ("25", true),
    ("2026", false),
    ("2004", false),
    ("1000", false),
    ("1002", false),
    ("1003", false),
    ("1004", false),
    ("1006", false),
    ("1015", false),
    ("7", true),
];

/// What a real terminal is asked, and answers: its background, its foreground, its kind.
const ANSWERS: [(&[u8], &[u8]); 3] = [
    (b"\x1b]11;?", b"\x1b]11;rgb:1616/1818/1d1d\x1b\\"),
    (b"\x1b]10;?", b"\x1b]10;rgb:d5d5/d8d8/dede\x1b\\"),
    (b"\x1b[c", b"\x1b[?62;22c"),
];

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    /// The whole frames that changed what stands on the screen, and when: what a person has seen for sure.
    frames: Vec<(Instant, String)>,
    /// When the last bytes came.
    last: Instant,
    closed: bool,
}

impl Seen {
    fn take(&mut self, chunk: &[u8]) {
        self.last = Instant::now();
        let mut from = self.bytes.len();
        self.bytes.extend_from_slice(chunk);
        // The mark may have begun in the chunk before.
        let mut at = from.saturating_sub(FRAME_END.len() - 1);
        while let Some(found) = find(&self.bytes[at..], FRAME_END) {
            at += found + FRAME_END.len();
            self.parser.process(&self.bytes[from..at]);
            from = at;
            let screen = self.parser.screen().contents();
            if self.frames.last().is_none_or(|(_, before)| *before != screen) {
                self.frames.push((self.last, screen));
            }
        }
        self.parser.process(&self.bytes[from..]);
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// A running program and its terminal.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    /// The line discipline before the program was started.
    cooked: String,
    started: Instant,
}

impl Terminal {
    /// Starts the program on this store in a terminal of this size. It answers the questions that a
    /// real terminal answers (background colour, device attributes).
    pub fn start(store: &Path, args: &[&str], cols: u16, rows: u16) -> Self {
        Self::start_with(store, args, cols, rows, &[])
    }

    /// The same with more environment.
    pub fn start_with(store: &Path, args: &[&str], cols: u16, rows: u16, env: &[(&str, &str)]) -> Self {
        let home = store.parent().expect("a store in a folder");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tuesday"));
        command.env_clear();
        for (key, value) in [
            ("HOME", home.to_str().expect("UTF-8")),
            ("PATH", &std::env::var("PATH").unwrap_or_default()),
            ("LANG", "C.UTF-8"),
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("TZ", "UTC"),
        ] {
            command.env(key, value);
        }
        for (key, value) in env {
            command.env(key, value);
        }
        command.cwd(home);
        command.args(["--store", store.to_str().expect("UTF-8")]);
        if !args.contains(&"--reviewer") {
            command.args(["--reviewer", "ann"]);
        }
        command.args(args);
        Self::run(command, cols, rows)
    }

    /// Runs any program in a terminal of this size, which answers what a real one answers.
    pub fn run(command: CommandBuilder, cols: u16, rows: u16) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let cooked = discipline(pair.master.as_ref());
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let seen = Arc::new((
            Mutex::new(Seen {
                parser: vt100::Parser::new(cells(rows), cells(cols), 0),
                bytes: Vec::new(),
                frames: Vec::new(),
                last: Instant::now(),
                closed: false,
            }),
            Condvar::new(),
        ));
        let keys = Arc::new(Mutex::new(pair.master.take_writer().expect("a writer")));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (shared, answers) = (Arc::clone(&seen), Arc::clone(&keys));
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                let n = reader.read(&mut buffer).unwrap_or(0);
                let mut seen = shared.0.lock().expect("whole");
                if n == 0 {
                    seen.closed = true;
                    shared.1.notify_all();
                    return;
                }
                let chunk = &buffer[..n];
                seen.take(chunk);
                shared.1.notify_all();
                // Locked only to answer: whoever types much may hold it until the program reads, and the
                // program may wait for us to read.
                for (question, answer) in ANSWERS {
                    if find(chunk, question).is_some() {
                        let _ = answers.lock().expect("whole").write_all(answer);
                    }
                }
            }
        });
        Self { child, master: pair.master, keys, seen, cooked, started }
    }

    /// Types these bytes.
    pub fn keys(&self, keys: &str) {
        let mut writer = self.keys.lock().expect("whole");
        writer.write_all(keys.as_bytes()).expect("typed");
        writer.flush().expect("typed");
    }

    /// Types them on a thread of its own: more than the terminal keeps for a program that does not read.
    pub fn keys_beside(&self, keys: String) {
        let writer = Arc::clone(&self.keys);
        std::thread::spawn(move || writer.lock().expect("whole").write_all(keys.as_bytes()));
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.seen.0.lock().expect("whole").parser.screen().contents()
    }

    /// A copy of the screen with its colours.
    pub fn look(&self) -> vt100::Screen {
        self.seen.0.lock().expect("whole").parser.screen().clone()
    }

    /// The screen at the end of the last whole frame. Where the program is killed half-way through a frame
    /// this is what it had said.
    pub fn last_frame(&self) -> String {
        self.frames().pop().map(|(_, screen)| screen).unwrap_or_default()
    }

    /// The whole frames so far that changed what stands on the screen, and when each had come.
    pub fn frames(&self) -> Vec<(Instant, String)> {
        self.seen.0.lock().expect("whole").frames.clone()
    }

    /// When the program was started. For the bench, as the three that follow.
    #[allow(dead_code)]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// When the last bytes came.
    #[allow(dead_code)]
    pub fn last(&self) -> Instant {
        self.seen.0.lock().expect("whole").last
    }

    /// Types keys, waits until nothing has come for `quiet`, and gives how long it took from the keys to the
    /// last bytes.
    #[allow(dead_code)]
    pub fn time_to_bytes(&self, keys: &str, quiet: Duration) -> Duration {
        self.time(keys, quiet, |seen| seen.last)
    }

    /// The same to the end of the last frame that changed what stands on the screen.
    #[allow(dead_code)]
    pub fn time_to_frame(&self, keys: &str, quiet: Duration) -> Duration {
        self.time(keys, quiet, |seen| seen.frames.last().expect("a frame").0)
    }

    fn time(&self, keys: &str, quiet: Duration, at: impl Fn(&Seen) -> Instant) -> Duration {
        let typed = Instant::now();
        self.keys(keys);
        let mut seen = self.seen.0.lock().expect("whole");
        while at(&seen) < typed || seen.last.elapsed() < quiet {
            let waits = typed.elapsed() < PATIENCE && !seen.closed;
            assert!(waits, "no answer to {keys:?} on\n{}", seen.parser.screen().contents());
            seen = self.seen.1.wait_timeout(seen, quiet).expect("whole").0;
        }
        at(&seen) - typed
    }

    /// Every byte that the program wrote.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen.0.lock().expect("whole").bytes.clone()
    }

    /// Waits until the screen satisfies the wish.
    pub fn wait_until(&self, what: &str, wish: impl Fn(&str) -> bool) -> String {
        self.wait(what, vt100::Screen::contents, wish)
    }

    /// Waits until every cell is as in the picture.
    pub fn wait_for_picture(&self, what: &str, expected: &str) {
        self.wait(&format!("{what}:\n{expected}\n"), picture, |picture| picture == expected);
    }

    fn wait(
        &self,
        what: &str,
        look: impl Fn(&vt100::Screen) -> String,
        wish: impl Fn(&str) -> bool,
    ) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().expect("whole");
        loop {
            let screen = look(seen.parser.screen());
            if wish(&screen) {
                return screen;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.closed, "never saw {what}; the screen is\n{screen}");
            seen = self.seen.1.wait_timeout(seen, left).expect("whole").0;
        }
    }

    /// Waits until this text is on screen.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Types keys, then waits until this text is on screen.
    pub fn type_and_see(&self, keys: &str, text: &str) -> String {
        self.keys(keys);
        self.wait_for(text)
    }

    /// Changes the size of the terminal.
    pub fn resize(&self, cols: u16, rows: u16) {
        self.seen.0.lock().expect("whole").parser.screen_mut().set_size(cells(rows), cells(cols));
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("resized");
    }

    /// Kills the program as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for the end and gives the exit code.
    pub fn exit_code(&mut self) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("waited") {
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "still running; the screen is\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the terminal has read all that the ended program wrote.
    pub fn wait_for_end(&self) {
        let mut seen = self.seen.0.lock().expect("whole");
        while !seen.closed {
            let (next, timeout) = self.seen.1.wait_timeout(seen, PATIENCE).expect("whole");
            seen = next;
            assert!(!timeout.timed_out(), "the terminal stays open after the program's end");
        }
    }

    /// Waits until the screen has stood still for a moment: all keys typed so far are drawn. A program that
    /// draws for ever fails.
    pub fn settle(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().expect("whole");
        loop {
            let before = seen.bytes.len();
            let (next, timeout) = self.seen.1.wait_timeout(seen, Duration::from_millis(150)).expect("whole");
            seen = next;
            if timeout.timed_out() && seen.bytes.len() == before {
                return;
            }
            assert!(Instant::now() < deadline, "never at rest on\n{}", seen.parser.screen().contents());
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a process")
    }

    /// Sends a signal by its name, `TERM`.
    pub fn signal(&self, name: &str) {
        // `kill` is a command of every shell, and a program of its own on few machines.
        let sent = std::process::Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.pid())])
            .status()
            .expect("a shell");
        assert!(sent.success(), "SIG{name} could not be sent");
    }

    /// Waits until the program is stopped, as by the shell's job control.
    pub fn wait_until_stopped(&self) {
        let deadline = Instant::now() + PATIENCE;
        let stat = format!("/proc/{}/stat", self.pid());
        // The state is the first field after the name, which ends with the last bracket.
        while !std::fs::read_to_string(&stat)
            .expect("a process")
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.starts_with(" T"))
        {
            assert!(Instant::now() < deadline, "never stopped; the screen is\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Fails when the terminal is not as the program found it: its screen, cursor, mouse, colours, line
    /// discipline. While somebody still has it open, what they wrote may be on its way to us.
    pub fn assert_given_back(&self, when: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().expect("whole");
        while let Err(what) = self.given_back(&seen) {
            let waits = !seen.closed && Instant::now() < deadline;
            assert!(waits, "{what} {when}; the screen is\n{}", seen.parser.screen().contents());
            seen = self.seen.1.wait_timeout(seen, Duration::from_millis(20)).expect("whole").0;
        }
    }

    fn given_back(&self, seen: &Seen) -> Result<(), String> {
        for (mode, at_first) in MODES {
            let last = |end: &str| {
                let sequence = format!("\x1b[?{mode}{end}");
                seen.bytes.windows(sequence.len()).rposition(|window| window == sequence.as_bytes())
            };
            let on = match (last("h"), last("l")) {
                (None, None) => at_first,
                (on, off) => on > off,
            };
            if on != at_first {
                return Err(format!("mode ?{mode} is {on}"));
            }
        }
        // Colours too: what is written next is plain.
        let screen = seen.parser.screen();
        let colours = [screen.fgcolor(), screen.bgcolor()];
        if colours != [vt100::Color::Default; 2] || screen.bold() || screen.underline() || screen.inverse() {
            return Err(format!("what is written next is in {colours:?} or bold, underlined, reversed"));
        }
        let now = discipline(self.master.as_ref());
        if now != self.cooked { Err(format!("the line discipline is {now}")) } else { Ok(()) }
    }

    /// Whether keys come one by one, not in lines.
    pub fn is_raw(&self) -> bool {
        discipline(self.master.as_ref()) != self.cooked
    }
}

/// The screen with what can be seen of each cell's style: a letter a cell, and a table of the letters.
pub fn picture(screen: &vt100::Screen) -> String {
    let (rows, cols) = (screen.size().0.get(), screen.size().1.get());
    let mut styles: Vec<String> = Vec::new();
    let (mut text, mut style) = (String::new(), String::new());
    for row in 0..rows {
        for cell in (0..cols).filter_map(|col| screen.cell(row, col)) {
            if cell.is_wide_continuation() {
                continue;
            }
            text.push_str(if cell.has_contents() { cell.contents() } else { " " });
            let look = format!(
                "{:?} on {:?}, bold {} underline {} inverse {} dim {}",
                cell.fgcolor(),
                cell.bgcolor(),
                cell.bold(),
                cell.underline(),
                cell.inverse(),
                cell.dim()
            );
            let at = styles.iter().position(|known| *known == look).unwrap_or_else(|| {
                styles.push(look);
                styles.len() - 1
            });
            style.push(char::from_u32('a' as u32 + at as u32).expect("few styles"));
        }
        text.push('\n');
        style.push('\n');
    }
    let table: Vec<String> = ('a'..).zip(styles).map(|(letter, look)| format!("{letter}: {look}")).collect();
    // Where a hidden cursor is nobody sees.
    let cursor = (!screen.hide_cursor()).then(|| screen.cursor_position());
    format!("{text}\n{style}\n{}\ncursor {cursor:?}", table.join("\n"))
}

/// How the kernel treats what is typed and written, as text to compare.
fn discipline(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal has a line discipline"))
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.kill();
    }
}
