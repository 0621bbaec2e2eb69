//! Draws the page on which one logs in.

use platform::dom::{Element, el, typed, typed_address};
use ui::dial::{Gesture, LoggedOut, MailView};

use super::{gesture, note_text, problem};

/// All of it: the easy ways first, the token last.
pub(super) fn page(page: &LoggedOut) -> Vec<Element> {
    let lead = el("div", &[("class", "lead")])
        .with(el("h1", &[]).with("Log in"))
        .with(el("p", &[("class", "quiet"), ("id", "login-hint")]).with(page.hint));
    let provider = page.provider.as_ref().map(|name| {
        el("a", &[("class", "button primary"), ("href", "session/openid")])
            .key("provider")
            .with(name.clone())
    });
    let mail = page.mail.as_ref().map(mail);
    let has_others = provider.is_some() || mail.is_some();
    let token = token(page, has_others);
    let last = if has_others {
        el("details", &[("class", "card")])
            .key("token")
            .flag("open", page.problem.is_some())
            .with(el("summary", &[]).with("Log in with an access token"))
            .with(token)
    } else {
        token.set("class", "card".to_owned())
    };
    let trouble = problem(&page.trouble).key("trouble");
    [Some(lead), Some(trouble), provider, mail, Some(last)].into_iter().flatten().collect()
}

fn mail(view: &MailView) -> Element {
    let field = el(
        "input",
        &[
            ("id", "mail"),
            ("type", "text"),
            ("inputmode", "email"),
            ("autocomplete", "email"),
            ("autocapitalize", "none"),
            ("spellcheck", "false"),
            ("aria-describedby", "login-hint mail-problem"),
        ],
    );
    el("form", &[("class", "card"), ("novalidate", "")])
        .key("mail")
        .on("submit", |event| {
            event.prevent_default();
            gesture(Gesture::MailLink { address: typed_address("mail") });
        })
        .with(
            el("div", &[("class", "field")])
                .with(el("label", &[("for", "mail")]).with("Mail address"))
                .with(field)
                .with(problem(&view.problem).set("id", "mail-problem")),
        )
        .with(note_text(view.sent.clone()))
        .with(
            el("button", &[("type", "submit"), ("class", "button primary")])
                .set("aria-disabled", view.is_busy.to_string())
                .with("Send log-in link"),
        )
}

fn token(page: &LoggedOut, has_others: bool) -> Element {
    let field = el(
        "input",
        &[
            ("id", "token"),
            ("type", "text"),
            ("autocomplete", "off"),
            ("autocapitalize", "none"),
            ("spellcheck", "false"),
            ("aria-describedby", "login-hint token-problem"),
        ],
    );
    let class = if has_others { "button" } else { "button primary" };
    let submit = el("button", &[("type", "submit")])
        .set("class", class)
        .set("aria-disabled", page.is_busy.to_string())
        .with("Log in");
    el("form", &[("novalidate", "")])
        .key("login")
        .on("submit", |event| {
            event.prevent_default();
            gesture(Gesture::LogIn { token: typed("token") });
        })
        .with(
            el("div", &[("class", "field")])
                .with(el("label", &[("for", "token")]).with("Access token"))
                .with(field)
                .with(problem(&page.problem).set("id", "token-problem")),
        )
        .with(submit)
}
