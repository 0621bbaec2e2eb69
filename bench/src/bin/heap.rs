//! One store, one task, with an allocator that counts: what it holds.
#![expect(clippy::print_stdout, reason = "it answers the program that started it")]

use anyhow::Result;
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn main() -> Result<()> {
    print!("{}", bench::asked(|| HEAP.current_usage())?);
    Ok(())
}
