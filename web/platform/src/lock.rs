//! What only one page of a browser has at a time.

use std::time::Duration;

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/src/lock.js")]
extern "C" {
    #[wasm_bindgen(js_name = hold)]
    async fn request(name: &str, patience: f64) -> wasm_bindgen::JsValue;
}

/// Takes the lock `name` and keeps it until this page is gone; false when another page has it all through `patience`. A
/// page that is loaded again gives it up before long.
///
/// In a browser without locks every page has each.
pub async fn hold(name: &str, patience: Duration) -> bool {
    request(name, patience.as_millis() as f64).await.is_truthy()
}
