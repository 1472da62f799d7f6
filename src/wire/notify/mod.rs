//! Telling people of alerts: a message in the form that each kind of receiver knows, sent once.
//!
//! Retrying, and not telling twice, is the outbox's affair (`ops::monitor`). To add a kind: a variant of
//! [`ReceiverKind`], its body in `body.rs` and an arm here.

mod body;
mod program;

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::monitor::{Notice, Receiver, ReceiverKind};
use crate::domain::{Error, Result, Untrusted};
use crate::wire::http::{self, Mask};

pub use body::{alertmanager, pagerduty, slack};

/// How long a receiver may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// PagerDuty's own address.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

/// What a receiver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// It took the message.
    pub taken: bool,
    /// It may take it later.
    pub again: bool,
    /// The HTTP status or exit code.
    pub status: Option<i64>,
    /// The first words of its answer, or why there was none. Holds no address and no key.
    pub answer: Untrusted,
}

/// A receiver that can be told: its address and key are at hand.
pub struct Notifier {
    place: Place,
    mask: Mask,
}

enum Place {
    Post { client: reqwest::Client, url: reqwest::Url, form: Form },
    Program(Vec<String>),
    Bell,
}

enum Form {
    Slack,
    Alertmanager,
    PagerDuty(SecretString),
}

impl Notifier {
    /// Makes ready to tell a receiver; addresses and keys come from `variable`.
    ///
    /// # Errors
    /// `NotSo` when a variable is not set, `Usage` when it holds no address. Neither quotes what it holds.
    pub fn connect(receiver: &Receiver, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let mut mask = Mask::default();
        let secret = |name: &str| {
            let value = variable(name).filter(|value| !value.trim().is_empty());
            value.map(|value| value.trim().to_owned()).ok_or_else(|| {
                Error::not_so(format!("The receiver `{}` cannot be told: ${name} is not set.", receiver.name))
                    .hint(format!("Set {name} in the environment of `tuesday watch`."))
            })
        };
        let mut post = |address: String, known: bool, form: Form| -> Result<Place> {
            // The address of a webhook is a secret: whoever knows it can post.
            let url = http::address(&address).map_err(|_| {
                Error::usage(format!("The receiver `{}` has no address that can be asked.", receiver.name))
                    .hint("Its variable must hold an address that begins with http:// or https://.")
            })?;
            if !known {
                mask.add(SecretString::from(address));
                mask.add(SecretString::from(url.path().to_owned()));
            }
            Ok(Place::Post { client: http::client(&url)?, url, form })
        };
        let place = match &receiver.kind {
            ReceiverKind::Slack { url_env } => post(secret(url_env)?, false, Form::Slack)?,
            ReceiverKind::Alertmanager { url_env } => post(secret(url_env)?, false, Form::Alertmanager)?,
            ReceiverKind::PagerDuty { url_env, routing_key_env } => {
                // Behind an address of the team's own the key may be added there.
                let key = routing_key_env.as_deref().map(secret).transpose()?.unwrap_or_default();
                let (address, known) = match url_env {
                    Some(name) => (secret(name)?, false),
                    None => (PAGERDUTY.to_owned(), true),
                };
                let place = post(address, known, Form::PagerDuty(SecretString::from(key.clone())))?;
                mask.add(SecretString::from(key));
                place
            }
            ReceiverKind::Command(argv) => Place::Program(argv.clone()),
            ReceiverKind::Bell => Place::Bell,
        };
        Ok(Self { place, mask })
    }

    /// Whether it is the terminal that is to ring.
    pub fn is_bell(&self) -> bool {
        matches!(self.place, Place::Bell)
    }

    /// Tells it, once. `id` is the message's own, so that a receiver can know one that it had.
    pub async fn tell(&self, notice: &Notice, id: &str) -> Told {
        match &self.place {
            Place::Bell => self.told(true, false, None, ""),
            Place::Program(argv) => program::tell(argv, notice, id, PATIENCE).await,
            Place::Post { client, url, form } => {
                let body = match form {
                    Form::Slack => slack(notice),
                    Form::Alertmanager => alertmanager(notice),
                    Form::PagerDuty(key) => pagerduty(notice, key.expose_secret()).unwrap_or_default(),
                };
                let ask = client
                    .post(url.clone())
                    .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                    .header("idempotency-key", id)
                    .body(body.to_string())
                    .timeout(PATIENCE);
                match ask.send().await {
                    Ok(response) => self.answered(response).await,
                    Err(error) => {
                        let what = http::unsent(error, &self.mask).what;
                        Told { taken: false, again: true, status: None, answer: what }
                    }
                }
            }
        }
    }

    async fn answered(&self, response: reqwest::Response) -> Told {
        let status = response.status();
        let code = Some(i64::from(status.as_u16()));
        let words = match http::body(response, &self.mask).await {
            Ok(bytes) => self.mask.quote(&bytes),
            // It said yes or no; that its words were cut off changes nothing.
            Err(_) => String::new(),
        };
        if status.is_success() {
            return self.told(true, false, code, &words);
        }
        // What is wrong with the message or the key will be wrong the next time too.
        let later = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
        self.told(false, later, code, &words)
    }

    fn told(&self, taken: bool, again: bool, status: Option<i64>, words: &str) -> Told {
        Told { taken, again, status, answer: Untrusted::from(words) }
    }
}
