//! The wrapper: one window by itself, and two that look for each other.

mod back;
mod calls;
mod meet;
mod window;
