//! What a service worker leaves for pages: the two share no storage but caches and databases.
//!
//! A browser may refuse to remember; then there are no notes.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/src/notes.js")]
extern "C" {
    #[wasm_bindgen(js_name = leave)]
    async fn put(place: &str, text: &str);

    #[wasm_bindgen(js_name = take)]
    async fn get(place: &str) -> JsValue;
}

/// The cache that they lie in.
const PLACE: &str = "hullo-notes";

/// Leaves a text for the next page. Of more than twenty that nobody took the oldest goes.
pub async fn leave(text: &str) {
    put(PLACE, text).await;
}

/// Takes all that was left, the oldest first. No other page gets them.
pub async fn take() -> Vec<String> {
    let found = js_sys::Array::from(&get(PLACE).await);
    found.iter().filter_map(|text| text.as_string()).collect()
}
