//! Under way.
use crate::project::Project;
use anyhow::Result;
pub(crate) fn check(_: &Project) -> Result<()> {
    Ok(())
}
