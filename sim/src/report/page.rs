//! A report as one page that needs nothing else: no script, no font, no network.

use std::fmt::Write as _;

use super::plot::{curve, escaped, network};
use super::{headline, row, verdict};
use crate::trial::Report;

/// Calm in light and dark, readable on paper.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--quiet:#666;--line:#ddd;--accent:#0a6cc9;--bad:#b3261e}\
@media(prefers-color-scheme:dark){:root{--ink:#eee;--paper:#141414;--quiet:#aaa;--line:#333;--accent:#6cb6ff;--bad:#ff8a80}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:68rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem}h2{font-size:1rem;margin:0 0 .3rem}p{color:var(--quiet)}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line)}\
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}tr.bad td{color:var(--bad)}\
main{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1.5rem;margin-top:2rem}\
figure{margin:0}svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--quiet)}\
svg .axis{fill:none;stroke:var(--line)}svg .link{fill:none;stroke:var(--quiet);stroke-opacity:.6;stroke-width:.7}\
svg polyline{fill:none;stroke:var(--accent);stroke-width:1.8}svg rect,svg circle{fill:var(--accent)}\
@media(max-width:40rem){tr:first-child{display:none}tr{display:grid;grid-template-columns:1fr auto;column-gap:1rem;\
padding:.4rem 0;border-bottom:1px solid var(--line)}td{border:0;padding:0}td:nth-child(n+3){grid-row:2;color:var(--quiet)}\
td:nth-child(3){grid-column:2;text-align:right}td:nth-child(4){grid-column:1}}";

/// The report as a page.
#[must_use]
pub fn page(report: &Report) -> String {
    let title = escaped(&headline(&report.plan));
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>A simulated conference</h1>\n<p>{title}</p>\n<p>{}</p>\n",
        escaped(&verdict(report))
    );
    html.push_str(
        "<table>\n<tr><th>measure</th><th class=\"n\">value</th><th>bar</th><th>what it is</th></tr>\n",
    );
    for measure in &report.measures {
        let [name, value, bar, meaning] = row(measure).map(|cell| escaped(&cell));
        let class = if measure.holds() { "" } else { " class=\"bad\"" };
        writeln!(
            html,
            "<tr{class}><td>{name}</td><td class=\"n\">{value}</td><td>{bar}</td><td>{meaning}</td></tr>"
        )
        .expect("a string takes everything");
    }
    html.push_str("</table>\n<main>\n");
    // What came to be at once is told by its measure.
    for shown in report.curves.iter().filter(|curve| curve.points.len() > 1) {
        figure(&mut html, shown.title, &curve(shown));
    }
    figure(&mut html, "The network", &network(report.plan.nodes, &report.links));
    let (steps, seconds) = (report.steps, report.seconds);
    writeln!(html, "</main>\n<p>{steps} steps in {seconds:.1} s of the story. Equal seeds tell equal stories.</p>\n</body>\n</html>")
        .expect("a string takes everything");
    html
}

fn figure(html: &mut String, title: &str, svg: &str) {
    let title = escaped(title);
    writeln!(html, "<figure><h2>{title}</h2>{svg}</figure>").expect("a string takes everything");
}
