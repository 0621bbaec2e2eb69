//! Logging this browser in and out.

use platform::http::{self, Answer, Method};
use platform::live::LiveSocket;
use platform::{Timer, page, sound};
use ui::dial::{Event, LoginProblem, ProviderProblem};
use ui::wake;
use wire::contacts::{Account, Login, MailLink, Refusal};

use super::{ASK_AGAIN, SOUND_CHECK, event, on_live, rules, waking, with};

/// Where sessions are, relative to the page.
const SESSION: &str = "session";

/// Where this device is, relative to the page.
const DEVICE: &str = "session/device";

/// That this device is the one that rings.
#[derive(serde::Serialize)]
struct Nomination {
    nominated: bool,
}

/// Finds out who we are: by the link that was opened, or by an earlier visit.
pub(super) fn open() {
    open_notification();
    if !open_link() {
        platform::spawn(ask());
    }
}

/// Logs in by the link in the address bar, and removes it from there; false when there is none.
pub(super) fn open_link() -> bool {
    let fragment = page::fragment();
    if let Some(word) = page::parameter(&fragment, "login") {
        page::forget_fragment();
        let problem = ProviderProblem::read(&word).map(LoginProblem::Provider);
        platform::spawn(on_no_way_in(problem));
        return true;
    }
    let Some(code) = page::parameter(&fragment, "code") else { return false };
    page::forget_fragment();
    platform::spawn(async move {
        match http::ask_with(Method::Post, SESSION, &Login::Code(code)).await {
            Ok(answer) if answer.status == 401 => {
                on_no_way_in(Some(unknown_or(LoginProblem::DeadLink, &answer))).await;
            }
            answer => on_login(answer.ok()),
        }
    });
    true
}

/// Does what the notification was clicked for that opened this page, or came back to it.
pub(super) fn open_notification() {
    let fragment = page::fragment();
    if let Some(opening) = wake::opening(|name| page::parameter(&fragment, name)) {
        page::forget_fragment();
        event(Event::Opened(opening));
    }
}

/// Logs in with a token.
pub(super) fn log_in(token: String) {
    platform::spawn(async move {
        let answer = http::ask_with(Method::Post, SESSION, &Login::Token(token)).await;
        on_login(answer.ok());
    });
}

/// Asks for a log-in link by mail.
pub(super) fn mail_link(email: String) {
    platform::spawn(async move {
        let url = format!("{SESSION}/mail");
        let answer = http::ask_with(Method::Post, &url, &MailLink { email }).await.ok();
        event(match answer {
            Some(answer) if answer.is_ok() => Event::MailTaken,
            answer => Event::MailRefused(problem(answer.as_ref())),
        });
    });
}

/// Asks where the person is logged in.
pub(super) fn list_devices() {
    platform::spawn(async {
        let answer = http::ask(Method::Get, &format!("{SESSION}/devices")).await.ok();
        let devices = answer.filter(Answer::is_ok).and_then(|answer| answer.json());
        event(devices.map_or(Event::DevicesFailed, Event::Devices));
    });
}

/// Logs a device out.
pub(super) fn end_device(id: String) {
    platform::spawn(async move {
        // One that is gone already is as good, and the list tells.
        http::ask(Method::Delete, &format!("{SESSION}/devices/{}", page::encode(&id))).await.ok();
        list_devices();
    });
}

/// Logs this browser out.
pub(super) fn log_out() {
    platform::spawn(async {
        match http::ask(Method::Delete, SESSION).await {
            // Not being logged in is as good.
            Ok(answer) if answer.is_ok() || answer.status == 401 => on_logged_out(true),
            Ok(_) | Err(_) => event(Event::LogoutFailed),
        }
    });
}

/// The session is over; `asked` by the person at this page.
pub(super) fn on_logged_out(asked: bool) {
    with(|shell| shell.live = None);
    waking::forget();
    event(Event::LoggedOut { asked });
    platform::spawn(ask_ways());
}

/// The live socket was lost: perhaps because the session is over.
pub(super) fn check() {
    platform::spawn(async {
        if http::ask(Method::Get, SESSION).await.is_ok_and(|answer| answer.status == 401) {
            on_logged_out(false);
        }
    });
}

/// Asks who we are, until there is an answer.
async fn ask() {
    let answer = http::ask(Method::Get, SESSION).await.ok();
    match answer.as_ref().map(|answer| (answer.status, account(answer))) {
        Some((_, Some(account))) => on_logged_in(account),
        Some((401, None)) => {
            event(Event::NotLoggedIn);
            ask_ways().await;
        }
        Some((_, None)) | None => {
            event(Event::ServerAway);
            with(|shell| {
                shell.later = Some(Timer::after(ASK_AGAIN, || platform::spawn(ask())));
            });
        }
    }
}

/// Asks how one can log in here. Without an answer there are tokens.
async fn ask_ways() {
    let answer = http::ask(Method::Get, &format!("{SESSION}/ways")).await.ok();
    if let Some(ways) = answer.filter(Answer::is_ok).and_then(|answer| answer.json()) {
        event(Event::Ways(ways));
    }
}

/// A link that is used up, or a provider's refusal, does not log out who is logged in already.
async fn on_no_way_in(problem: Option<LoginProblem>) {
    let answer = http::ask(Method::Get, SESSION).await;
    match answer.ok().as_ref().and_then(account) {
        Some(account) => on_logged_in(account),
        None => {
            event(problem.map_or(Event::NotLoggedIn, Event::LoginFailed));
            ask_ways().await;
        }
    }
}

fn on_login(answer: Option<Answer>) {
    let Some(answer) = answer else {
        event(Event::LoginFailed(LoginProblem::Offline));
        return;
    };
    match account(&answer) {
        Some(account) => on_logged_in(account),
        None => event(Event::LoginFailed(unknown_or(LoginProblem::WrongToken, &answer))),
    }
}

/// `unknown` where the server does not know what was presented; else why it does not do it, which may be the fault of a
/// proxy or a clock.
fn unknown_or(unknown: LoginProblem, answer: &Answer) -> LoginProblem {
    if answer.body.contains("not-logged-in") { unknown } else { problem(Some(answer)) }
}

/// Why the server does not do it, in its words if it has any.
fn problem(answer: Option<&Answer>) -> LoginProblem {
    let refusal = answer.and_then(|answer| answer.json());
    refusal.map_or(LoginProblem::Offline, |Refusal { message, .. }| LoginProblem::Refused(message))
}

/// Has calls ring here rather than on another device.
pub(super) fn ring_here() {
    platform::spawn(async {
        let wish = Nomination { nominated: true };
        match http::ask_with(Method::Put, DEVICE, &wish).await {
            Ok(answer) if answer.is_ok() => go_live(),
            Ok(_) | Err(_) => event(Event::RingHereFailed),
        }
    });
}

fn go_live() {
    let live = LiveSocket::open(&format!("{}/live", page::base()), on_live);
    with(|shell| shell.live = Some(live));
}

fn on_logged_in(account: Account) {
    go_live();
    with(|shell| {
        shell.later = Some(Timer::after(SOUND_CHECK, || {
            event(if sound::is_blocked() { Event::SoundBlocked } else { Event::SoundReady });
        }));
    });
    event(Event::LoggedIn(account));
    rules::look();
    platform::spawn(async { event(Event::Noted(platform::notes::take().await)) });
}

fn account(answer: &Answer) -> Option<Account> {
    answer.is_ok().then(|| answer.json()).flatten()
}
