//! The page at `/wrapper`: one call, and the frame with the conference.

fn main() {
    app::wrapper::start();
}
