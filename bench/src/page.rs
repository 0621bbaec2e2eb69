//! `docs/benchmarks.md`: made of parts, of which each section replaces its own.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};

use crate::findings::{Bar, Findings, Limit, Table, number};
use crate::place::Place;
use crate::{SECTIONS, Section};

/// What stands above all parts.
const HEAD: &str = "\
# Benchmarks

Made by `cargo xtask bench`; a part is made anew by `cargo xtask bench` and its name.
A *ratio* is what we measured divided by the anchor; both come from the same run unless the anchor says otherwise.
Times depend on the machine and its load, so look at ratios; counts and bytes are exact and the same everywhere.
";

/// The part of one section, as Markdown.
pub(crate) fn part(section: &Section, findings: &Findings, place: &Place) -> String {
    let mut text = format!("{}\n{}\n\n", heading(section.name), section.about);
    let mut said = vec![format!("Measured on {} on {}.", place.today(), place.machine())];
    let peers = findings.crates.iter().map(|name| place.version(name));
    let peers: Vec<String> = peers.chain(findings.peers.iter().cloned()).collect();
    if !peers.is_empty() {
        said.push(format!("Peers: {}.", peers.join(", ")));
    }
    said.extend(findings.notes.iter().cloned());
    for line in said {
        writeln!(text, "{line}").expect("a string takes everything");
    }
    if !findings.bars.is_empty() {
        text.push('\n');
        text.push_str(&table(&bars(&findings.bars)));
    }
    for details in &findings.tables {
        write!(text, "\n{}\n\n{}", details.title, table(details))
            .expect("a string takes everything");
    }
    text
}

/// Puts the part of one section into the page, and leaves the others as they are.
pub(crate) fn replace(place: &Place, name: &str, part: &str) -> Result<()> {
    let path = place.page();
    let old = fs::read_to_string(&path).unwrap_or_default();
    fs::write(&path, replaced(&old, name, part))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn replaced(old: &str, name: &str, part: &str) -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS.iter().map(|section| section.name) {
        let kept = old.split_once(&heading(section)).map(|(_, rest)| {
            let body = rest.split_once("\n## ").map_or(rest, |(body, _)| body);
            format!("{}{}\n", heading(section), body.trim_end())
        });
        let kept = if section == name { Some(part.to_owned()) } else { kept };
        if let Some(part) = kept {
            text.push('\n');
            text.push_str(&part);
        }
    }
    text
}

fn heading(name: &str) -> String {
    format!("## {name}\n")
}

fn bars(bars: &[Bar]) -> Table {
    let head = ["what", "asked", "measured", "anchor", "ratio", "holds"];
    let mut table = Table::new("", head);
    for bar in bars {
        let with_unit =
            |value: f64| format!("{} {}", number(value), bar.unit).trim_end().to_owned();
        let asked = match bar.limit {
            Limit::AtMost(most) => format!("at most {}", with_unit(most)),
            Limit::AtLeast(least) => format!("at least {}", with_unit(least)),
            Limit::None => String::new(),
        };
        let (anchor, ratio) = bar.anchor.as_ref().map_or_else(Default::default, |(name, value)| {
            let ratio = if *value == 0.0 { String::new() } else { number(bar.measured / value) };
            (format!("{name}: {}", with_unit(*value)), ratio)
        });
        let holds = match bar.holds() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        table.row([
            bar.what.clone(),
            asked,
            with_unit(bar.measured),
            anchor,
            ratio,
            holds.to_owned(),
        ]);
    }
    table
}

fn table(table: &Table) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", "---|".repeat(table.head.len()));
    let rows = table.rows.iter().map(|row| line(row));
    line(&table.head) + &rule + &rows.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_and_the_head_is_ours() {
        let name = SECTIONS[0].name;
        let first = replaced("", name, &format!("{}old\n", heading(name)));

        let second = replaced(&first, name, &format!("{}new\n", heading(name)));

        assert!(first.starts_with(HEAD) && first.contains("old"));
        assert!(second.starts_with(HEAD) && second.contains("new") && !second.contains("old"));
        assert_eq!(replaced(&second, "none", ""), second);
    }
}
