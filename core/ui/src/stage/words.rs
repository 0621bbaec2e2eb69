//! Every sentence of the conference page.

use crate::stage::Trouble;
use crate::stage::text::short;

pub(super) const SHARING: &str = "You are sharing your screen.";
pub(super) const NOT_SHARING: &str = "You no longer share your screen.";
pub(super) const CANNOT_SHARE: &str =
    "This browser cannot share a screen. Join from a computer to share one.";
pub(super) const SILENT: &str = "Your microphone sends silence, so nobody hears you. Check the mute key or the system settings.";
pub(super) const HUSHED: &str =
    "Your browser holds back the sound until you press something on this page.";
pub(super) const ALONE: &str = "Nobody else is here yet.";
const ALONE_AGAIN: &str = "Everyone else has left.";
const CUT_OFF: &str = "The connection was lost. The call goes on when it is back.";
pub(super) const LOOKING: &str = "Looking for the others.";
pub(super) const NO_LINES: &str =
    "No messages yet. What you write here is seen by everyone in the call and kept nowhere else.";
pub(super) const LEFT: &str = "You left the call.";
pub(super) const REMOVED: &str = "You were removed from the call.";

/// Why somebody who wanted to connect to us, or we to them, could not.
pub(super) fn turned_away(reason: room::Reason) -> &'static str {
    match reason {
        room::Reason::Stranger => {
            "The other side could not confirm your invitation. Ask to be invited again."
        }
        room::Reason::Full => "This call has as many participants as it can take.",
        room::Reason::PutOut => "The host of this call has removed you from it.",
    }
}

pub(super) const REMOVING: &str = "removed for good, with all that was written, if you press again";

/// What the button says that removes somebody, and all of it.
pub(super) fn remove(name: &str, is_meant: bool) -> (&'static str, String) {
    let text = if is_meant { "Yes, remove" } else { "Remove" };
    (text, format!("{text} {name}"))
}

pub(super) fn joined(name: &str) -> String {
    format!("{name} joined the call.")
}

pub(super) fn left(name: &str, how: room::Parting) -> String {
    match how {
        room::Parting::Left => format!("{name} left the call."),
        room::Parting::Lost => format!("The connection to {name} was lost."),
        room::Parting::PutOut => format!("{name} was removed from the call."),
    }
}

/// Why nobody else is here after the last of them has gone.
pub(super) fn alone(how: room::Parting) -> &'static str {
    match how {
        room::Parting::Left | room::Parting::PutOut => ALONE_AGAIN,
        room::Parting::Lost => CUT_OFF,
    }
}

pub(super) fn wrote(name: &str) -> String {
    format!("New message from {name}.")
}

pub(super) fn shares(name: &str) -> String {
    format!("{name} shares a screen.")
}

pub(super) fn shares_no_more(name: &str) -> String {
    format!("{name} no longer shares a screen.")
}

/// Who is typing, in one line; empty when nobody is.
pub(super) fn typing(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("{} is typing…", short(one)),
        [one, other] => format!("{} and {} are typing…", short(one), short(other)),
        [_, _, ..] => "Several people are typing…".to_owned(),
    }
}

/// How many people there are.
pub(super) fn people(count: usize) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}

/// What is wrong with the camera and the microphone: cause, effect, remedy.
pub(super) fn trouble(camera: Option<Trouble>, microphone: Option<Trouble>) -> Option<String> {
    let text = match (camera, microphone) {
        (None, None) => return None,
        (Some(camera), Some(microphone)) if camera == microphone => both(camera).to_owned(),
        (Some(camera), Some(microphone)) => {
            format!("{} {}", camera_trouble(camera), microphone_trouble(microphone))
        }
        (Some(camera), None) => camera_trouble(camera).to_owned(),
        (None, Some(microphone)) => microphone_trouble(microphone).to_owned(),
    };
    Some(text)
}

fn both(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Blocked => {
            "Your browser blocks the camera and the microphone for this site. You can watch, listen and write. \
             Allow them beside the address, then try again."
        }
        Trouble::Busy => {
            "Another program is using the camera and the microphone. You can watch, listen and write. \
             Close it, then try again."
        }
        Trouble::Absent => {
            "No camera and no microphone found. You can watch, listen and write. Plug them in, then try again."
        }
        Trouble::Unsupported => {
            "This browser gives the page no camera and no microphone. You can watch, listen and write. \
             Open the page over https in a current browser to be seen and heard."
        }
    }
}

fn camera_trouble(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Blocked => {
            "Your browser blocks the camera for this site. Others will hear you but not see you. \
             Allow it beside the address, then try again."
        }
        Trouble::Busy => {
            "Another program is using the camera. Others will hear you but not see you. Close it, then try again."
        }
        Trouble::Absent => {
            "No camera found. Others will hear you but not see you. Plug one in, then try again."
        }
        Trouble::Unsupported => {
            "This browser gives the page no camera. Others will not see you. Try a current browser."
        }
    }
}

fn microphone_trouble(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Blocked => {
            "Your browser blocks the microphone for this site. You can listen and write. \
             Allow it beside the address, then try again."
        }
        Trouble::Busy => {
            "Another program is using the microphone. You can listen and write. Close it, then try again."
        }
        Trouble::Absent => {
            "No microphone found. You can listen and write. Plug one in, then try again."
        }
        Trouble::Unsupported => {
            "This browser gives the page no microphone. You can listen and write. Try a current browser."
        }
    }
}
