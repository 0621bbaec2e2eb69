//! Under construction.

/// Starts the page.
pub fn start() {}
