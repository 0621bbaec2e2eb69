//! What the call app looks like.

use wire::{InviteId, Timestamp};

use super::notice::Notice;
use super::recent::Line;
use super::{DeviceView, Dial, Gesture, MailView, Session, devices, rules};

/// Everything a renderer of the call app needs, decided already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The title of the tab.
    pub title: String,
    /// What fills it.
    pub page: Page,
}

/// The faces of the call app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// Who we are is being asked; show the frame, and the note if there is one.
    Opening {
        /// Why it takes so long.
        note: Option<&'static str>,
    },
    /// Nobody is logged in.
    LoggedOut(LoggedOut),
    /// Somebody is.
    LoggedIn(LoggedIn),
}

/// The page on which one logs in: a textbox `Access token` and a button `Log in`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// Whether the server is being asked; the button waits.
    pub is_busy: bool,
    /// What is wrong with the token.
    pub problem: Option<String>,
    /// Why nobody is logged in any more, or by a link or a provider.
    pub trouble: Option<String>,
    /// Where what is needed comes from.
    pub hint: &'static str,
    /// The name of the link to the provider, where people may log in at one.
    pub provider: Option<String>,
    /// The form for a link by mail, where links are mailed.
    pub mail: Option<MailView>,
}

/// The page on which one dials: textboxes `Address` and `Topic`, buttons `Call` and `Log out`, list `Recent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    /// Our own address, to tell others.
    pub address: String,
    /// What is wrong with what was typed.
    pub problem: Option<String>,
    /// A quiet note that the server is away.
    pub note: Option<&'static str>,
    /// Asks for a click, because the browser plays no sound before one.
    pub sound: Option<Button>,
    /// Whether this device rings while its pages are closed.
    pub waking: Option<Box<WakingView>>,
    /// Who may ring, once the server said.
    pub rules: Option<Box<RulesView>>,
    /// Makes this device the one that rings, when another is.
    pub ring_here: Option<Box<Button>>,
    /// Who rings, the newest last. Over everything else.
    pub cards: Vec<Card>,
    /// What happened meanwhile, the newest last.
    pub notices: Vec<NoticeView>,
    /// Whom we talked to or tried to, and who called in vain, the latest first.
    pub recent: Vec<Recent>,
    /// The list `Where you are logged in`, once it was asked for.
    pub devices: Option<Vec<DeviceView>>,
}

/// A quiet line at the end of the page, with a button where something can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WakingView {
    /// How it is.
    pub text: &'static str,
    /// What can be done.
    pub button: Option<Button>,
}

/// Who may ring: a section at the end of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesView {
    /// How it is.
    pub text: &'static str,
    /// Makes it the other way.
    pub change: Button,
    /// The list `Blocked`; none when nobody is.
    pub blocked: Vec<Blocked>,
}

/// Somebody of whom nothing arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Who; the key.
    pub address: String,
    /// The name of the button beside it.
    pub label: String,
    /// What pressing that means.
    pub gesture: Gesture,
}

/// An entry of the list `Recent`: one press calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// The name of its button, and the key.
    pub address: String,
    /// That a call of theirs was missed or declined, and when that was.
    pub fate: Option<(&'static str, Timestamp)>,
    /// What is known of them, behind the button.
    pub presence: Option<&'static str>,
    /// What pressing it means.
    pub gesture: Gesture,
    /// The small button `Block` behind it; none for who is blocked.
    pub block: Option<Offer>,
}

/// Something that can be done about somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The name of its button, with whom it is about.
    pub label: String,
    /// What pressing it means.
    pub gesture: Gesture,
}

/// A button with the gesture it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// Its name.
    pub label: &'static str,
    /// What pressing it means.
    pub gesture: Gesture,
}

/// One incoming call: an alertdialog. Escape is [`Gesture::Silence`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Which invite; the key of the card.
    pub id: InviteId,
    /// The name of the dialog.
    pub label: String,
    /// Who calls, in short.
    pub name: String,
    /// Who calls, in full.
    pub address: String,
    /// One or two letters to put on a disc.
    pub initials: String,
    /// What it is about.
    pub topic: Option<String>,
    /// Takes the focus.
    pub answer: Button,
    /// Says no on all devices.
    pub decline: Button,
    /// Says no once and for all.
    pub block: Button,
}

/// Something that happened: a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeView {
    /// The key of the notice.
    pub id: u64,
    /// What happened.
    pub text: String,
    /// What can be done about it.
    pub action: Option<Button>,
    /// Takes it away.
    pub dismiss: Button,
}

pub(super) fn view(dial: &Dial) -> View {
    let page = match &dial.session {
        Session::Opening => Page::Opening {
            note: dial
                .is_server_away
                .then_some("The server cannot be reached. This page tries again by itself."),
        },
        Session::LoggedOut(out) => Page::LoggedOut(LoggedOut {
            is_busy: out.is_busy,
            problem: out.problem.clone(),
            trouble: out.trouble.clone(),
            hint: dial.entry.hint(),
            provider: dial.entry.provider(),
            mail: dial.entry.mail_view(),
        }),
        Session::LoggedIn { account } => Page::LoggedIn(LoggedIn {
            address: account.email.to_string(),
            problem: dial.problem.clone(),
            note: note(dial),
            sound: dial
                .is_sound_blocked
                .then_some(Button { label: "Turn on ringing", gesture: Gesture::TurnOnSound }),
            waking: dial.waking.view().map(Box::new),
            rules: dial.rules.as_ref().map(|rules| Box::new(rules::view(rules))),
            ring_here: dial.is_passive.then(|| {
                Box::new(Button { label: "Ring on this device", gesture: Gesture::RingHere })
            }),
            cards: dial.cards().map(card).collect(),
            notices: dial.notices.iter().map(notice).collect(),
            recent: dial.recent.iter().map(|line| recent(dial, line)).collect(),
            devices: dial.devices.as_deref().map(devices::view),
        }),
    };
    View { title: title(dial), page }
}

fn title(dial: &Dial) -> String {
    let missed = dial.notices.iter().filter(|notice| notice.is_missed()).count();
    let names: Vec<&str> = dial.cards().map(|call| call.peer().user.name()).collect();
    match (names.as_slice(), missed) {
        ([], 0) => "Hullo".to_owned(),
        ([], missed) => format!("({missed}) Hullo"),
        ([name], _) => format!("{name} is calling – Hullo"),
        (names, _) => format!("{} are calling – Hullo", names.join(", ")),
    }
}

fn card(call: &call::Call) -> Card {
    let user = &call.peer().user;
    let id = call.id();
    Card {
        id,
        label: format!("Incoming call from {user}"),
        name: user.name().to_owned(),
        address: user.to_string(),
        initials: initials(user.name()),
        topic: call.topic().map(str::to_owned),
        answer: Button { label: "Answer", gesture: Gesture::Answer(id) },
        decline: Button { label: "Decline", gesture: Gesture::Decline(id) },
        block: Button { label: "Decline and block", gesture: Gesture::Block(id) },
    }
}

fn notice(notice: &Notice) -> NoticeView {
    NoticeView {
        id: notice.id,
        text: notice.text(),
        action: notice
            .caller()
            .map(|_| Button { label: "Call back", gesture: Gesture::CallBack(notice.id) }),
        dismiss: Button { label: "Dismiss", gesture: Gesture::Dismiss(notice.id) },
    }
}

fn note(dial: &Dial) -> Option<&'static str> {
    if dial.is_passive {
        return Some(
            "Calls ring on another of your devices, and not here: only one of them may ring. You can call from here.",
        );
    }
    dial.is_server_away.then_some(
        "The server is away: nobody can call or be called. Running calls go on, \
         and this page tries again by itself.",
    )
}

fn recent(dial: &Dial, line: &Line) -> Recent {
    let address = &line.address;
    let gesture = Gesture::Call { address: address.to_owned(), topic: String::new() };
    let presence = dial.is_reachable(address).then_some("Reachable");
    let block = rules::offer(dial.rules.as_ref(), address);
    Recent { address: address.to_owned(), fate: line.fate(), presence, gesture, block }
}

/// The first letters of the first two words of a name. The page writes all of them as capitals: tables of those of every
/// script would be heavier than a page.
fn initials(name: &str) -> String {
    name.split(['.', '-', '_', ' ', '+'])
        .filter_map(|word| word.chars().next())
        .take(2)
        .map(|letter| letter.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_of_the_first_two_words() {
        assert_eq!(initials("ann"), "A");
        assert_eq!(initials("ann-marie.smith"), "AM");
        assert_eq!(initials("+4930"), "4");
    }
}
