//! What the wrapper looks like.

use wire::{InviteId, Time};

use super::{Gesture, Stage, Wrapper, age};
use crate::ring;

/// Everything a renderer of the wrapper needs, decided already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The title of the tab.
    pub title: String,
    /// What the frame shows: the address of the conference app, relative, not yet encoded as name and value.
    pub frame: Option<Vec<(&'static str, String)>>,
    /// The regions over it, one for each invite that has something to say.
    pub callings: Vec<Calling>,
    /// The button that opens and closes the form; it is pressed while the form is open.
    pub invite: Option<Action>,
    /// The form to invite another person.
    pub form: Option<Form>,
    /// A quiet note that the server is away.
    pub note: Option<&'static str>,
    /// Covers everything when nothing more happens here.
    pub farewell: Option<Farewell>,
}

/// One invite and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calling {
    /// Which invite; the key of the region.
    pub id: InviteId,
    /// Whether it is the matter of the window, rather than something beside a conference.
    pub is_large: bool,
    /// Label, status and buttons.
    pub ring: ring::View,
}

/// A button with the gesture it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its name.
    pub label: &'static str,
    /// What pressing it means.
    pub gesture: Gesture,
}

/// The form with textbox `Address` and button `Call`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// What is wrong with what was typed.
    pub problem: Option<String>,
}

impl Form {
    pub(super) fn problem(problem: String) -> Self {
        Self { problem: Some(problem) }
    }
}

/// The last words of a window, with a link `Back to Hullo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    /// What happened.
    pub title: &'static str,
    /// What it means, and what to do.
    pub text: &'static str,
}

impl Farewell {
    pub(super) fn left() -> Self {
        Self {
            title: "You left the call",
            text: "Camera and microphone are off. You can close this tab.",
        }
    }

    pub(super) fn removed() -> Self {
        Self {
            title: "You were removed from the call",
            text: "Whoever began it did so. Camera and microphone are off. You can close this tab.",
        }
    }

    pub(super) fn closed() -> Self {
        Self { title: "The call is over", text: "You can close this tab, or call somebody else." }
    }

    pub(super) fn cancelled() -> Self {
        Self {
            title: "You cancelled the call",
            text: "Nobody is rung any more. You can close this tab, or call again.",
        }
    }

    pub(super) fn nothing() -> Self {
        Self {
            title: "There is no call here any more",
            text: "You left it, or this page was away from it for more than ten minutes. Call again to go on.",
        }
    }

    pub(super) fn elsewhere() -> Self {
        Self {
            title: "This call is open in another tab",
            text: "Only one can be in it, and this one is a copy. Go on there. You can close this tab.",
        }
    }

    pub(super) fn logged_out() -> Self {
        Self {
            title: "You are logged out",
            text: "So the call could not be made. Log in first, then call again.",
        }
    }

    pub(super) fn offline() -> Self {
        Self {
            title: "The server cannot be reached",
            text: "So the call could not be made. Check your connection, then call again.",
        }
    }
}

pub(super) fn view(wrapper: &Wrapper, now: Time) -> View {
    let is_over = matches!(wrapper.stage, Stage::Over(_));
    let shown = wrapper.calls.iter().filter(|entry| !entry.is_closed && !is_over);
    let callings: Vec<_> = shown
        .filter_map(|entry| {
            let ring = ring::view(&entry.call, age(entry, now))?;
            Some(Calling { id: entry.call.id(), is_large: !wrapper.is_joined, ring })
        })
        .collect();
    let in_conference = wrapper.is_joined && !is_over;
    View {
        title: title(wrapper, &callings),
        frame: frame(wrapper),
        callings,
        invite: in_conference.then_some(Action { label: "Invite", gesture: Gesture::ToggleInvite }),
        form: wrapper.form.clone().filter(|_| in_conference),
        note: (wrapper.is_server_away && in_conference)
            .then_some("The server cannot be reached. Who is connected stays connected."),
        farewell: match &wrapper.stage {
            Stage::Over(farewell) => Some(farewell.clone()),
            Stage::Opening(_) | Stage::Open { .. } => None,
        },
    }
}

fn title(wrapper: &Wrapper, callings: &[Calling]) -> String {
    // Who is invited into a call that goes on is said on the page; the tab stays that of the call.
    let calling = callings.last().filter(|calling| calling.is_large);
    let what = match (&wrapper.stage, calling) {
        (Stage::Over(farewell), _) => farewell.title,
        (Stage::Opening(_) | Stage::Open { .. }, Some(calling)) => &calling.ring.label,
        (Stage::Opening(_), None) => "Call",
        (Stage::Open { topic: Some(topic), .. }, None) => topic,
        (Stage::Open { topic: None, .. }, None) => "In a call",
    };
    format!("{what} – Hullo")
}

/// The query of the conference app, as the reference names its parts.
fn frame(wrapper: &Wrapper) -> Option<Vec<(&'static str, String)>> {
    let Stage::Open { me, conference, topic } = &wrapper.stage else { return None };
    let mut query = vec![
        ("data.path", format!("sessions/{conference}")),
        ("data.self", wrapper.node.to_string()),
        ("data.displayname", me.to_string()),
        ("id", wrapper.node.to_string()),
    ];
    query.extend(topic.clone().map(|topic| ("topic", topic)));
    Some(query)
}
