//! Scripts that ask for the store of a participant: see `web/pages/store.js`.

use platform::counter::{self, Caller, Port};
use platform::{Listener, now};
use ui::emulator::{DeskId, Emulator};
use wire::Map;

use super::with;

/// What a caller says when it goes; everything else is a request.
const GOODBYE: &str = "close";

/// What a caller hears when there is no such participant.
const NOBODY: &str = r#"{"on":"close","reason":"There is no participant of that name. Look at the graph for who is there."}"#;

/// Everybody who asks.
#[derive(Default)]
pub(super) struct Counter {
    callers: Map<DeskId, Caller>,
}

impl Counter {
    /// Tells a caller something that it did not ask for.
    pub(super) fn tell(&self, desk: DeskId, text: &str) {
        if let Some(caller) = self.callers.get(&desk) {
            caller.say(text);
        }
    }

    fn come(&mut self, emulator: &mut Emulator, port: Port) {
        let Some(desk) = emulator.open_store(&port.of) else {
            port.listen(|_| {}).say(NOBODY);
            return;
        };
        let caller = port.listen(move |text| {
            with(|shell| {
                if text == GOODBYE {
                    shell.emulator.close_store(now(), desk);
                    // Dropped in a turn of its own, for it is the caller who speaks.
                    let gone = shell.counter.callers.remove(&desk);
                    platform::spawn(async move { drop(gone) });
                } else {
                    let reply = shell.emulator.ask(now(), desk, &text);
                    shell.counter.tell(desk, &reply);
                }
            });
        });
        self.callers.insert(desk, caller);
    }
}

/// Lets scripts ask from now on.
pub(super) fn open() -> Listener {
    counter::open("store", |port| {
        with(|shell| shell.counter.come(&mut shell.emulator, port));
    })
}
