//! The page at `/`: log in, dial, be rung.

fn main() {
    app::dial::start();
}
