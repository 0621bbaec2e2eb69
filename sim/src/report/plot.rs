//! Plots as SVG text, drawn in the colours of the page around them.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use super::short;
use crate::trial::Curve;

/// The size of a plot, and of the margin that its numbers take.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 200.0;
const MARGIN: f64 = 44.0;

/// The most links that a picture of the network shows; more are a black disc.
const LINKS_MAX: usize = 4_000;

/// A curve, or bars when each point is a count of its own.
pub(super) fn curve(curve: &Curve) -> String {
    let across = curve.points.iter().map(|(x, _)| *x).fold(0.0, f64::max).max(1e-9);
    let up = curve.points.iter().map(|(_, y)| *y).fold(0.0, f64::max).max(1e-9);
    let place = |x: f64, y: f64| {
        (MARGIN + x / across * (WIDTH - MARGIN - 8.0), HEIGHT - 24.0 - y / up * (HEIGHT - 40.0))
    };
    let mut svg = frame(&format!("{} by {}", curve.up, curve.across), WIDTH, HEIGHT);
    let (left, floor) = place(0.0, 0.0);
    let (right, top) = place(across, up);
    add(
        &mut svg,
        &format!(r#"<path class="axis" d="M{left:.1} {top:.1}V{floor:.1}H{right:.1}"/>"#),
    );
    if curve.is_count {
        let bar = (right - left) / (across + 1.0) * 0.7;
        for (x, y) in &curve.points {
            let (x, y) = place(*x, *y);
            let tall = floor - y;
            let x = (x - bar).max(left);
            add(
                &mut svg,
                &format!(r#"<rect x="{x:.1}" y="{y:.1}" width="{bar:.1}" height="{tall:.1}"/>"#),
            );
        }
    } else {
        let points: Vec<String> = curve
            .points
            .iter()
            .map(|(x, y)| place(*x, *y))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        add(&mut svg, &format!(r#"<polyline points="{}"/>"#, points.join(" ")));
    }
    for (x, y, anchor, text) in [
        (left, HEIGHT - 8.0, "start", "0".to_owned()),
        (right, HEIGHT - 8.0, "end", format!("{} {}", short(across), curve.across)),
        (4.0, top - 4.0, "start", format!("{} {}", short(up), curve.up)),
    ] {
        let text = escaped(&text);
        add(
            &mut svg,
            &format!(r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#),
        );
    }
    svg + "</svg>"
}

/// Who is linked to whom, on a circle.
pub(super) fn network(nodes: usize, links: &[(usize, usize)]) -> String {
    let mut svg = frame("who is linked to whom", WIDTH, WIDTH);
    let place = |n: usize| {
        let (sine, cosine) = (TAU * n as f64 / nodes as f64).sin_cos();
        (WIDTH / 2.0 * (1.0 + 0.95 * sine), WIDTH / 2.0 * (1.0 - 0.95 * cosine))
    };
    let mut path = String::new();
    for (one, other) in links.iter().take(LINKS_MAX) {
        let ((x, y), (to_x, to_y)) = (place(*one), place(*other));
        add(&mut path, &format!("M{x:.0} {y:.0}L{to_x:.0} {to_y:.0}"));
    }
    add(&mut svg, &format!(r#"<path class="link" d="{path}"/>"#));
    for (x, y) in (0..nodes).map(place) {
        add(&mut svg, &format!(r#"<circle cx="{x:.0}" cy="{y:.0}" r="2.5"/>"#));
    }
    svg + "</svg>"
}

fn frame(label: &str, width: f64, height: f64) -> String {
    let label = escaped(label);
    format!(r#"<svg viewBox="0 0 {width:.0} {height:.0}" role="img" aria-label="{label}">"#)
}

fn add(text: &mut String, more: &str) {
    text.write_str(more).expect("a string takes everything");
}

/// Text that means nothing but itself in HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            plain => safe.push(plain),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_a_tag() {
        assert_eq!(escaped(r#"<b a="1">'&'"#), "&lt;b a=&quot;1&quot;&gt;&#39;&amp;&#39;");
    }

    #[test]
    fn a_curve_stays_within_its_frame_whatever_its_points() {
        let points = vec![(0.0, 0.0), (3.0, 900.0), (1e6, 2.0)];
        let base = Curve { title: "t", across: "x", up: "y", is_count: false, points };
        for curve_ in [Curve { points: vec![], ..base.clone() }, base] {
            let svg = curve(&curve_);

            let points = svg.split("points=\"").nth(1).and_then(|rest| rest.split('"').next());
            for point in points.expect("a polyline").split_whitespace() {
                let (x, y) = point.split_once(',').expect("two numbers");
                let (x, y): (f64, f64) = (x.parse().expect("x"), y.parse().expect("y"));
                assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{point}");
            }
        }
    }
}
