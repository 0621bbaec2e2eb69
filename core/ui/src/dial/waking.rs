//! Whether this device rings while its pages are closed, and what can be done about it.

use super::view::{Button, WakingView};
use super::words::Gesture;

/// Whether this device rings while its pages are closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waking {
    /// The browser is still being asked.
    #[default]
    Unknown,
    /// It cannot, in this browser or as this page is opened.
    Unsupported,
    /// It can; nobody has asked it to.
    Off,
    /// The person, or the system, does not allow notifications.
    Blocked,
    /// It is being turned on.
    Busy,
    /// The browser's push service did not answer.
    Failed,
    /// It does.
    On,
}

impl Waking {
    /// What is said about it, and what can be done; `None` when there is nothing to say.
    pub(super) fn view(self) -> Option<WakingView> {
        let turn_on =
            Button { label: "Ring when this page is closed", gesture: Gesture::TurnOnWaking };
        let turn_off =
            Button { label: "Ring only while this page is open", gesture: Gesture::TurnOffWaking };
        let (text, button) = match self {
            Self::Unknown => return None,
            Self::Unsupported => (
                "This device rings only while this page is open: the browser takes no messages for closed pages. On an \
                 iPhone or iPad, add this page to the home screen first.",
                None,
            ),
            Self::Off => ("This device rings only while this page is open.", Some(turn_on)),
            Self::Blocked => (
                "This device rings only while this page is open, because notifications are blocked. Allow them for this \
                 site in the settings of the browser, then load the page again.",
                None,
            ),
            Self::Busy => ("Turning on ringing while this page is closed …", None),
            Self::Failed => (
                "The push service of this browser does not answer, so this device rings only while this page is open. \
                 Check your connection, then try again.",
                Some(Button { label: "Try again", ..turn_on }),
            ),
            Self::On => ("This device also rings when this page is closed.", Some(turn_off)),
        };
        Some(WakingView { text, button })
    }
}
