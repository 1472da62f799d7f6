//! Embeddings from an OpenAI-compatible server: `POST {base_url}/embeddings`.

use std::time::{Duration, SystemTime};

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::http::{Mask, address, body, client, retry_after, unsent};
use crate::domain::{AskError, AskErrorKind, EmbedderSpec, Error, Result};

/// Times that a passing failure is asked again.
const ATTEMPTS: u32 = 4;
/// The longest that one request may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest that a server's `Retry-After` is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The wait before the second attempt; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// An embeddings endpoint.
pub struct EmbedEndpoint {
    client: Client,
    url: Url,
    model: String,
    key: Option<SecretString>,
    mask: Mask,
}

#[derive(Deserialize)]
struct Reply {
    data: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    #[serde(default)]
    index: Option<usize>,
    embedding: Vec<f32>,
}

impl EmbedEndpoint {
    /// Makes ready to ask. Errors with `Usage` when the address is none or the key's variable is not set.
    pub fn new(spec: &EmbedderSpec, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let url = address(&format!("{}/embeddings", spec.base_url.trim_end_matches('/')))?;
        let key = match &spec.api_key_env {
            None => None,
            Some(name) => Some(variable(name).filter(|key| !key.trim().is_empty()).ok_or_else(|| {
                Error::usage(format!(
                    "The variable {name}, which holds the key of embedder `{}`, is not set.",
                    spec.name
                ))
                .hint(format!("Set it: export {name}=…"))
            })?),
        };
        let key = key.map(|key| SecretString::from(key.trim().to_owned()));
        let mut mask = Mask::default();
        if let Some(key) = &key {
            mask.add(key.clone());
        }
        Ok(Self { client: client(&url)?, url, model: spec.model.clone(), key, mask })
    }

    /// The vectors of texts, in their order.
    pub async fn embed(&self, texts: &[&str]) -> std::result::Result<Vec<Vec<f32>>, AskError> {
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            match self.once(texts).await {
                Err(e) if e.kind.is_passing() && attempt < ATTEMPTS => {
                    tokio::time::sleep(e.retry_after.unwrap_or(wait).min(LONGEST_WAIT)).await;
                    wait *= 2;
                }
                other => return other,
            }
        }
        Ok(Vec::new())
    }

    async fn once(&self, texts: &[&str]) -> std::result::Result<Vec<Vec<f32>>, AskError> {
        let mut request = self.client.post(self.url.clone()).timeout(TIMEOUT);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose_secret());
        }
        let asked = serde_json::json!({ "model": self.model, "input": texts, "encoding_format": "float" });
        let response = request.json(&asked).send().await.map_err(|e| unsent(e, &self.mask))?;
        let (status, wish) = (response.status(), retry_after(response.headers(), SystemTime::now()));
        let bytes = body(response, &self.mask).await?;
        if !status.is_success() {
            let kind = match status.as_u16() {
                429 => AskErrorKind::RateLimit,
                408 => AskErrorKind::Timeout,
                500.. => AskErrorKind::Unavailable,
                _ => AskErrorKind::Refused,
            };
            let what = format!("The server answered {status}: {}", self.mask.quote(&bytes));
            return Err(AskError { retry_after: wish, ..self.mask.error(kind, what) });
        }
        let unreadable = |why: String| self.mask.error(AskErrorKind::Unreadable, why);
        let reply: Reply = serde_json::from_slice(&bytes).map_err(|e| {
            unreadable(format!("The server's answer holds no embeddings ({e}): {}", self.mask.quote(&bytes)))
        })?;
        let mut vectors = vec![Vec::new(); texts.len()];
        for (at, one) in reply.data.into_iter().enumerate() {
            if let Some(place) = vectors.get_mut(one.index.unwrap_or(at)) {
                *place = one.embedding;
            }
        }
        let whole = |vector: &Vec<f32>| !vector.is_empty() && vector.iter().all(|x| x.is_finite());
        if !vectors.iter().all(whole) {
            return Err(unreadable(format!(
                "The server did not give {} embeddings of numbers.",
                texts.len()
            )));
        }
        Ok(vectors)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::{Router, http::StatusCode, routing::post};
    use serde_json::{Value, json};

    use super::*;

    /// A server on loopback that answers the first request with the first of these, and so on; then the last.
    async fn server(replies: Vec<(StatusCode, Value)>) -> (EmbedEndpoint, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let app = Router::new().route(
            "/v1/embeddings",
            post(move || async move {
                let n = count.fetch_add(1, Ordering::Relaxed) as usize;
                let (status, body) = replies[n.min(replies.len() - 1)].clone();
                (status, body.to_string())
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let spec = EmbedderSpec {
            name: "e".into(),
            base_url,
            model: "m".into(),
            api_key_env: Some("KEY".into()),
            threshold: None,
        };
        (EmbedEndpoint::new(&spec, |_| Some("sk-secret".into())).unwrap(), asked)
    }

    #[tokio::test]
    async fn vectors_come_in_the_order_asked_after_a_passing_failure() {
        let good = json!({"data":[{"index":1,"embedding":[0.0,1.0]},{"index":0,"embedding":[1.0,0.0]}]});
        let (endpoint, asked) =
            server(vec![(StatusCode::SERVICE_UNAVAILABLE, json!({})), (StatusCode::OK, good)]).await;
        assert_eq!(endpoint.embed(&["a", "b"]).await.unwrap(), [vec![1.0, 0.0], vec![0.0, 1.0]]);
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_refusal_is_told_once_and_without_the_key() {
        let (endpoint, asked) =
            server(vec![(StatusCode::UNAUTHORIZED, json!({"error":"bad key sk-secret"}))]).await;
        let error = endpoint.embed(&["a"]).await.unwrap_err();
        assert_eq!(error.kind, AskErrorKind::Refused);
        assert!(error.what.raw().contains("401") && !error.what.raw().contains("sk-secret"), "{error:?}");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn too_few_vectors_are_no_answer() {
        let (endpoint, _) = server(vec![(StatusCode::OK, json!({"data":[{"embedding":[1.0]}]}))]).await;
        assert_eq!(endpoint.once(&["a", "b"]).await.unwrap_err().kind, AskErrorKind::Unreadable);
    }
}
