//! One store, one task, with the system's own allocator: times and bytes.
#![expect(clippy::print_stdout, reason = "it answers the program that started it")]

use anyhow::Result;

fn main() -> Result<()> {
    print!("{}", bench::asked(|| 0)?);
    Ok(())
}
