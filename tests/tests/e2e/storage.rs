//! The store in JavaScript: the example, the inspector of the emulator, and every word of `store.js`.

use serde_json::json;
use tests::{Browser, Look, Page, Person, Screen, Server};

use crate::on_both_screens;

on_both_screens!(two_components_share_notes, the_inspector_reads_and_writes);

fn two_components_share_notes(screen: Screen) {
    let (server, person, page) = open(screen, "storage");
    // Whoever comes later is told what was there before.
    page.fill("New note of Ada", "Buy <b>milk</b>");
    page.press("Add as Ada");
    page.find("button", "Done: Buy <b>milk</b>");
    shows(&page, "Ben", &["Buy <b>milk</b>"]);

    page.fill("New note of Ben", "Call Cleo");
    page.press("Add as Ben");
    shows(&page, "Ada", &["Buy <b>milk</b>", "Call Cleo"]);
    shows(&page, "Ben", &["Buy <b>milk</b>", "Call Cleo"]);
    for (look, colours) in [(Look::Light, "light"), (Look::Dark, "dark"), (Look::Forced, "forced")]
    {
        page.show_as(look);
        page.screenshot(&format!("storage-{screen:?}-{colours}"));
        page.assert_accessible(&format!("the example on {screen:?} in {colours}"));
    }

    page.press("Done: Buy <b>milk</b>");
    for name in ["Ada", "Ben"] {
        shows(&page, name, &["Call Cleo"]);
    }
    person.assert_calm(&server.origin);
}

fn the_inspector_reads_and_writes(screen: Screen) {
    let (server, person, page) = open(screen, "emulator?nodes=3&shape=chain&seed=1");
    page.reads("All 3 see the same.");
    page.press("Store");
    page.reads("\"name\":\"Cleo\"");

    page.press("Create");
    page.reads("Create shared/notes/1: done.");
    page.press("Create");
    page.reads("There is a resource at shared/notes/1 already.");
    page.fill("Path", "elsewhere");
    page.press("Create");
    page.reads("What applications share lies below shared/.");
    page.fill("Value", "no JSON");
    page.press("Update");
    page.reads("The value is no JSON");
    page.screenshot(&format!("emulator-store-{screen:?}"));
    page.assert_accessible(&format!("the inspector on {screen:?}"));

    page.click_what_begins("button", "Cleo, ");
    page.find("group", "Cleo");
    page.reads("{\"text\":\"hello\"}");
    page.press("Delete");
    page.reads("Delete shared/notes/1: done.");
    page.forgets("{\"text\":\"hello\"}");
    person.assert_calm(&server.origin);
}

#[test]
fn every_word_of_the_store_works_from_a_script() {
    let (server, person, page) = open(Screen::Desktop, "emulator?nodes=3&shape=chain&seed=1");
    page.reads("All 3 see the same.");

    let story = page.evaluate(STORY).expect("the script runs");

    assert_eq!(
        story,
        json!({
            "ready": true,
            "read": { "a": 1, "b": 2 },
            "exists": "exists",
            "bad": "bad-path",
            "keys": ["one", "two"],
            "newest": ["two"],
            "values": [{ "a": 1, "b": 2 }, { "a": 3 }],
            "added": true,
            "items": ["itemload one", "itemload two", "itemcreate", "itemupdate one", "itemdelete two"],
            "subscribed": ["load", "create", "update", "delete"],
            "notice": { "text": "psst" },
            "empty": [],
            "nothing": null,
            "closed": "closed",
            "gone": "closed",
            "nobody": "closed",
        })
    );
    person.assert_calm(&server.origin);
}

/// Ada writes, Cleo, two hops away, listens; waits are for events only.
const STORY: &str = r#"(async () => {
    const { openStore } = await import(new URL("store.js", location.href));
    const code = (promise) => promise.then(() => "done", (error) => error.code);
    const ada = openStore("Ada"), cleo = openStore("Cleo"), list = "shared/list";
    if (!cleo.ready) await new Promise((resolve) => cleo.addEventListener("ready", resolve, { once: true }));
    const story = { ready: cleo.ready };

    await ada.create(`${list}/one`, { a: 1 });
    await ada.update(`${list}/one`, { b: 2 }, { partial: true });
    story.read = await ada.read(`${list}/one`);
    story.exists = await code(ada.create(`${list}/one`, {}));
    story.bad = await code(ada.read("a//b"));
    await ada.create(`${list}/two`, { a: 3 }, { transient: true });
    story.keys = await ada.getall(list, { item: "keys", orderby: "id" });
    story.newest = (await ada.list(list, { reverse: true, limit: 1 })).map(([id]) => id);
    story.values = await ada.getall(list, { item: "values" });

    // What Ada wrote has reached Cleo, or will.
    const until = (hears) => new Promise((resolve) => { const look = () => hears() ? resolve() : setTimeout(look, 20); look(); });
    while ((await cleo.list(list)).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const items = [], subscribed = [], notices = [];
    await cleo.onchange(list, ({ type, id }) => items.push(type === "itemcreate" ? type : `${type} ${id}`));
    const end = await cleo.subscribe(list, ({ type }) => subscribed.push(type));
    await cleo.onnotify("shared/talk", ({ data }) => notices.push(data));
    await until(() => items.length === 2 && subscribed.length === 1);
    const added = await ada.add(list, { late: true });
    story.added = (await ada.read(`${list}/${added}`)).late;
    await until(() => items.length === 3);
    await ada.update(`${list}/one`, { a: 9 });
    await ada.delete(`${list}/two`);
    await until(() => items.length === 5);
    story.items = [...items];
    story.subscribed = subscribed.filter((type) => type !== "notify");
    await end();
    await ada.notify("shared/talk", { text: "psst" });
    await until(() => notices.length === 1);
    story.notice = notices[0];
    await ada.removeall(list);
    story.empty = await ada.getall(list);
    story.nothing = await ada.read(`${list}/one`);

    ada.close();
    story.closed = await code(ada.read(list));
    const gone = new Promise((resolve) => cleo.addEventListener("close", resolve));
    document.querySelectorAll(".graph [aria-label^='Cleo,']")[0].dispatchEvent(new MouseEvent("click", { bubbles: true }));
    const leave = () => [...document.querySelectorAll(".one-head button")].find((button) => button.textContent === "Leave");
    await until(() => document.querySelector(".one-head h2").textContent === "Cleo" && leave());
    leave().click();
    await gone;
    story.gone = await code(cleo.read(list));
    const nobody = openStore("Nobody");
    await new Promise((resolve) => nobody.addEventListener("close", resolve));
    story.nobody = await code(nobody.read(list));
    return story;
})()"#;

fn open(screen: Screen, path: &str) -> (Server, Person, Page) {
    let server = Server::start();
    let person = Browser::shared().person("a reader", screen);
    let page = person.open(&format!("{}/{path}", server.origin));
    (server, person, page)
}

/// Waits until the side of `name` shows these notes and no others.
#[track_caller]
fn shows(page: &Page, name: &str, notes: &[&str]) {
    let ask = format!(
        "[...document.querySelectorAll('[of={name}] li')].map((note) => note.firstChild.textContent.trim())"
    );
    tests::eventually(&format!("{name} to see {notes:?}"), || {
        let shown = page.evaluate(&ask).ok()?;
        (shown == json!(notes)).then_some(())
    });
}
