//! Icons, as shapes of our own: 24 units wide, drawn in the colour of the text.

use platform::dom::{Element, el};

/// What an icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon {
    /// A microphone.
    Microphone,
    /// A microphone, struck out.
    MicrophoneOff,
    /// A camera.
    Camera,
    /// A camera, struck out.
    CameraOff,
    /// A screen with an arrow.
    Screen,
    /// A speech bubble.
    Chat,
    /// Two people.
    People,
    /// Three dots.
    More,
    /// A receiver put down.
    Leave,
    /// An arrow upwards.
    Send,
    /// A cross.
    Close,
}

/// Draws an icon. It says nothing to screen readers: what it is on has a name.
pub(super) fn draw(icon: Icon) -> Element {
    let icon = el("path", &[]).set("d", path(icon));
    el(
        "svg",
        &[
            ("class", "icon"),
            ("viewBox", "0 0 24 24"),
            ("aria-hidden", "true"),
            ("focusable", "false"),
        ],
    )
    .with(icon)
}

fn path(icon: Icon) -> &'static str {
    match icon {
        Icon::Microphone => {
            "M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0z M5.5 11a6.5 6.5 0 0 0 13 0 M12 17.5V21"
        }
        Icon::MicrophoneOff => {
            "M9 9.5V11a3 3 0 0 0 4.6 2.5 M15 11V6a3 3 0 0 0-5.6-1.5 M5.5 11a6.5 6.5 0 0 0 10 5.5 \
             M18.5 11a6.5 6.5 0 0 1-.6 2.7 M12 17.5V21 M4 3l16 18"
        }
        Icon::Camera => {
            "M3 8a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z M15 11l6-3.5v9L15 13"
        }
        Icon::CameraOff => {
            "M9.5 6H13a2 2 0 0 1 2 2v3l6-3.5v9l-3-1.75 M14.5 17.4A2 2 0 0 1 13 18H5a2 2 0 0 1-2-2V8a2 2 0 0 1 1.3-1.9 \
             M4 3l16 18"
        }
        Icon::Screen => {
            "M3 6a1.5 1.5 0 0 1 1.5-1.5h15A1.5 1.5 0 0 1 21 6v9.5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 15.5z M8 20.5h8 M12 14V8 M9.3 10.3L12 7.6l2.7 2.7"
        }
        Icon::Chat => {
            "M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-5 4v-4.05A2.5 2.5 0 0 1 4 13.5z M8 8.5h8 M8 11.7h5"
        }
        Icon::People => {
            "M5.7 8.5a3.3 3.3 0 1 0 6.6 0a3.3 3.3 0 1 0-6.6 0 M2.5 19.5c.4-3.4 3-5.5 6.5-5.5s6.1 2.1 6.5 5.5 M15.5 5.5a3.2 3.2 0 0 1 0 6 M17.5 14.4c2.3.7 3.7 2.5 4 5.1"
        }
        Icon::More => "M5.5 12h.01 M12 12h.01 M18.5 12h.01",
        Icon::Leave => {
            "M3.2 13.4c4.9-4.9 12.7-4.9 17.6 0l-2 2.6l-3.6-1.5l-.2-2.5c-1.9-.6-4.1-.6-6 0l-.2 2.5L5.2 16z"
        }
        Icon::Send => "M12 19V5.5 M6 11.5l6-6l6 6",
        Icon::Close => "M6 6l12 12 M18 6L6 18",
    }
}
