//! One way to speak HTTP: how a client is made, how an answer is read without trusting its length, and how a
//! failure is told without its key.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::{AskError, AskErrorKind, Error, Result, Untrusted};

/// The most bytes of one answer that are read; what is longer is not an answer.
pub const MOST_BYTES: usize = 8 << 20;

/// The most characters of an outsider's words that an error quotes.
const QUOTED: usize = 300;

/// Checks an address.
///
/// # Errors
/// `Usage` when it is not an `http` or `https` address, or holds a password, which would be shown with it.
pub fn address(text: &str) -> Result<Url> {
    let wrong = |why: &str| {
        Error::usage(format!("\"{}\" is not an address that can be asked: {why}.", without_login(text)))
            .hint("An address looks like this: `https://api.example.com/v1`.")
    };
    let url = Url::parse(text).map_err(|e| wrong(&e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("it does not begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a login").hint("Name the variable that holds the key: `api_key_env`."));
    }
    Ok(url)
}

/// The text without what stands before its last `@`, which may be a password.
fn without_login(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, after)) => format!("…@{after}"),
        None => text.to_owned(),
    }
}

/// Makes the client for one address. Connections are kept and shared by its clones.
///
/// # Errors
/// `Failed` when the machine's certificates cannot be read.
pub fn client(url: &Url) -> Result<Client> {
    // A second call finds the provider there, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A redirect elsewhere would carry the key to whoever it names.
    let same_place = reqwest::redirect::Policy::custom(|attempt| {
        let first = attempt.previous().first().map(Url::origin);
        if attempt.previous().len() > 5 || first != Some(attempt.url().origin()) {
            attempt.stop()
        } else {
            attempt.follow()
        }
    });
    let mut client = Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .redirect(same_place)
        .user_agent(concat!("tuesday/", env!("CARGO_PKG_VERSION")));
    if is_loopback(url) {
        client = client.no_proxy();
    }
    client.build().map_err(|e| Error::failed("No HTTP client could be made.").because(e))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What must not be shown, wherever it turns up.
#[derive(Debug, Clone, Default)]
pub struct Mask(Vec<SecretString>);

impl Mask {
    /// Adds a secret. One so short that it is a word by chance is left out.
    pub fn add(&mut self, secret: SecretString) {
        if secret.expose_secret().trim().len() >= 4 {
            self.0.push(secret);
        }
    }

    /// The text without the secrets.
    pub fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            let plain = secret.expose_secret().trim();
            let escaped = serde_json::Value::from(plain).to_string();
            text.replace(plain, "[key]").replace(escaped.trim_matches('"'), "[key]")
        })
    }

    /// An answer without the secrets, so that one which echoes them is not stored with them. A key so short
    /// that it may be a word of the answer (`none`, `not-needed`) is left in.
    pub fn answer(&self, bytes: Vec<u8>) -> Vec<u8> {
        let is_there = |secret: &SecretString| {
            let plain = secret.expose_secret().trim();
            plain.len() >= 12 && memchr::memmem::find(&bytes, plain.as_bytes()).is_some()
        };
        let there: Vec<SecretString> = self.0.iter().filter(|secret| is_there(secret)).cloned().collect();
        if there.is_empty() {
            return bytes;
        }
        Mask(there).apply(&String::from_utf8_lossy(&bytes)).into_bytes()
    }

    /// An error whose words come from outside: without the secrets.
    pub fn error(&self, kind: AskErrorKind, what: impl AsRef<str>) -> AskError {
        AskError { kind, what: Untrusted::new(self.apply(what.as_ref())), retry_after: None }
    }

    /// The beginning of an outsider's words, on one line, without the secrets.
    pub fn quote(&self, bytes: &[u8]) -> String {
        // Masked before it is cut: half a key is still a secret.
        let text = self.apply(&String::from_utf8_lossy(bytes));
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(QUOTED) {
            Some((cut, _)) => format!("{}…", &line[..cut]),
            None => line,
        }
    }

    /// The end of an outsider's words, on one line, without the secrets.
    pub fn quote_end(&self, bytes: &[u8]) -> String {
        let text = self.apply(&String::from_utf8_lossy(bytes));
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().rev().nth(QUOTED) {
            Some((cut, _)) => format!("…{}", &line[cut..]),
            None => line,
        }
    }
}

/// Why a request that was sent gave no response.
pub fn unsent(error: reqwest::Error, mask: &Mask) -> AskError {
    let (kind, what) = if error.is_connect() {
        (AskErrorKind::Unavailable, "It could not be reached")
    } else if error.is_builder() {
        (AskErrorKind::Refused, "The request could not be made")
    } else {
        (AskErrorKind::Cut, "The connection was cut")
    };
    let kind = if error.is_timeout() { AskErrorKind::Timeout } else { kind };
    mask.error(kind, format!("{what}: {}.", causes(&error.without_url())))
}

/// The last cause says most: `connection refused`, rather than `error sending request`.
fn causes(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string().trim_end_matches('.').to_owned()
}

/// Reads a response to its end, or to [`MOST_BYTES`].
///
/// # Errors
/// `Unreadable` when it is longer, `Cut` when the connection is cut in the middle.
pub async fn body(mut response: Response, mask: &Mask) -> std::result::Result<Vec<u8>, AskError> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > MOST_BYTES => {
                let what = format!("The answer does not end: more than {} MB came.", MOST_BYTES >> 20);
                return Err(mask.error(AskErrorKind::Unreadable, what));
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(e) if e.is_timeout() => return Err(unsent(e, mask)),
            Err(e) => {
                let why = causes(&e.without_url());
                let what = format!("The connection was cut in the middle of the answer: {why}.");
                return Err(mask.error(AskErrorKind::Cut, what));
            }
        }
    }
}

/// How long a server wants to be left alone: `Retry-After` in seconds or as a date, or OpenAI's `retry-after-ms`.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let wish = text("retry-after")?;
    match wish.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => httpdate::parse_http_date(wish).ok().map(|at| at.duration_since(now).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_and_holds_no_password() {
        assert!(address("http://127.0.0.1:8080/v1").is_ok());
        for bad in ["", "api.example.com", "ftp://example.com", "file:///etc/passwd"] {
            assert!(address(bad).is_err(), "{bad}");
        }
        let error = address("https://me:hunter2@example.com/v1").unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }

    #[test]
    fn loopback_is_known_in_all_its_spellings() {
        let loopback = |text| is_loopback(&Url::parse(text).unwrap());
        assert!(
            ["http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:80", "http://localhost:80"]
                .into_iter()
                .all(loopback)
        );
        assert!(!loopback("http://example.com") && !loopback("http://10.0.0.1"));
    }

    #[test]
    fn a_wish_to_be_left_alone_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let wish = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(wish("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(wish("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"), Some(Duration::from_secs(3)));
        assert_eq!(wish("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wish("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        for nonsense in ["soon", "-1", "inf", "NaN"] {
            assert_eq!(wish("retry-after", nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_secret_is_masked_before_the_text_is_cut() {
        let mut mask = Mask::default();
        mask.add(SecretString::from("sk-abc\"def"));
        let long = format!("{}sk-abc\"def", "x".repeat(QUOTED - 4));
        assert!(!mask.quote(long.as_bytes()).contains("sk-a"));
        assert_eq!(mask.apply(r#"{"key":"sk-abc\"def"}"#), r#"{"key":"[key]"}"#);
    }
}
