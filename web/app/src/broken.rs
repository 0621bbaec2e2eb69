//! A mistake in the program ends it: say so on the page, and offer to load it again.

use platform::page;

/// From now on a panic leaves a note on the page, and its reason in the console.
pub(crate) fn watch() {
    std::panic::set_hook(Box::new(|panic| {
        page::complain(&panic.to_string());
        page::append_alert(
            "broken",
            "This page stopped because of a mistake in it. ",
            "Load it again",
        );
    }));
}
