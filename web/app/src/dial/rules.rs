//! Who may ring this person, as the server keeps it for all devices.

use platform::http::{self, Answer, Method};
use platform::{Fault, spawn};
use ui::dial::Event;
use wire::contacts::ChangeRules;

use super::event;

/// Where the rules are, relative to the page.
const RULES: &str = "contacts/rules";

/// Asks for them; without an answer, nothing is shown.
pub(super) fn look() {
    spawn(async {
        if let Some(rules) = http::ask(Method::Get, RULES).await.ok().and_then(read) {
            event(Event::Rules(rules));
        }
    });
}

/// Changes them.
pub(super) fn change(change: ChangeRules) {
    spawn(async move {
        let answer: Result<Answer, Fault> = http::ask_with(Method::Put, RULES, &change).await;
        event(answer.ok().and_then(read).map_or(Event::RulesFailed, Event::Rules));
    });
}

fn read(answer: Answer) -> Option<wire::contacts::Rules> {
    answer.is_ok().then(|| answer.json()).flatten()
}
