//! The harness of the stories: a server, a push service, and devices that are reached by it.

use serde_json::{Value, json};
use tests::Hullo;
use tests::push::{PushService, Subscription};

pub(crate) const ALICE: &str = "alice@example.com";
pub(crate) const BOB: &str = "bob@example.com";

/// The invite of most stories.
pub(crate) const INVITE: &str = "000000000000001f";

/// A server that knows the push service.
pub(crate) struct Scene {
    pub(crate) hullo: Hullo,
    pub(crate) service: PushService,
}

/// A device that a push service reaches.
pub(crate) struct Device {
    pub(crate) token: String,
    pub(crate) address: String,
    pub(crate) subscription: Subscription,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let service = PushService::start();
        let hullo = Hullo::start(&[
            ("--push-services", &service.origin()),
            ("--push-contact", "mailto:ops@example.com"),
        ]);
        Self { hullo, service }
    }

    /// Somebody whose browser subscribed, and is closed.
    pub(crate) fn sleeper(&self, user: &str) -> Device {
        let token = self.hullo.token(user, &[]);
        let (_, account) = self.hullo.ask_as(&token, "GET", "/contacts", &Value::Null);
        let key = account["vapidkey"].as_str().expect("the server tells its key");
        let subscription = self.service.subscribe(key);
        let contact = json!({ "contact": "live", "wake": subscription.json().to_string() });
        let (status, registered) = self.hullo.ask_as(&token, "PUT", "/contacts", &contact);
        assert_eq!(status, 200, "{registered}");
        let instance = registered["instance"].as_str().expect("an instance");
        Device { token, address: format!("{user}/{instance}"), subscription }
    }

    /// Sends a message of `from`; gives the status and the body of the answer.
    pub(crate) fn send(&self, from: &Device, to: &str, data: Value) -> (u16, Value) {
        self.hullo.ask_as(&from.token, "POST", "/contacts", &json!({ "to": to, "data": data }))
    }

    /// What came for a device, opened.
    pub(crate) fn opened(&self, device: &Device, number: usize) -> Value {
        let push = self.service.push(&device.subscription, number);
        let text = device.subscription.open(&push.body).expect("it is sealed for it");
        serde_json::from_str(&text).expect("it is JSON")
    }
}

pub(crate) fn invite(id: &str) -> Value {
    json!({ "method": "INVITE", "ReqId": id, "TTL": 45_000, "topic": "Lunch", "offer": "o".repeat(3_000) })
}

pub(crate) fn cancel(id: &str) -> Value {
    json!({ "method": "CANCEL", "ReqId": id, "reason": "cancel" })
}
