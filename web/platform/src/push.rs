//! Messages for closed pages: the service worker, the permission, the subscription.

use std::time::Duration;

use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{
    Notification, NotificationPermission, PushSubscription, PushSubscriptionOptionsInit,
    ServiceWorkerGlobalScope, ServiceWorkerRegistration,
};

use crate::page::window;
use crate::{Fault, time};

/// How long the browser's push service may take. Measured: without a network, the browser never answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether this browser takes messages for closed pages, in a page opened like this one.
#[must_use]
pub fn is_supported() -> bool {
    let has = |target: &JsValue, name: &str| Reflect::has(target, &name.into()).unwrap_or(false);
    has(&window().navigator(), "serviceWorker")
        && has(&window(), "PushManager")
        && has(&window(), "Notification")
}

/// Whether notifications are allowed: `None` when nobody has been asked.
#[must_use]
pub fn permission() -> Option<bool> {
    match Notification::permission() {
        NotificationPermission::Granted => Some(true),
        NotificationPermission::Denied => Some(false),
        NotificationPermission::Default | _ => None,
    }
}

/// Asks the person. Only in the turn of a gesture.
pub async fn ask_permission() -> bool {
    let Ok(asked) = Notification::request_permission() else { return false };
    JsFuture::from(asked).await.is_ok() && permission() == Some(true)
}

/// Starts the service worker at `url`, or finds it running; what it is for belongs to whoever wrote it.
///
/// # Errors
///
/// When the browser does not start it.
pub async fn start_worker(url: &str) -> Result<Worker, Fault> {
    let fault = Fault::thrown("Starting the service worker");
    let options = Object::new();
    Reflect::set(&options, &"type".into(), &"module".into()).map_err(&fault)?;
    let container = window().navigator().service_worker();
    let register: js_sys::Function =
        Reflect::get(&container, &"register".into()).map_err(&fault)?.unchecked_into();
    let promise = register.call2(&container, &url.into(), &options).map_err(&fault)?;
    JsFuture::from(promise.unchecked_into::<Promise>()).await.map_err(&fault)?;
    let ready = container.ready().map_err(&fault)?;
    let registration = JsFuture::from(ready).await.map_err(&fault)?;
    Ok(Worker(registration.unchecked_into()))
}

/// The service worker of this app.
#[derive(Clone, Debug)]
pub struct Worker(ServiceWorkerRegistration);

impl Worker {
    /// The one that this is called in.
    #[must_use]
    pub fn here() -> Self {
        let scope: ServiceWorkerGlobalScope = js_sys::global().unchecked_into();
        Self(scope.registration())
    }

    /// Takes away the notifications of this tag.
    pub async fn hush(&self, tag: &str) {
        let Ok(found) = self.0.get_notifications() else { return };
        let Ok(found) = JsFuture::from(found).await else { return };
        let shown = js_sys::Array::from(&found).into_iter();
        let shown = shown.map(JsCast::unchecked_into::<Notification>);
        for shown in shown.filter(|shown| shown.tag().as_deref() == Some(tag)) {
            shown.close();
        }
    }

    /// Gives up the subscription, if there is one: it was made for somebody who is logged in no more.
    pub async fn unsubscribe(&self) {
        let Ok(found) = self.0.push_manager().and_then(|manager| manager.get_subscription()) else {
            return;
        };
        if let Ok(found) = JsFuture::from(found).await
            && !found.is_null()
            && let Ok(gone) = found.unchecked_into::<PushSubscription>().unsubscribe()
        {
            // Whatever becomes of it, the server sends nothing there any more.
            JsFuture::from(gone).await.ok();
        }
    }

    /// The subscription that there is, as JSON; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When the browser cannot say.
    pub async fn subscription(&self) -> Result<Option<String>, Fault> {
        let fault = Fault::thrown("Looking for the push subscription");
        let manager = self.0.push_manager().map_err(&fault)?;
        let found = manager.get_subscription().map_err(&fault)?;
        let found = JsFuture::from(found).await.map_err(&fault)?;
        if found.is_null() || found.is_undefined() {
            return Ok(None);
        }
        to_json(&found).map(Some)
    }

    /// Subscribes to messages of the server that has `key`, in place of any other server.
    ///
    /// # Errors
    ///
    /// When the push service cannot be reached, or the person does not allow it.
    pub async fn subscribe(&self, key: &str) -> Result<String, Fault> {
        let fault = Fault::thrown("Subscribing to push messages");
        let manager = self.0.push_manager().map_err(&fault)?;
        let options = PushSubscriptionOptionsInit::new();
        options.set_user_visible_only(true);
        options.set_application_server_key_opt_str(Some(key));
        let first = manager.subscribe_with_options(&options).map_err(&fault)?;
        match in_time(first).await {
            Ok(subscription) => to_json(&subscription),
            // There is one of an earlier key, which the server does not have any more.
            Err(thrown) if is_stale(&thrown) => {
                let old = manager.get_subscription().map_err(&fault)?;
                let old: PushSubscription =
                    JsFuture::from(old).await.map_err(&fault)?.unchecked_into();
                JsFuture::from(old.unsubscribe().map_err(&fault)?).await.map_err(&fault)?;
                let again = manager.subscribe_with_options(&options).map_err(&fault)?;
                to_json(&in_time(again).await.map_err(&fault)?)
            }
            Err(thrown) => Err(fault(thrown)),
        }
    }
}

fn is_stale(thrown: &JsValue) -> bool {
    thrown
        .dyn_ref::<web_sys::DomException>()
        .is_some_and(|exception| exception.name() == "InvalidStateError")
}

fn to_json(subscription: &JsValue) -> Result<String, Fault> {
    let text = js_sys::JSON::stringify(subscription)
        .map_err(Fault::thrown("Reading the push subscription"))?;
    Ok(text.into())
}

/// Waits, but not for ever. A worker is ended by its browser, and has no timer of ours.
async fn in_time(promise: Promise) -> Result<JsValue, JsValue> {
    if web_sys::window().is_none() {
        return JsFuture::from(promise).await;
    }
    let late = future_to_promise(async {
        time::sleep(PATIENCE).await;
        Err(JsValue::from_str("the browser did not answer"))
    });
    let both = js_sys::Array::of2(&promise, &late);
    JsFuture::from(Promise::race(&both)).await
}
