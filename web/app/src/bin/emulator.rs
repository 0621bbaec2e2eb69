//! The page at `/emulator`: many participants at once, for whoever wants to see how a conference holds together.

fn main() {
    app::emulator::start();
}
