//! Which key does what.

use crate::stage::Gesture;

/// A key that went down or up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it types, such as `m` or `Escape`.
    pub key: String,
    /// Where it lies, such as `KeyM`: for keyboards that type something else there.
    pub code: String,
    /// Whether Control or Command is held.
    pub has_control: bool,
    /// Whether Shift is held.
    pub has_shift: bool,
    /// Whether Alt is held.
    pub has_alt: bool,
    /// Whether it repeats because it is held.
    pub is_repeated: bool,
    /// What has the focus.
    pub focus: Focus,
}

/// What has the keyboard's focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// A field that takes text, or a list that is searched by typing: single keys are text.
    Text,
    /// A button or a link: Space is its own.
    Control,
    /// Nothing that wants keys.
    Elsewhere,
}

/// The keys as they are explained to people.
pub const EXPLAINED: &[(&str, &str)] = &[
    ("M", "Microphone"),
    ("V", "Camera"),
    ("S", "Share screen"),
    ("C", "Chat"),
    ("P", "People"),
    ("F", "Full screen"),
    ("Space", "Hold to speak while muted"),
    ("F6", "To the call controls"),
    ("Ctrl+D", "Microphone, anywhere"),
    ("Ctrl+E", "Camera, anywhere"),
    ("Ctrl+Shift+L", "Leave"),
    ("?", "This list"),
];

/// What a key that goes down means; `None` when it is none of ours.
#[must_use]
pub fn pressed(key: &Key, has_single_keys: bool) -> Option<Gesture> {
    if key.key == "Escape" {
        return Some(Gesture::Escape);
    }
    if key.key == "F6" {
        return Some(Gesture::FocusTools);
    }
    if key.is_repeated || key.has_alt {
        return None;
    }
    if key.has_control {
        return match (letter(key)?, key.has_shift) {
            ('d', false) => Some(Gesture::ToggleMicrophone),
            ('e', false) => Some(Gesture::ToggleCamera),
            ('l', true) => Some(Gesture::Leave),
            _ => None,
        };
    }
    if !has_single_keys || key.focus == Focus::Text {
        return None;
    }
    if key.key == " " && key.focus == Focus::Elsewhere {
        return Some(Gesture::HoldToSpeak(true));
    }
    if key.key == "?" {
        return Some(Gesture::ToggleMore);
    }
    match (letter(key)?, key.has_shift) {
        ('m', false) => Some(Gesture::ToggleMicrophone),
        ('v', false) => Some(Gesture::ToggleCamera),
        ('s', false) => Some(Gesture::ToggleScreen),
        ('c', false) => Some(Gesture::ToggleChat),
        ('p', false) => Some(Gesture::TogglePeople),
        ('f', false) => Some(Gesture::FullScreen),
        _ => None,
    }
}

/// What a key that goes up means.
#[must_use]
pub fn released(key: &Key) -> Option<Gesture> {
    (key.key == " ").then_some(Gesture::HoldToSpeak(false))
}

/// The letter typed, or where the keyboard types no Latin letter, the one that lies there on an English keyboard.
fn letter(key: &Key) -> Option<char> {
    let mut typed = key.key.chars();
    if let (Some(one), None) = (typed.next(), typed.next()) {
        if one.is_ascii_alphabetic() {
            return Some(one.to_ascii_lowercase());
        }
        if one.is_ascii() {
            return None;
        }
    }
    let lies = key.code.strip_prefix("Key")?.chars().next()?;
    Some(lies.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_keys_are_text_in_a_text_field() {
        let typing = Key { focus: Focus::Text, ..key("m", "KeyM") };

        assert_eq!(pressed(&typing, true), None);
        assert_eq!(pressed(&key("m", "KeyM"), true), Some(Gesture::ToggleMicrophone));
        assert_eq!(pressed(&key("m", "KeyM"), false), None);
    }

    #[test]
    fn space_still_presses_a_focused_button() {
        let on_button = Key { focus: Focus::Control, ..key(" ", "Space") };

        assert_eq!(pressed(&on_button, true), None);
        assert_eq!(pressed(&key(" ", "Space"), true), Some(Gesture::HoldToSpeak(true)));
    }

    #[test]
    fn letters_work_though_a_button_was_pressed_last() {
        let on_button = Key { focus: Focus::Control, ..key("v", "KeyV") };

        assert_eq!(pressed(&on_button, true), Some(Gesture::ToggleCamera));
    }

    #[test]
    fn a_greek_keyboard_finds_the_microphone_where_it_lies() {
        assert_eq!(pressed(&key("μ", "KeyM"), true), Some(Gesture::ToggleMicrophone));
        assert_eq!(pressed(&key(",", "KeyM"), true), None);
    }

    #[test]
    fn leaving_takes_three_keys() {
        let control = Key { has_control: true, ..key("l", "KeyL") };
        let both = Key { has_shift: true, ..control.clone() };

        assert_eq!(pressed(&control, true), None);
        assert_eq!(pressed(&both, true), Some(Gesture::Leave));
    }

    fn key(key: &str, code: &str) -> Key {
        Key {
            key: key.to_owned(),
            code: code.to_owned(),
            has_control: false,
            has_shift: false,
            has_alt: false,
            is_repeated: false,
            focus: Focus::Elsewhere,
        }
    }
}
