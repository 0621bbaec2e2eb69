//! The service worker of a site, and what a vendor's push service does to it: hands it messages, whether or not any page
//! of the site is open.

use serde_json::{Value, json};

use crate::page::Page;
use crate::person::Person;
use crate::wait::eventually;

/// Stands in for the browser's way to its vendor, which is closed here: gives the subscription whose keys the test has,
/// and minds what the browser minds.
const VENDOR: &str = include_str!("vendor.js");

/// A notification of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// One of the same tag takes its place.
    pub tag: String,
    /// The line that people read.
    pub title: String,
    /// Its buttons.
    pub buttons: Vec<String>,
}

/// A registered service worker of one person.
pub struct Worker<'a> {
    person: &'a Person,
    origin: String,
    registration: String,
    /// An empty page of the same profile, through which the browser is spoken to.
    blank: Page,
}

impl Person {
    /// Has the browser's vendor answer with this subscription when a site that is opened from now on asks, and lets
    /// the site show notifications.
    ///
    /// # Panics
    /// When the browser does not know the permission.
    pub fn subscribe(&self, origin: &str, subscription: &Value) {
        self.permit("notifications", "granted", json!({ "origin": origin }))
            .expect("Chromium knows notifications");
        self.add_script(VENDOR.replace("{{subscription}}", &subscription.to_string()));
    }

    /// The service worker of a site, once it is registered.
    ///
    /// # Panics
    /// When it never is.
    #[must_use]
    pub fn worker(&self, origin: &str) -> Worker<'_> {
        let blank = self.open("about:blank");
        blank.call("ServiceWorker.enable", json!({})).expect("Chromium has service workers");
        let registration = eventually("a service worker", || {
            blank.record().registrations.get(&format!("{origin}/")).cloned()
        });
        Worker { person: self, origin: origin.to_owned(), registration, blank }
    }
}

impl Worker<'_> {
    /// Ends it, as browsers do with one that has nothing to do.
    ///
    /// # Panics
    /// When the browser does not.
    pub fn stop(&self) {
        self.blank.call("ServiceWorker.stopAllWorkers", json!({})).expect("it stops");
        eventually("the worker to be gone", || self.inside().is_none().then_some(()));
    }

    /// Hands it a message, as the browser does with one that it has opened.
    ///
    /// # Panics
    /// When the browser does not take it.
    pub fn deliver(&self, text: &str) {
        let message =
            json!({ "origin": self.origin, "registrationId": self.registration, "data": text });
        self.blank.call("ServiceWorker.deliverPushMessage", message).expect("it is taken");
    }

    /// Has the browser give it another subscription, and waits until it has dealt with that.
    ///
    /// # Panics
    /// When the worker is not there.
    pub fn renew(&self, subscription: &Value) {
        let change = format!(
            "(async () => {{
                PushManager.prototype.subscribe = async () => ({{ toJSON: () => ({subscription}) }});
                const change = new ExtendableEvent('pushsubscriptionchange');
                const done = new Promise((resolve) => {{ change.waitUntil = (work) => resolve(work); }});
                self.dispatchEvent(change);
                await done;
            }})()"
        );
        // An event that is handed to it wakes it; this one has nothing to say.
        let inside = crate::wait::try_within(std::time::Duration::ZERO, || self.inside());
        let inside = inside.unwrap_or_else(|| {
            self.blank
                .call(
                    "ServiceWorker.startWorker",
                    json!({ "scopeURL": format!("{}/", self.origin) }),
                )
                .expect("it starts");
            eventually("the worker to run", || self.inside())
        });
        inside.evaluate(&change).expect("it takes the change");
    }

    /// The notification with this title, once it is shown.
    ///
    /// Chromium forgets a notification that a worker asks for between making and displaying it, so one should know that
    /// it was shown, by its receipt, before looking.
    ///
    /// # Panics
    /// When it never is; says what is shown instead.
    #[track_caller]
    pub fn shows(&self, title: &str) -> Notification {
        let found = crate::wait::try_within(crate::wait::PATIENCE, || {
            self.notifications().into_iter().find(|one| one.title == title)
        });
        found.unwrap_or_else(|| {
            let said = self.inside().map(|inside| inside.record().complaints);
            panic!("no notification `{title}` but {:?}; it said {said:?}", self.notifications())
        })
    }

    /// All that are shown.
    #[must_use]
    pub fn notifications(&self) -> Vec<Notification> {
        let list = "registration.getNotifications().then((all) => all.map((one) => [one.tag, one.title, ...one.actions.map((action) => action.title)]))";
        let Some(Ok(found)) = self.inside().map(|inside| inside.evaluate(list)) else {
            return Vec::new();
        };
        let found: Vec<Vec<String>> = serde_json::from_value(found).unwrap_or_default();
        let made = found.into_iter().map(|words| {
            let mut words = words.into_iter();
            let mut next = || words.next().unwrap_or_default();
            Notification { tag: next(), title: next(), buttons: words.collect() }
        });
        made.collect()
    }

    /// Presses a button of a notification, or (empty) the notification itself. The browser has no command for it, and
    /// opens no window for a press that it did not see, so the address that would be opened is given.
    ///
    /// # Panics
    /// When the worker is not there.
    pub fn press(&self, notification: &Notification, action: &str) -> Press<'_> {
        let press = format!(
            "(async () => {{
                Object.defineProperty(clients, 'openWindow', {{ value: async (url) => {{ self.opened = url; return null; }}, configurable: true }});
                const [notification] = await registration.getNotifications({{ tag: {} }});
                self.dispatchEvent(new NotificationEvent('notificationclick', {{ notification, action: {} }}));
            }})()",
            json!(notification.tag),
            json!(action),
        );
        let inside = eventually("the worker to run", || self.inside());
        inside.evaluate(&press).expect("it takes the press");
        Press { inside, _worker: self }
    }

    fn inside(&self) -> Option<Page> {
        self.person.workers().into_iter().find(|worker| worker.starts_at(&self.origin))
    }
}

/// What a press on a notification led to.
pub struct Press<'a> {
    inside: Page,
    _worker: &'a Worker<'a>,
}

impl Press<'_> {
    /// The address that was opened.
    ///
    /// # Panics
    /// When none was.
    #[must_use]
    pub fn opened(&self) -> String {
        eventually("an address to be opened", || {
            let opened = self.inside.evaluate("self.opened").ok()?;
            opened.as_str().map(str::to_owned)
        })
    }
}
