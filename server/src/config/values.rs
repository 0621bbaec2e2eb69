//! Text to values, with errors that name the flag and what it takes.

use anyhow::bail;

/// Whether a switch is on; `false` when it is not given.
pub(crate) fn switch(flag: &str, text: Option<&str>) -> anyhow::Result<bool> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => bail!("{other:?} is neither true nor false. Give --{flag} one of these"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_on_or_off() {
        assert!(switch("demo", Some("true")).unwrap());
        assert!(!switch("demo", None).unwrap());
        assert!(switch("demo", Some("yes")).is_err());
    }
}
