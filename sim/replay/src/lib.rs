//! Stories of the simulator, told by whatever machine this is built for: natively, and as wasm in a browser's engine.
//!
//! Equal seeds tell equal stories on every platform, so both must give the same number. Where they do not, one of the cores
//! counts in units that differ between the two, and participants on a phone and on a server would too.

use sim::trial::{Conditions, Misfit, Plan, Shape};
use wasm_bindgen::prelude::wasm_bindgen;

/// The trace of a story: the number that all that ever happened went into, in hexadecimal digits.
///
/// `faults` and `tricks` are named as `hullo sim` names them.
///
/// # Errors
///
/// Why there is no such story, or the promise that broke in it, as a sentence.
#[wasm_bindgen]
pub fn trace(nodes: u32, faults: &str, tricks: &str, seed: u64) -> Result<String, String> {
    let plan = plan(nodes, faults, tricks, seed).map_err(|misfit| misfit.to_string())?;
    let report = sim::trial::run(&plan).map_err(|broken| broken.to_string())?;
    Ok(format!("{:016x}", report.trace))
}

fn plan(nodes: u32, faults: &str, tricks: &str, seed: u64) -> Result<Plan, Misfit> {
    let tricks = tricks.split(',').filter(|trick| !trick.is_empty());
    let conditions = Conditions {
        menu: faults.parse()?,
        span: 20,
        tricks: tricks.map(str::parse).collect::<Result<_, _>>()?,
        ..Conditions::default()
    };
    let nodes = nodes as usize;
    Plan { nodes, loss: 1, shape: Shape::Halves, crash: 20, seed, conditions }.settled()
}
