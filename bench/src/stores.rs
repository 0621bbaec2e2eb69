//! The stores that are measured, each behind the same small trait.

mod automerge;
mod hullo;
pub mod measure;
mod yrs;

pub use automerge::Automerge;
pub use hullo::{Signed, Unsigned};
pub use yrs::Yrs;

use measure::{Pack, Task, Weigh, measure};

/// The names of the stores that [`run`] knows.
pub const NAMES: [&str; 4] = ["ours", "ours, signed", "yrs", "automerge"];

/// Lets the store of that name do a task; the results as lines of a name and a number. `None` when there is none such.
#[must_use]
pub fn run(name: &str, task: Task, weigh: Weigh, pack: Pack) -> Option<String> {
    Some(match name {
        "ours" => measure::<Unsigned>(task, weigh, pack),
        "ours, signed" => measure::<Signed>(task, weigh, pack),
        "yrs" => measure::<Yrs>(task, weigh, pack),
        "automerge" => measure::<Automerge>(task, weigh, pack),
        _ => return None,
    })
}
