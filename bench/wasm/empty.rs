//! A module that does nothing: what every module weighs.

/// Adds one.
#[unsafe(no_mangle)]
pub extern "C" fn run(number: u32) -> u32 {
    number.wrapping_add(1)
}
