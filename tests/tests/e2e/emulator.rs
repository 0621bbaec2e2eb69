//! The emulator: twelve participants with real connections in one page, and everything that can happen to them.

use std::time::Duration;

use tests::{Browser, Look, Page, Person, Screen, Server, within};

use crate::on_both_screens;

on_both_screens!(
    twelve_are_cut_healed_and_crashed_and_agree,
    everything_is_reached_by_keyboard,
    the_emulator_is_for_everybody,
);

/// How long until all agree about a crash: the bar is fifteen seconds, and a busy machine adds to it.
const PATIENCE: Duration = Duration::from_secs(45);

fn twelve_are_cut_healed_and_crashed_and_agree(screen: Screen) {
    let lab = Lab::open(screen, "nodes=12&shape=tree&seed=7");
    lab.reads("All 12 see the same.");

    lab.write("First words");
    lab.happened("Ada wrote");
    for (name, reads) in lab.everybody() {
        assert!(reads.contains("First words"), "{name} reads {reads}");
    }

    lab.page.click("button", "Cut Ada – Ben");
    lab.happened("The link Ada – Ben was cut");

    lab.page.press("Split");
    lab.reads("2 parts, and within each all see the same.");
    lab.choose("Ada");
    lab.write("On the left");
    let other = lab.somebody_apart();
    lab.choose(&other);
    lab.write("On the right");
    lab.happened(&format!("{other} wrote"));
    lab.page.press("Split");
    lab.happened("Links hold again, and one invite connected the parts");

    lab.choose("Cleo");
    lab.page.press("Crash");
    lab.happened("Cleo crashed");
    lab.reads("All 11 see the same.");

    let all = lab.everybody();
    assert_eq!(all.len(), 11, "{all:#?}");
    for (name, reads) in &all {
        assert_eq!(reads, &all[0].1, "{name} reads the same as {}", all[0].0);
        assert!(reads.contains("On the left") && reads.contains("On the right"), "{reads}");
    }
    lab.calm();
}

fn everything_is_reached_by_keyboard(screen: Screen) {
    let lab = Lab::open(screen, "nodes=3&shape=chain&links=invited&seed=1");
    lab.reads("All 3 see the same.");

    lab.page
        .evaluate("document.querySelector('.graph [tabindex=\"0\"]').focus()")
        .expect("it takes the focus");
    lab.page.key("ArrowRight");
    lab.page.find("group", "Ben");
    lab.page.key("ArrowRight");
    lab.page.find("group", "Cleo");
    let focused = lab.page.evaluate("document.activeElement.getAttribute('aria-label')");
    assert!(focused.expect("the page runs").as_str().is_some_and(|name| name.starts_with("Cleo")));

    lab.page.press("Links");
    lab.page.press("Connect Cleo – Ada");
    lab.happened("Cleo and Ada were connected");
    lab.page.press("Cut Cleo – Ben");
    lab.happened("The link Cleo – Ben was cut");
    lab.page.press("Freeze");
    lab.reads("All 2 see the same.");
    lab.page.press("Thaw");
    lab.reads("All 3 see the same.");
    lab.page.press("Leave");
    lab.reads("All 2 see the same.");
    lab.page.press("Add");
    lab.reads("All 3 see the same.");
    lab.calm();
}

fn the_emulator_is_for_everybody(screen: Screen) {
    let lab = Lab::open(screen, "nodes=12&shape=ring&seed=3");
    lab.reads("All 12 see the same.");
    lab.write("Look, a <b>sentence</b> that is longer than the line it stands on, as sentences are now and then");
    lab.happened("Ada wrote");
    lab.check(screen, "settled");

    lab.page.press("Links");
    lab.check(screen, "links");
    lab.page.press("Split");
    lab.reads("2 parts, and within each all see the same.");
    lab.page.press("Talk");
    lab.write("Only half of you read this");
    lab.happened("Ada wrote");
    lab.choose("Finn");
    lab.page.press("Freeze");
    lab.choose("Gus");
    lab.page.press("Crash");
    lab.check(screen, "split");

    lab.page.click("DisclosureTriangle", "New network");
    lab.page.find("button", "Start");
    lab.check(screen, "new-network");
    lab.page.press("Start");
    lab.reads("All 12 see the same.");
    lab.page.press("Its map");
    lab.page.find("group", "The network as Ada knows it");
    lab.check(screen, "map");
}

/// The page, and who looks at it.
struct Lab {
    server: Server,
    person: Person,
    page: Page,
}

impl Lab {
    fn open(screen: Screen, query: &str) -> Self {
        let server = Server::start();
        let person = Browser::shared().person("a researcher", screen);
        let page = person.open(&format!("{}/emulator?{query}", server.origin));
        Self { server, person, page }
    }

    #[track_caller]
    fn reads(&self, verdict: &str) {
        self.page.reads_within(PATIENCE, verdict);
    }

    fn choose(&self, name: &str) {
        self.page.click_what_begins("button", &format!("{name}, "));
        self.page.find("group", name);
    }

    /// Somebody on the other side than Ada, who holds another state than she does.
    fn somebody_apart(&self) -> String {
        let state = |label: &str| label.split(", ").nth(1).unwrap_or_default().to_owned();
        let of = |label: &str| label.split(", ").next().unwrap_or_default().to_owned();
        within(PATIENCE, "two states", || {
            let labels: Vec<String> =
                self.page.all("button").into_iter().map(|button| button.name).collect();
            let in_graph = || labels.iter().filter(|label| label.contains(", state "));
            let hers = in_graph().find(|label| label.starts_with("Ada, "))?;
            in_graph().find(|label| state(label) != state(hers)).map(|label| of(label))
        })
    }

    fn write(&self, text: &str) {
        self.page.fill("Message", text);
        self.page.press("Send");
    }

    /// Waits until that happened, and all agreed after it.
    #[track_caller]
    fn happened(&self, what: &str) {
        let ask = format!(
            "[...document.querySelectorAll('.deeds li')].some((deed) =>
               deed.firstChild.textContent === {what:?} && deed.textContent.includes('agreed in'))"
        );
        within(PATIENCE, what, || self.page.evaluate(&ask).ok().filter(|is| is == true));
    }

    /// Who runs, and what each reads: looked up one by one, as a person would.
    fn everybody(&self) -> Vec<(String, String)> {
        let running: Vec<String> = self
            .page
            .all("button")
            .iter()
            .filter(|button| button.name.contains(", state "))
            .filter_map(|button| button.name.split(',').next().map(str::to_owned))
            .collect();
        let log = "[...document.querySelectorAll('.lab-log .said:not(.quiet)')].map((line) => line.textContent).join('\\n')";
        running
            .into_iter()
            .map(|name| {
                self.choose(&name);
                let read = self.page.evaluate(log).expect("the page runs");
                (name, read.as_str().unwrap_or_default().to_owned())
            })
            .collect()
    }

    fn calm(&self) {
        self.person.assert_calm(&self.server.origin);
    }

    /// Checks a state in all colours and keeps pictures of it.
    fn check(&self, screen: Screen, state: &str) {
        let size = match screen {
            Screen::Desktop => "1280x800",
            Screen::Phone => "390x844",
        };
        for (look, colours) in
            [(Look::Light, "light"), (Look::Dark, "dark"), (Look::Forced, "forced")]
        {
            self.page.show_as(look);
            self.page.screenshot(&format!("emulator-{state}-{size}-{colours}"));
            self.page.assert_accessible(&format!("emulator, `{state}` on {size} in {colours}"));
        }
        self.page.show_as(Look::Light);
    }
}
