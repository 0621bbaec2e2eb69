//! The page at `/conference`: the conference itself.

fn main() {
    app::stage::start();
}
