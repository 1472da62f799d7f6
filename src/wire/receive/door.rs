//! Who may send.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::answer::Refusal;

/// Lets a request in, or says why not. A page in somebody's browser can reach a receiver on loopback too: what
/// a browser sends says so, and is turned away.
pub(super) fn may_enter(headers: &HeaderMap, token: Option<&SecretString>) -> Result<(), Refusal> {
    if headers.contains_key(header::ORIGIN) {
        return Err(Refusal::Browser);
    }
    let Some(token) = token else { return Ok(()) };
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(shown);
    // Hashes are compared in a time that does not depend on them.
    let same = |shown: Vec<u8>| blake3::hash(&shown) == blake3::hash(token.expose_secret().as_bytes());
    if shown.is_some_and(same) { Ok(()) } else { Err(Refusal::Unauthorized) }
}

/// The token of a bearer, or the password of basic authentication, which is what Langfuse's SDK can send.
fn shown(authorization: &str) -> Option<Vec<u8>> {
    let (scheme, rest) = authorization.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = STANDARD.decode(rest).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair[colon + 1..].to_vec())
}
