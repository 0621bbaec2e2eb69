//! The store as an application asks for it: every word, and every refusal.

use std::time::Duration;

use room::store::{Desk, REQUEST_BYTES_MAX, SUBSCRIPTIONS_MAX};
use room::{Command, Config, Input, Output, Room};
use serde_json::{Value, json};
use trust::{Bounds, Claim, Trust};
use wire::{Seed, Time, Timestamp};

/// The one who founds the conference.
fn trust() -> Trust {
    Trust::found(Seed::story(1), Claim::default(), Bounds::default(), Timestamp(1))
}

#[test]
fn what_is_created_is_read_updated_and_deleted() {
    let mut app = App::new();

    assert_eq!(
        app.ok("create", json!({ "path": "shared/a", "value": {"n": 1, "m": 1} })),
        Value::Null
    );
    assert_eq!(app.ok("read", json!({ "path": "shared/a" })), json!({"n": 1, "m": 1}));
    app.ok("update", json!({ "path": "shared/a", "value": {"n": 2}, "partial": true }));
    assert_eq!(app.ok("read", json!({ "path": "shared/a" })), json!({"n": 2, "m": 1}));
    app.ok("update", json!({ "path": "shared/a", "value": {"n": 3} }));
    assert_eq!(app.ok("read", json!({ "path": "shared/a" })), json!({"n": 3}));
    app.ok("delete", json!({ "path": "shared/a" }));
    assert_eq!(app.ok("read", json!({ "path": "shared/a" })), Value::Null);
}

#[test]
fn a_list_is_read_in_part_and_in_any_order() {
    let mut app = App::new();
    for name in ["b", "c", "a"] {
        app.ok("create", json!({ "path": format!("shared/l/{name}"), "value": {} }));
        app.now = app.now + Duration::from_millis(10);
    }
    app.ok("update", json!({ "path": "shared/l/b", "value": {"later": true} }));
    let names = |app: &mut App, options: Value| {
        let mut request = json!({ "path": "shared/l" });
        for (name, value) in options.as_object().expect("an object") {
            request[name] = value.clone();
        }
        let listed = app.ok("list", request);
        let names = listed.as_array().expect("a list").iter();
        names.map(|pair| pair[0].as_str().expect("a name").to_owned()).collect::<String>()
    };

    assert_eq!(names(&mut app, json!({})), "bca");
    assert_eq!(names(&mut app, json!({ "orderby": "id" })), "abc");
    assert_eq!(names(&mut app, json!({ "orderby": "updated" })), "cab");
    assert_eq!(names(&mut app, json!({ "reverse": true, "limit": 2 })), "ac");
    assert_eq!(names(&mut app, json!({ "offset": 1, "limit": 1 })), "c");
    app.ok("removeall", json!({ "path": "shared/l" }));
    assert_eq!(names(&mut app, json!({})), "");
}

#[test]
fn what_is_added_gets_a_name_that_can_be_read() {
    let mut app = App::new();

    let name = app.ok("add", json!({ "path": "shared/l", "value": {"n": 1} }));

    let path = format!("shared/l/{}", name.as_str().expect("a name"));
    assert_eq!(app.ok("read", json!({ "path": path })), json!({"n": 1}));
}

#[test]
fn who_subscribes_is_told_the_load_and_then_each_change_below() {
    let mut app = App::new();
    app.ok("create", json!({ "path": "shared/l/a", "value": {"n": 1} }));
    app.told.clear();

    app.ok("subscribe", json!({ "path": "shared/l" }));
    let resource = json!({ "path": "shared/l/a", "value": {"n": 1}, "from": trust().me() });
    let number = app.number;
    let load =
        json!({ "to": [number], "type": "load", "path": "shared/l", "resources": [resource] });
    assert_eq!(app.told(), [load]);

    app.ok("update", json!({ "path": "shared/l/a", "value": {"n": 2} }));
    app.ok("create", json!({ "path": "shared/other", "value": {} }));
    app.ok("delete", json!({ "path": "shared/l/a" }));
    let told = app.told();
    let kinds: Vec<&Value> = told.iter().map(|told| &told["type"]).collect();
    assert_eq!(kinds, ["update", "delete"]);
    assert_eq!((&told[0]["newValue"], &told[0]["oldValue"]), (&json!({"n": 2}), &json!({"n": 1})));

    app.ok("unsubscribe", json!({ "subscription": number }));
    app.ok("create", json!({ "path": "shared/l/b", "value": {} }));
    assert_eq!(app.told(), Vec::<Value>::new());
}

#[test]
fn every_refusal_names_its_remedy() {
    let mut app = App::new();
    app.ok("create", json!({ "path": "shared/a", "value": {} }));

    for (word, request, code, remedy) in [
        ("create", json!({ "path": "shared/a", "value": {} }), "exists", "Update it"),
        ("create", json!({ "path": "shared/b", "value": "text" }), "not-an-object", "such as"),
        ("create", json!({ "path": "elsewhere", "value": {} }), "not-allowed", "below shared/"),
        ("update", json!({ "path": "links/x", "value": {} }), "not-allowed", "below shared/"),
        ("read", json!({ "path": "a//b" }), "bad-path", "such as shared/notes/1"),
        ("unsubscribe", json!({ "subscription": 99 }), "not-subscribed", "never made"),
        (
            "create",
            json!({ "path": "shared/c", "value": {"x": "y".repeat(17_000)} }),
            "limit",
            "write less",
        ),
        ("conjure", json!({}), "bad-request", "docs/storage.md"),
        ("create", json!({ "path": 7 }), "bad-request", "docs/storage.md"),
        ("create", json!({ "path": "x".repeat(REQUEST_BYTES_MAX) }), "limit", "Write less"),
    ] {
        let error = app.refused(word, request);

        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(remedy)), "{error}");
    }
    assert!(app.desk.ask(app.now, &mut app.room, "{").contains("bad-request"));
}

#[test]
fn subscriptions_are_bounded_and_given_back() {
    let mut app = App::new();
    for n in 0..SUBSCRIPTIONS_MAX {
        app.ok("subscribe", json!({ "path": format!("shared/{n}") }));
    }
    assert_eq!(app.refused("subscribe", json!({ "path": "shared/more" }))["code"], "limit");

    app.desk.close(app.now, &mut app.room);
    assert_eq!(app.refused("read", json!({ "path": "shared/0" }))["code"], "closed");

    app.desk = Desk::default();
    app.ok("subscribe", json!({ "path": "shared/more" }));
}

#[test]
fn a_store_is_ready_alone_after_a_while_and_closed_when_its_participant_leaves() {
    let mut app = App::new();
    assert_eq!(app.ok("who", json!({}))["ready"], false);

    while let Some(at) = app.room.timeout().filter(|_| !app.room.node().is_ready()) {
        app.now = at;
        app.room.handle(at, Input::Timeout).expect("time passes");
    }
    app.drain();
    assert_eq!(app.told(), [json!({ "on": "ready" })]);

    app.room.handle(app.now, Input::Do(Command::Leave)).expect("one may leave");
    app.drain();
    assert_eq!(app.told().last(), Some(&json!({ "on": "close" })));
    assert_eq!(app.refused("read", json!({ "path": "shared/a" }))["code"], "closed");
}

/// One participant, alone, and one application.
struct App {
    room: Room,
    desk: Desk,
    now: Time,
    number: u64,
    told: Vec<Value>,
}

impl App {
    fn new() -> Self {
        let now = Time::at(Duration::from_secs(1));
        let clock = Timestamp(1_750_000_000_000);
        let room = Room::new(Config::default(), now, clock, trust(), "Ada", Seed::story(1));
        Self { room, desk: Desk::default(), now, number: 0, told: Vec::new() }
    }

    fn ask(&mut self, word: &str, mut request: Value) -> Value {
        self.number += 1;
        request["id"] = self.number.into();
        request["do"] = word.into();
        let reply = self.desk.ask(self.now, &mut self.room, &request.to_string());
        self.drain();
        let reply: Value = serde_json::from_str(&reply).expect("a reply is JSON");
        assert_eq!(reply["id"], self.number, "it answers this request");
        reply
    }

    #[track_caller]
    fn ok(&mut self, word: &str, request: Value) -> Value {
        let mut reply = self.ask(word, request);
        assert!(reply.get("error").is_none(), "{reply}");
        reply["ok"].take()
    }

    #[track_caller]
    fn refused(&mut self, word: &str, request: Value) -> Value {
        let mut reply = self.ask(word, request);
        assert!(reply.get("error").is_some(), "{reply}");
        reply["error"].take()
    }

    fn drain(&mut self) {
        while let Some(output) = self.room.poll() {
            if let Output::Store(event) = output
                && let Some(text) = self.desk.tell(&event)
            {
                self.told.push(serde_json::from_str(&text).expect("what is told is JSON"));
            }
        }
    }

    fn told(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.told)
    }
}
