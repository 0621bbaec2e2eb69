//! Reports for people and for programs: a table, lines of JSON, a page with plots.

mod page;
mod plot;

use std::fmt::Write as _;

use serde_json::json;

use crate::trial::{Measure, Plan, Report};

pub use page::page;

/// What was tried, as one line.
#[must_use]
pub fn headline(plan: &Plan) -> String {
    let Plan { nodes, loss, shape, crash, seed, conditions } = plan;
    let more = conditions.flags().replace(" --", ", ");
    format!("{nodes} nodes, {loss} % lost, partition {shape}, {crash} % crash, seed {seed}{more}")
}

/// A table: what was measured, how much, how much it may be, and what it means.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = format!("{}\n\n", headline(&report.plan));
    let rows: Vec<[String; 4]> = report.measures.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let (names, values, bars) = (width(0), width(1), width(2));
    for [name, value, bar, meaning] in &rows {
        let (names, values, bars) = (names.unwrap_or(0), values.unwrap_or(0), bars.unwrap_or(0));
        writeln!(text, "{name:names$}  {value:>values$}  {bar:bars$}  {meaning}")
            .expect("a string takes everything");
    }
    let Report { steps, seconds, trace, .. } = report;
    writeln!(text, "\n{}", verdict(report)).expect("a string takes everything");
    writeln!(text, "{steps} steps in {seconds:.1} s of the story, trace {trace:016x}")
        .expect("a string takes everything");
    text
}

/// Whether all is as it should be, and what is not.
fn verdict(report: &Report) -> String {
    let missed = report.measures.iter().filter(|measure| !measure.holds());
    let missed: Vec<&str> = missed.map(|measure| measure.name).collect();
    match *missed {
        [] => "Every bar holds.".to_owned(),
        [one] => format!("One bar is missed (✗): {one}."),
        _ => format!("{} bars are missed (✗): {}.", missed.len(), missed.join(", ")),
    }
}

fn row(measure: &Measure) -> [String; 4] {
    let value = match measure.unit {
        "" => short(measure.value),
        unit => format!("{} {unit}", short(measure.value)),
    };
    let bar = match measure.bar {
        None => String::new(),
        Some(bar) if measure.holds() => format!("at most {} ✓", short(bar)),
        Some(bar) => format!("at most {} ✗", short(bar)),
    };
    [measure.name.to_owned(), value, bar, measure.meaning.to_owned()]
}

/// A number with three digits that count.
pub(crate) fn short(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// One line of JSON for each measure.
#[must_use]
pub fn lines(report: &Report) -> String {
    let Plan { nodes, loss, shape, crash, seed, conditions } = &report.plan;
    let mut text = String::new();
    for measure in &report.measures {
        let line = json!({
            "measure": measure.name,
            "value": measure.value,
            "unit": measure.unit,
            "bar": measure.bar,
            "holds": measure.holds(),
            "nodes": nodes,
            "loss": loss,
            "partition": shape.to_string(),
            "crash": crash,
            "seed": seed,
            "conditions": conditions.flags().trim(),
        });
        writeln!(text, "{line}").expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in
            [(0.0, "0"), (0.1234, "0.123"), (1.0, "1"), (12.345, "12.3"), (1234.5, "1234")]
        {
            assert_eq!(short(value), text);
        }
    }
}
