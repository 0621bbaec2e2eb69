//! What a page said on its console and whom it called.

use std::collections::BTreeMap;

use serde_json::Value;

/// The record of one page since it was opened.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Errors and warnings on the console, uncaught exceptions, refusals of the browser.
    pub complaints: Vec<String>,
    /// Addresses of all requests and sockets.
    pub requests: Vec<String>,
    /// Service workers that the browser knows of, by what they are in charge of: their numbers.
    pub registrations: BTreeMap<String, String>,
}

impl Record {
    /// Takes in one event of the protocol; others than those about the console and the network are nothing to it.
    pub(crate) fn note(&mut self, method: &str, params: &Value) {
        match method {
            "Runtime.consoleAPICalled" => self.console(params),
            "Runtime.exceptionThrown" => {
                let details = &params["exceptionDetails"];
                self.complaints.push(format!(
                    "uncaught: {} {}",
                    text(&details["text"]),
                    text(&details["exception"]["description"])
                ));
            }
            "Log.entryAdded" if params["entry"]["level"] == "error" => {
                let entry = &params["entry"];
                self.complaints.push(format!(
                    "browser: {} ({})",
                    text(&entry["text"]),
                    text(&entry["url"])
                ));
            }
            "Network.requestWillBeSent" => {
                self.requests.push(text(&params["request"]["url"]).to_owned());
            }
            "Network.webSocketCreated" => self.requests.push(text(&params["url"]).to_owned()),
            "ServiceWorker.workerRegistrationUpdated" => {
                for found in params["registrations"].as_array().into_iter().flatten() {
                    let (scope, number) =
                        (text(&found["scopeURL"]), text(&found["registrationId"]));
                    self.registrations.insert(scope.to_owned(), number.to_owned());
                }
            }
            _ => {}
        }
    }

    fn console(&mut self, params: &Value) {
        if params["type"] != "error" && params["type"] != "assert" {
            return;
        }
        let words = params["args"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
        let words =
            words.map(|word| word["value"].as_str().unwrap_or_else(|| text(&word["description"])));
        self.complaints.push(format!("console: {}", words.collect::<Vec<_>>().join(" ")));
    }

    /// Requests to anywhere but the one origin; what a page makes itself (`blob:`, `data:`) leaves nobody.
    #[must_use]
    pub fn strays(&self, origin: &str) -> Vec<&str> {
        let socket = origin.replacen("http", "ws", 1);
        let own = |address: &str| {
            ["blob:", "data:", "about:"].iter().any(|scheme| address.starts_with(scheme))
                || [origin, &socket].iter().any(|origin| {
                    address
                        .strip_prefix(*origin)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                })
        };
        self.requests.iter().map(String::as_str).filter(|address| !own(address)).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_to_elsewhere_is_a_stray() {
        let mut record = Record::default();
        for url in [
            "http://127.0.0.1:1/a",
            "blob:http://127.0.0.1:1/x",
            "http://127.0.0.1:12/",
            "https://cdn.example/x.js",
        ] {
            record.note("Network.requestWillBeSent", &json!({"request": {"url": url}}));
        }
        record.note("Network.webSocketCreated", &json!({"url": "ws://127.0.0.1:1/live"}));

        let strays = record.strays("http://127.0.0.1:1");

        assert_eq!(strays, ["http://127.0.0.1:12/", "https://cdn.example/x.js"]);
    }

    #[test]
    fn only_errors_on_the_console_are_complaints() {
        let mut record = Record::default();
        record
            .note("Runtime.consoleAPICalled", &json!({"type": "log", "args": [{"value": "fine"}]}));
        record.note(
            "Runtime.consoleAPICalled",
            &json!({"type": "error", "args": [{"value": "bad"}, {"description": "worse"}]}),
        );

        assert_eq!(record.complaints, ["console: bad worse"]);
    }
}
