//! The clock, and being called back later.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wire::{Time, Timestamp};

use crate::page::window;

/// The moment, since the Unix epoch and never backwards; the same for every page of this browser.
#[must_use]
pub fn now() -> Time {
    let clock = window().performance().expect("every browser we support has this clock");
    let ms = clock.time_origin() + clock.now();
    Time::at(Duration::from_secs_f64(ms.max(0.0) / 1_000.0))
}

/// Calendar time, as the person's clock shows it.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a date is positive and far below 2^53"
)]
pub fn today() -> Timestamp {
    Timestamp(js_sys::Date::now().max(0.0) as u64)
}

/// The time of day of `moment` as people here write it, for example `14:03`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "dates stay below 2^53")]
pub fn time_of_day(moment: Timestamp) -> String {
    let date = js_sys::Date::new(&(moment.0 as f64).into());
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}

/// The moment as people here write it: the time of day, and before it the date when that was another day.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "dates stay below 2^53")]
pub fn moment(moment: Timestamp) -> String {
    let date = js_sys::Date::new(&(moment.0 as f64).into());
    let time = time_of_day(moment);
    if date.to_date_string() == js_sys::Date::new_0().to_date_string() {
        return time;
    }
    let how = js_sys::Object::new();
    for part in [["day", "numeric"], ["month", "short"]] {
        js_sys::Reflect::set(&how, &part[0].into(), &part[1].into()).ok();
    }
    // The language of the pages.
    let day = date.to_locale_date_string("en-GB", &how).as_string().unwrap_or_default();
    format!("{day}, {time}")
}

/// Calls back once, later, unless dropped before.
#[must_use = "a timer that is dropped never fires"]
pub struct Timer {
    id: i32,
    _closure: Closure<dyn FnMut()>,
}

/// Rounds a span up to a millisecond.
const ALMOST: Duration = Duration::from_nanos(999_999);

impl Timer {
    /// Calls `ring` after `delay`, rounded up to a millisecond.
    pub fn after(delay: Duration, ring: impl FnOnce() + 'static) -> Self {
        let closure = Closure::once(ring);
        let ms = i32::try_from(delay.saturating_add(ALMOST).as_millis()).unwrap_or(i32::MAX);
        let id = window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                closure.as_ref().unchecked_ref(),
                ms,
            )
            .expect("a function can always be called later");
        Self { id, _closure: closure }
    }

    /// Calls `ring` at `moment`, or at once when that is past.
    pub fn at(moment: Time, ring: impl FnOnce() + 'static) -> Self {
        Self::after(moment - now(), ring)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        window().clear_timeout_with_handle(self.id);
    }
}

/// Calls back again and again until dropped.
#[must_use = "a ticker that is dropped stops"]
pub struct Ticker {
    id: i32,
    _closure: Closure<dyn FnMut()>,
}

impl Ticker {
    /// Calls `tick` every `period`.
    pub fn every(period: Duration, tick: impl FnMut() + 'static) -> Self {
        let closure = Closure::<dyn FnMut()>::new(tick);
        let ms = i32::try_from(period.as_millis()).unwrap_or(i32::MAX);
        let id = window()
            .set_interval_with_callback_and_timeout_and_arguments_0(
                closure.as_ref().unchecked_ref(),
                ms,
            )
            .expect("a function can always be called later");
        Self { id, _closure: closure }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        window().clear_interval_with_handle(self.id);
    }
}

/// Done after `delay`.
pub async fn sleep(delay: Duration) {
    let timer = Rc::new(RefCell::new(None));
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let wake = move || {
            resolve.call0(&wasm_bindgen::JsValue::UNDEFINED).ok();
        };
        timer.replace(Some(Timer::after(delay, wake)));
    });
    wasm_bindgen_futures::JsFuture::from(promise).await.ok();
}
