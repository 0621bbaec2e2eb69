//! Requests to our own server.

use js_sys::Promise;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response, Window, WorkerGlobalScope};

use crate::Fault;

/// How long an answer may take, in milliseconds. Guess: a phone in a tunnel; whoever asks tries again.
const PATIENCE_MS: u32 = 10_000;

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

/// Posts a JSON body without waiting; it goes out even if the page is closed right after.
///
/// # Errors
///
/// When the body cannot be written down.
pub fn post_last(url: &str, body: &impl Serialize) -> Result<(), Fault> {
    let body = to_text(body)?;
    let init = request(Method::Post, Some(&body))?;
    js_sys::Reflect::set(&init, &"keepalive".into(), &true.into())
        .map_err(Fault::thrown("Posting at the end"))?;
    let posted = fetch(url, &init);
    crate::spawn(async move {
        // Nobody is left to be told.
        JsFuture::from(posted).await.ok();
    });
    Ok(())
}

/// Asks from a page or from a service worker.
fn fetch(url: &str, init: &RequestInit) -> Promise {
    match js_sys::global().dyn_into::<Window>() {
        Ok(window) => window.fetch_with_str_and_init(url, init),
        Err(worker) => {
            worker.unchecked_into::<WorkerGlobalScope>().fetch_with_str_and_init(url, init)
        }
    }
}

fn to_text(body: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(body).map_err(|error| Fault::new("Writing a request", error.to_string()))
}

async fn send(method: Method, url: &str, body: Option<String>) -> Result<Answer, Fault> {
    let fault = Fault::thrown("Asking the server");
    let init = request(method, body.as_deref())?;
    init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE_MS)));
    let response = JsFuture::from(fetch(url, &init)).await;
    let response: Response = response.map_err(&fault)?.unchecked_into();
    let body = JsFuture::from(response.text().map_err(&fault)?).await.map_err(&fault)?;
    Ok(Answer { status: response.status(), body: body.as_string().unwrap_or_default() })
}

fn request(method: Method, body: Option<&str>) -> Result<RequestInit, Fault> {
    let init = RequestInit::new();
    init.set_method(match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
    });
    if let Some(body) = body {
        let fault = Fault::thrown("Writing a request");
        let headers = Headers::new().map_err(&fault)?;
        headers.set("content-type", "application/json").map_err(&fault)?;
        init.set_headers_headers(&headers);
        init.set_body_opt_str(Some(body));
    }
    Ok(init)
}
