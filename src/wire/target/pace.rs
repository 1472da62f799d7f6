//! How fast a target may be asked: requests and tokens in a minute, shared by all who ask it.

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::Instant;

use crate::domain::{Answer, Ask, Content, TargetLimits};

/// Tokens that an answer is taken to have before the first is known.
const FIRST_GUESS: f64 = 300.0;

/// The gate that every attempt passes.
pub struct Pace {
    requests: Option<DefaultDirectRateLimiter>,
    tokens: Option<Mutex<Tokens>>,
    /// Nobody asks before then: the target said so to one of them.
    rest: Mutex<Option<Instant>>,
}

/// A bucket that may go into debt: what an answer costs is known only when it is there.
struct Tokens {
    level: f64,
    most: f64,
    per_second: f64,
    at: Instant,
    /// A running mean of what answers were over the guess of their questions.
    answer: f64,
}

/// What was reserved for an attempt, in tokens.
#[derive(Debug, Clone, Copy)]
pub struct Reserved(f64);

impl Pace {
    /// The pace that these limits allow.
    pub fn new(limits: &TargetLimits) -> Self {
        let requests = limits.requests_per_minute.and_then(NonZeroU32::new).map(|most| {
            // Spread over the minute, in bursts of at most a tenth of a second's worth: a full burst and a
            // full minute together would be twice the limit.
            let burst = NonZeroU32::new(most.get() / 600).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct(Quota::per_minute(most).allow_burst(burst))
        });
        let tokens = limits.tokens_per_minute.filter(|most| *most > 0).map(|most| {
            let per_second = f64::from(most) / 60.0;
            let most = per_second * 5.0;
            Mutex::new(Tokens { level: most, most, per_second, at: Instant::now(), answer: FIRST_GUESS })
        });
        Self { requests, tokens, rest: Mutex::new(None) }
    }

    /// Waits until one more may be asked, and reserves what it may take.
    pub async fn wait(&self, ask: &Ask) -> Reserved {
        loop {
            let until = self.rest.lock().ok().and_then(|rest| *rest);
            match until.filter(|until| *until > Instant::now()) {
                Some(until) => tokio::time::sleep_until(until).await,
                None => break,
            }
        }
        let mut reserved = Reserved(0.0);
        if let Some(tokens) = &self.tokens {
            let guess = question_tokens(ask);
            loop {
                // The lock must not live on into the sleep.
                let taken = tokens.lock().map(|mut tokens| tokens.reserve(guess)).ok();
                match taken {
                    Some(Err(wait)) => tokio::time::sleep(wait).await,
                    Some(Ok(taken)) => {
                        reserved = taken;
                        break;
                    }
                    None => break,
                }
            }
        }
        if let Some(requests) = &self.requests {
            requests.until_ready().await;
        }
        reserved
    }

    /// Settles a reservation: with the answer where there is one; without, nothing was used.
    pub fn settle(&self, reserved: Reserved, answer: Option<&Answer>) {
        if let Some(Ok(mut tokens)) = self.tokens.as_ref().map(Mutex::lock) {
            let used = match answer {
                None => 0.0,
                Some(answer) => match (answer.tokens_in, answer.tokens_out) {
                    (Some(tokens_in), Some(tokens_out)) => {
                        tokens.answer = tokens.answer * 0.8 + tokens_out as f64 * 0.2;
                        (tokens_in + tokens_out) as f64
                    }
                    _ => reserved.0,
                },
            };
            tokens.level += reserved.0 - used;
        }
    }

    /// Lets nobody ask for so long.
    pub fn rest(&self, time: Duration) {
        if let Ok(mut rest) = self.rest.lock() {
            let until = Instant::now() + time;
            *rest = Some(rest.map_or(until, |before| before.max(until)));
        }
    }
}

impl Tokens {
    /// Takes what a question and its answer may need, or says how long to wait.
    fn reserve(&mut self, question: f64) -> Result<Reserved, Duration> {
        let now = Instant::now();
        let fresh = now.duration_since(self.at).as_secs_f64() * self.per_second;
        self.level = (self.level + fresh).min(self.most);
        self.at = now;
        let wanted = question + self.answer;
        // What is larger than the bucket goes when it is full, and leaves a debt.
        let missing = wanted.min(self.most) - self.level;
        if missing > 0.0 {
            return Err(Duration::from_secs_f64((missing / self.per_second).max(0.001)));
        }
        self.level -= wanted;
        Ok(Reserved(wanted))
    }
}

/// About how many tokens a question has: four characters each.
fn question_tokens(ask: &Ask) -> f64 {
    let mut bytes = ask.prompt.as_ref().map_or(0, String::len);
    match &ask.input {
        Content::Text(text) => bytes += text.raw().len(),
        Content::Messages(_) => ask.input.each_text(true, &mut |text| bytes += text.len()),
    }
    bytes as f64 / 4.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(requests: Option<u32>, tokens: Option<u32>) -> TargetLimits {
        TargetLimits { requests_per_minute: requests, tokens_per_minute: tokens, ..TargetLimits::default() }
    }

    fn ask() -> Ask {
        Ask {
            id: String::new(),
            key: None,
            input: Content::Text("x".repeat(400).into()),
            prompt: None,
            json: None,
            max_tokens: None,
        }
    }

    fn used(tokens_in: u64, tokens_out: u64) -> Answer {
        Answer { tokens_in: Some(tokens_in), tokens_out: Some(tokens_out), ..Answer::default() }
    }

    #[tokio::test]
    async fn requests_are_spread_over_the_minute() {
        let pace = Pace::new(&limits(Some(1200), None));
        let began = std::time::Instant::now();
        for _ in 0..7 {
            pace.wait(&ask()).await;
        }
        // Bursts of two, then one every 50 ms.
        let took = began.elapsed();
        assert!((Duration::from_millis(240)..Duration::from_secs(2)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_are_reserved_by_guess_and_settled_by_what_they_were() {
        let pace = Pace::new(&limits(None, Some(60_000)));
        let began = Instant::now();
        for _ in 0..100 {
            let reserved = pace.wait(&ask()).await;
            pace.settle(reserved, Some(&used(100, 1900)));
        }
        // 200,000 tokens at 1,000 a second, less the first bucket and what is still owed.
        let took = began.elapsed().as_secs_f64();
        assert!((190.0..=200.0).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_wants_rest_gets_it_from_all() {
        let pace = Pace::new(&limits(None, None));
        pace.rest(Duration::from_secs(5));
        pace.rest(Duration::from_secs(1));
        let began = Instant::now();
        pace.wait(&ask()).await;
        assert_eq!(began.elapsed().as_secs(), 5);
    }
}
