//! The pages at `/wrapper` and `/conference`: one module, because they are always loaded together.

fn main() {
    if platform::page::path().ends_with("/wrapper") {
        app::wrapper::start();
    } else {
        app::stage::start();
    }
}
