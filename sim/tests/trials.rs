//! Trials: equal plans give equal reports, the bars hold, and a page needs nothing but itself.

use sim::trial::{Plan, Report, Shape, run};
use sim::{report, rounds};

#[test]
fn equal_plans_give_equal_reports_to_the_last_byte() {
    let tell = || {
        let report = tried(Plan {
            nodes: 10,
            loss: 2,
            shape: Shape::One,
            crash: 20,
            seed: 7,
            ..Plan::default()
        });
        (report::table(&report), report::lines(&report), report::page(&report))
    };

    assert_eq!(tell(), tell());
}

#[test]
fn another_seed_tells_another_story() {
    let steps = |seed| {
        tried(Plan { nodes: 5, loss: 0, shape: Shape::None, crash: 0, seed, ..Plan::default() })
            .steps
    };

    assert_ne!(steps(1), steps(2));
}

#[test]
fn the_bars_hold_in_small_and_middling_conferences() {
    for plan in rounds::fixed().into_iter().filter(|plan| plan.nodes <= 15 && plan.seed <= 2) {
        let report = tried(plan);

        assert!(report.holds(), "{}", report::table(&report));
    }
}

#[test]
fn the_bars_hold_for_thirty() {
    let report = tried(Plan {
        nodes: 30,
        loss: 0,
        shape: Shape::Halves,
        crash: 30,
        seed: 1,
        ..Plan::default()
    });

    assert!(report.holds(), "{}", report::table(&report));
    for name in ["redundancy", "delivery_to_flood", "control", "heal_round_trips", "crash_missing"]
    {
        let bar = report.measures.iter().find(|measure| measure.name == name);
        assert!(bar.is_some_and(|measure| measure.bar.is_some()), "{name}");
    }
}

#[test]
fn a_page_is_whole_and_asks_for_nothing() {
    let page = report::page(&tried(Plan {
        nodes: 9,
        loss: 0,
        shape: Shape::Halves,
        crash: 20,
        seed: 1,
        ..Plan::default()
    }));

    for asking in ["http:", "https:", "<script", "<link", "<img", "<iframe", "url(", "@import"] {
        assert!(!page.contains(asking), "{asking}");
    }
    assert!(page.contains("prefers-color-scheme:dark"));
    assert_eq!(open_tags(&page), Vec::<String>::new());
    assert!(page.matches("<svg").count() >= 5);
}

#[test]
fn every_measure_is_one_line_of_json() {
    let report =
        tried(Plan { nodes: 4, loss: 0, shape: Shape::None, crash: 0, seed: 1, ..Plan::default() });

    let lines = report::lines(&report);

    assert_eq!(lines.lines().count(), report.measures.len());
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(line["measure"].is_string() && line["value"].is_number(), "{line}");
    }
}

fn tried(plan: Plan) -> Report {
    run(&plan).unwrap_or_else(|broken| panic!("{broken}"))
}

/// The tags that are not closed, or closed without being open.
fn open_tags(html: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if tag.starts_with('!') || tag.ends_with('/') {
            continue;
        }
        if !tag.starts_with('/') {
            open.push(name.to_owned());
        } else if open.pop().as_deref() != Some(name) {
            return vec![format!("/{name}")];
        }
    }
    open
}
