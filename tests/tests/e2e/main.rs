//! What a new user does, in real browsers: one module for each thing that can be told of it.
#![expect(clippy::print_stdout, reason = "measurements are for whoever runs the tests")]

mod calling;
mod devices;
mod emulator;
mod endings;
mod group;
mod harness;
mod house;
mod login;
mod looks;
mod outage;
mod recent;
mod reload;
mod six;
mod storage;
mod waking;

/// Tells each story twice: at a desk and on a phone.
macro_rules! on_both_screens {
    ($($story:ident),* $(,)?) => {$(
        mod $story {
            #[test]
            fn on_a_desktop() {
                super::$story(tests::Screen::Desktop);
            }

            #[test]
            fn on_a_phone() {
                super::$story(tests::Screen::Phone);
            }
        }
    )*};
}
use on_both_screens;
