//! What cannot fail, and why.

/// A result that is never an error.
pub trait Sure<T> {
    /// What it holds.
    ///
    /// # Panics
    /// When it is an error after all, with `why` it cannot be. The error itself is not told, as `expect` would: what writes
    /// down each kind of error is kilobytes that each phone would load, and no phone ever run.
    fn sure(self, why: &str) -> T;
}

impl<T, E> Sure<T> for Result<T, E> {
    #[inline]
    #[track_caller]
    fn sure(self, why: &str) -> T {
        self.ok().unwrap_or_else(|| panic!("{why}"))
    }
}
