//! Logging this browser in and out.

use platform::http::{self, Answer, Method};
use platform::live::LiveSocket;
use platform::{Timer, page, sound};
use ui::dial::{Event, LoginProblem};
use ui::wake;
use wire::contacts::{Account, Login, Refusal};

use super::{ASK_AGAIN, SOUND_CHECK, event, on_live, rules, waking, with};

/// Where sessions are, relative to the page.
const SESSION: &str = "session";

/// Finds out who we are: by the link that was opened, or by an earlier visit.
pub(super) fn open() {
    open_notification();
    if !open_link() {
        platform::spawn(ask());
    }
}

/// Logs in by the link in the address bar, and removes it from there; false when there is none.
pub(super) fn open_link() -> bool {
    let Some(code) = page::parameter(&page::fragment(), "code") else { return false };
    page::forget_fragment();
    platform::spawn(async move {
        match http::ask_with(Method::Post, SESSION, &Login::Code(code)).await {
            Ok(answer) if answer.status == 401 => on_dead_link().await,
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
        Some((401, None)) => event(Event::NotLoggedIn),
        Some((_, None)) | None => {
            event(Event::ServerAway);
            with(|shell| {
                shell.later = Some(Timer::after(ASK_AGAIN, || platform::spawn(ask())));
            });
        }
    }
}

/// A link that is used up does not log out who is logged in already.
async fn on_dead_link() {
    let answer = http::ask(Method::Get, SESSION).await;
    match answer.ok().as_ref().and_then(account) {
        Some(account) => on_logged_in(account),
        None => event(Event::LoginFailed(LoginProblem::DeadLink)),
    }
}

fn on_login(answer: Option<Answer>) {
    let Some(answer) = answer else {
        event(Event::LoginFailed(LoginProblem::Offline));
        return;
    };
    match account(&answer) {
        Some(account) => on_logged_in(account),
        None if answer.status == 401 => event(Event::LoginFailed(LoginProblem::WrongToken)),
        None => {
            let problem = answer.json().map(|Refusal { message, .. }| message);
            event(Event::LoginFailed(match problem {
                Some(message) => LoginProblem::Refused(message),
                None => LoginProblem::Offline,
            }));
        }
    }
}

fn on_logged_in(account: Account) {
    let live = LiveSocket::open(&format!("{}/live", page::base()), on_live);
    with(|shell| {
        shell.live = Some(live);
        shell.later = Some(Timer::after(SOUND_CHECK, || {
            event(if sound::is_blocked() { Event::SoundBlocked } else { Event::SoundReady });
        }));
    });
    event(Event::LoggedIn(account));
    waking::look();
    rules::look();
}

fn account(answer: &Answer) -> Option<Account> {
    answer.is_ok().then(|| answer.json()).flatten()
}
