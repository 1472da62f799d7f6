//! When a frame may be drawn that no key asked for.

use std::time::{Duration, Instant};

/// The time that a frame has to itself in the long run.
const FRAME: Duration = Duration::from_millis(16);
/// After a rest, as many frames may come at once as fit into this, and one: six. The answers to one key are
/// few and each is waited for (half a dozen when the program starts); only a stream of them must be held back.
const SAVED: Duration = Duration::from_millis(80);

/// Sixty frames a second and no more, but the first few of a rush at once.
#[derive(Debug)]
pub struct Pace {
    /// When the frames so far would be over if each took its time.
    over: Instant,
}

impl Pace {
    /// Begins rested.
    pub fn new(now: Instant) -> Self {
        Self { over: now }
    }

    /// From when on the next frame may be drawn.
    pub fn due(&self) -> Instant {
        self.over.checked_sub(SAVED).unwrap_or(self.over)
    }

    /// Takes note of a frame.
    pub fn drawn(&mut self, now: Instant) {
        self.over = self.over.max(now) + FRAME;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_few_come_at_once_and_a_stream_at_sixty_a_second() {
        let begun = Instant::now() + Duration::from_secs(1);
        let mut pace = Pace::new(begun);
        let mut frames = Vec::new();
        // Something has changed at every millisecond of a second.
        for ms in 0..1000 {
            let now = begun + Duration::from_millis(ms);
            if now >= pace.due() {
                pace.drawn(now);
                frames.push(ms);
            }
        }
        assert_eq!(frames[..8], [0, 1, 2, 3, 4, 5, 16, 32]);
        assert!((60..=70).contains(&frames.len()), "{frames:?}");
        // Rested, it may hurry again, but saves up no more than before.
        let later = begun + Duration::from_secs(60);
        let at_once = std::iter::from_fn(|| (later >= pace.due()).then(|| pace.drawn(later))).count();
        assert_eq!(at_once, 6);
    }
}
