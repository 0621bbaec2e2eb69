//! Requests to our own server, each with a proof that this install makes it (RFC 9449).
//!
//! The key is a pair for ECDSA on P-256, made by the browser, kept in IndexedDB, and not extractable: scripts of this
//! origin can sign with it here, and nobody can take it elsewhere. Where a browser keeps no keys there are no proofs, and
//! requests are worth what their token is.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::Fault;
use crate::time::Ticker;

/// How long an answer may take, in milliseconds. Guess: a phone in a tunnel; whoever asks tries again.
const PATIENCE_MS: u32 = 10_000;

/// How many proofs lie ready for a page that closes. Guess: nobody rings more people than that at the same time.
const PROOFS_READY: u32 = 3;

/// How often they are made anew. Browsers let the timers of hidden pages go once a minute.
const PROOFS_FRESH: Duration = Duration::from_secs(60);

/// How old they may be, in milliseconds. The server takes them for 300 s.
const PROOFS_GOOD_MS: u32 = 240_000;

#[wasm_bindgen(module = "/src/http.js")]
extern "C" {
    #[wasm_bindgen(js_name = prove)]
    async fn sign(method: &str, url: &str) -> JsValue;

    #[wasm_bindgen(catch, js_name = ask)]
    async fn fetch(
        method: &str,
        url: &str,
        body: Option<String>,
        patience: u32,
    ) -> Result<JsValue, JsValue>;

    async fn stock(url: &str, many: u32);

    #[wasm_bindgen(js_name = post_last)]
    fn fetch_last(url: &str, body: &str, good: u32);
}

/// What to do at the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Add, or act.
    Post,
    /// Put in place of what is there.
    Put,
    /// Remove.
    Delete,
}

/// What the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, as text.
    pub body: String,
}

impl Answer {
    /// Whether the server did what was asked.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as a value, or `None` when it is not one.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.body).ok()
    }
}

/// Asks the server and waits for the answer. `url` is relative to the page.
///
/// # Errors
///
/// When no answer came: the server or the network is away.
pub async fn ask(method: Method, url: &str) -> Result<Answer, Fault> {
    send(method, url, None).await
}

/// Asks the server with a JSON body and waits for the answer.
///
/// # Errors
///
/// As [`ask`].
pub async fn ask_with(method: Method, url: &str, body: &impl Serialize) -> Result<Answer, Fault> {
    let body = to_text(body)?;
    send(method, url, Some(body)).await
}

/// Posts to one address that go out even if the page is closed right after.
pub struct LastWords {
    url: &'static str,
    _fresh: Ticker,
}

impl LastWords {
    /// Gets ready to post to `url`: a few proofs are made beforehand, and kept fresh, for signing takes a moment that a
    /// closing page does not have.
    #[must_use]
    pub fn ready(url: &'static str) -> Self {
        let make = move || crate::spawn(stock(url, PROOFS_READY));
        make();
        Self { url, _fresh: Ticker::every(PROOFS_FRESH, make) }
    }

    /// Posts a JSON body without waiting.
    ///
    /// # Errors
    ///
    /// When the body cannot be written down.
    pub fn post(&self, body: &impl Serialize) -> Result<(), Fault> {
        fetch_last(self.url, &to_text(body)?, PROOFS_GOOD_MS);
        Ok(())
    }
}

/// A proof for a request of `method` to `url`; `None` where the browser keeps no keys.
pub(crate) async fn prove(method: &str, url: &str) -> Option<String> {
    sign(method, url).await.as_string()
}

fn to_text(body: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(body).map_err(|_| Fault::json("Writing a request"))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "three digits")]
async fn send(method: Method, url: &str, body: Option<String>) -> Result<Answer, Fault> {
    let method = match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
    };
    let answer = fetch(method, url, body, PATIENCE_MS).await;
    let answer = answer.map_err(Fault::thrown("Asking the server"))?;
    let answer: js_sys::Array = answer.unchecked_into();
    let status = answer.get(0).as_f64().unwrap_or_default() as u16;
    Ok(Answer { status, body: answer.get(1).as_string().unwrap_or_default() })
}
