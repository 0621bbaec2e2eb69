//! Somebody at a browser: a profile with its own cookies and storage, a screen and a taste.

use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::cdp::Wire;
use crate::page::Page;
use crate::wait::eventually;

/// What the pages are shown on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// 1280 × 800, a mouse.
    Desktop,
    /// 390 × 844, a finger.
    Phone,
}

/// Which colours the system asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// A palette of the person's own.
    Forced,
}

/// The person. Their profile goes when they go.
pub struct Person {
    wire: Wire,
    name: String,
    screen: Screen,
    context: String,
    /// What runs in each page that is opened, before its own scripts.
    scripts: Mutex<Vec<String>>,
}

/// What the browser asks about before a call.
const DEVICES: [&str; 2] = ["camera", "microphone"];

const WITNESS: &str = include_str!("witness.js");

impl Person {
    pub(crate) fn new(wire: Wire, name: &str, screen: Screen) -> Result<Self> {
        let made =
            wire.call("", "Target.createBrowserContext", json!({ "disposeOnDetach": true }))?;
        let context = made["browserContextId"].as_str().context("a context has an id")?.to_owned();
        let person =
            Self { wire, name: name.to_owned(), screen, context, scripts: Mutex::default() };
        // Nobody is there to answer the browser's question, so it is answered ahead.
        for name in DEVICES {
            person.permit(name, "granted", json!({}))?;
        }
        person.wire.set_prelude(&person.context, person.prelude());
        Ok(person)
    }

    /// Opens an address in a new tab.
    ///
    /// # Panics
    /// When it does not load.
    #[must_use]
    pub fn open(&self, address: &str) -> Page {
        let at = json!({ "url": "about:blank", "browserContextId": self.context });
        let made = self.wire.call("", "Target.createTarget", at).expect("the browser opens a tab");
        let target = eventually("the new tab to be attached", || {
            self.wire
                .pages(&self.context)
                .into_iter()
                .find(|page| made["targetId"] == page.id.as_str())
        });
        let page = Page::new(self.wire.clone(), &self.name, target);
        // What was set while the tab waited does not outlive the change of process that an address brings.
        let witness = json!({ "source": WITNESS });
        page.call("Page.addScriptToEvaluateOnNewDocument", witness).expect("a tab takes a script");
        for script in self.scripts.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let script = json!({ "source": script });
            page.call("Page.addScriptToEvaluateOnNewDocument", script).expect("and another");
        }
        page.go(address);
        page.face();
        page
    }

    /// What the browser keeps for a site under this name, out of reach of its scripts; `None` when there is nothing.
    ///
    /// # Panics
    /// When the browser does not say.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        let profile = json!({ "browserContextId": self.context });
        let kept = self.wire.call("", "Storage.getCookies", profile).expect("the browser says");
        let kept = kept["cookies"].as_array().expect("a list");
        let found = kept.iter().find(|cookie| cookie["name"] == name)?;
        found["value"].as_str().map(str::to_owned)
    }

    /// The tab whose address holds these words, once there is one.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    pub fn tab(&self, words: &str) -> Page {
        let target = eventually(&format!("a tab of {} at {words}", self.name), || {
            self.wire.pages(&self.context).into_iter().rfind(|page| page.url.contains(words))
        });
        let page = Page::new(self.wire.clone(), &self.name, target);
        page.face();
        page
    }

    /// How many tabs hold these words in their address.
    #[must_use]
    pub fn tabs(&self, words: &str) -> usize {
        self.wire.pages(&self.context).iter().filter(|page| page.url.contains(words)).count()
    }

    /// Where a call shows: a tab of its own, or on a phone the page itself.
    #[must_use]
    pub fn in_call(&self, app: &Page) -> Page {
        match self.screen {
            Screen::Desktop => self.tab("/wrapper"),
            Screen::Phone => app.clone(),
        }
    }

    /// Refuses camera and microphone to a site.
    ///
    /// # Panics
    /// When the browser does not know these permissions.
    pub fn refuse_devices(&self, origin: &str) {
        for name in DEVICES {
            let site = json!({ "origin": origin });
            self.permit(name, "denied", site).expect("Chromium knows cameras and microphones");
        }
    }

    /// Has a script run in each page that is opened from now on.
    pub(crate) fn add_script(&self, script: String) {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).push(script);
    }

    /// The service workers that run.
    pub(crate) fn workers(&self) -> Vec<Page> {
        let all = json!({ "filter": [{ "type": "service_worker" }] });
        let all = self.wire.call("", "Target.getTargets", all).unwrap_or_default();
        let known = self.wire.targets(&self.context, "service_worker");
        for info in all["targetInfos"].as_array().into_iter().flatten() {
            let is_ours = info["browserContextId"] == self.context.as_str();
            if is_ours && !known.iter().any(|target| info["targetId"] == target.id.as_str()) {
                let attach = json!({ "targetId": info["targetId"], "flatten": true });
                // It may have ended meanwhile.
                self.wire.call("", "Target.attachToTarget", attach).ok();
            }
        }
        let targets = self.wire.targets(&self.context, "service_worker");
        targets.into_iter().map(|target| Page::new(self.wire.clone(), &self.name, target)).collect()
    }

    pub(crate) fn permit(&self, name: &str, setting: &str, mut rule: Value) -> Result<()> {
        rule["permission"] = json!({ "name": name });
        rule["setting"] = setting.into();
        rule["browserContextId"] = self.context.as_str().into();
        self.wire.call("", "Browser.setPermission", rule).map(drop)
    }

    /// All tabs of theirs.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        let targets = self.wire.pages(&self.context);
        targets.into_iter().map(|target| Page::new(self.wire.clone(), &self.name, target)).collect()
    }

    /// Asserts that no page of theirs complained and none called anyone but the one origin.
    ///
    /// # Panics
    /// When one did.
    pub fn assert_calm(&self, origin: &str) {
        for page in self.pages() {
            let record = page.record();
            assert!(
                record.complaints.is_empty(),
                "{} at {}: {:#?}",
                self.name,
                page.url(),
                record.complaints
            );
            let strays = record.strays(origin);
            assert!(
                strays.is_empty(),
                "{} at {}: left the origin for {strays:?}",
                self.name,
                page.url()
            );
        }
    }

    fn prelude(&self) -> Vec<(String, Value)> {
        let (width, height, phone) = match self.screen {
            Screen::Desktop => (1280, 800, false),
            Screen::Phone => (390, 844, true),
        };
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        let commands = [
            ("Page.enable", json!({})),
            ("Runtime.enable", json!({})),
            ("Network.enable", json!({})),
            ("Log.enable", json!({})),
            ("Emulation.setDeviceMetricsOverride", metrics),
            ("Emulation.setTouchEmulationEnabled", json!({ "enabled": phone })),
            ("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WITNESS })),
        ];
        commands.into_iter().map(|(method, params)| (method.to_owned(), params)).collect()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        if thread::panicking() {
            for page in self.pages() {
                page.confess();
            }
        }
        self.wire
            .call("", "Target.disposeBrowserContext", json!({ "browserContextId": self.context }))
            .ok();
    }
}
