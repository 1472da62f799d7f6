//! The program in a real pseudo-terminal: keys in, screen out, and every byte it wrote kept.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long a screen may take to show what is waited for before the test gives up. Never a measure of speed.
const PATIENCE: Duration = Duration::from_secs(60);

fn cells(n: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(n).expect("a terminal has cells")
}

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    closed: bool,
}

/// A running program and its terminal.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    #[allow(dead_code)]
    master: Box<dyn MasterPty + Send>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

impl Terminal {
    /// Starts the program on this store in a terminal of this size. It answers the questions that a
    /// real terminal answers (background colour, device attributes).
    pub fn start(store: &Path, args: &[&str], cols: u16, rows: u16) -> Self {
        Self::start_with(store, args, cols, rows, &[])
    }

    /// The same with more environment.
    pub fn start_with(store: &Path, args: &[&str], cols: u16, rows: u16, env: &[(&str, &str)]) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
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
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let seen = Arc::new((
            Mutex::new(Seen {
                parser: vt100::Parser::new(cells(rows), cells(cols), 0),
                bytes: Vec::new(),
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
                seen.bytes.extend_from_slice(&buffer[..n]);
                seen.parser.process(&buffer[..n]);
                shared.1.notify_all();
                let chunk = &buffer[..n];
                let has = |needle: &[u8]| chunk.windows(needle.len()).any(|w| w == needle);
                let mut answers = answers.lock().expect("whole");
                if has(b"\x1b]11;?") {
                    let _ = answers.write_all(b"\x1b]11;rgb:1616/1818/1d1d\x1b\\");
                }
                if has(b"\x1b]10;?") {
                    let _ = answers.write_all(b"\x1b]10;rgb:d5d5/d8d8/dede\x1b\\");
                }
                if has(b"\x1b[c") {
                    let _ = answers.write_all(b"\x1b[?62;22c");
                }
            }
        });
        Self { child, master: pair.master, keys, seen }
    }

    /// Types these bytes.
    pub fn keys(&self, keys: &str) {
        let mut writer = self.keys.lock().expect("whole");
        writer.write_all(keys.as_bytes()).expect("typed");
        writer.flush().expect("typed");
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.seen.0.lock().expect("whole").parser.screen().contents()
    }

    /// A copy of the screen with its colours.
    pub fn look(&self) -> vt100::Screen {
        self.seen.0.lock().expect("whole").parser.screen().clone()
    }

    /// Every byte that the program wrote.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen.0.lock().expect("whole").bytes.clone()
    }

    /// Waits until the screen satisfies the wish.
    pub fn wait_until(&self, what: &str, wish: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().expect("whole");
        loop {
            let screen = seen.parser.screen().contents();
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
    #[allow(dead_code)]
    pub fn type_and_see(&self, keys: &str, text: &str) -> String {
        self.keys(keys);
        self.wait_for(text)
    }

    /// Changes the size of the terminal.
    #[allow(dead_code)]
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

    /// Waits until the screen has stood still for a moment: all keys typed so far are drawn.
    pub fn settle(&self) {
        let mut seen = self.seen.0.lock().expect("whole");
        loop {
            let before = seen.bytes.len();
            let (next, timeout) = self.seen.1.wait_timeout(seen, Duration::from_millis(150)).expect("whole");
            seen = next;
            if timeout.timed_out() && seen.bytes.len() == before {
                return;
            }
        }
    }

    /// The process id, for signals.
    #[allow(dead_code)]
    pub fn pid(&self) -> Option<u32> {
        self.child.process_id()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.kill();
    }
}
