//! The shared store as an application asks for it: requests and replies as JSON text, and what is told in between.
//!
//! An application, which may be a component of somebody else in a frame of its own, speaks to a [`Desk`]. The words are
//! those of a central store, so that what was written for one works here:
//!
//! ```text
//!   {"id": 1, "do": "create", "path": "shared/notes/a", "value": {"text": "hi"}}   ──▶ desk ──▶ node
//!   {"id": 1, "ok": null}     or {"id": 1, "error": {"code": "exists", …}}         ◀──
//!   {"to": [2], "type": "load", "path": "shared/notes", "resources": […]}          ◀──  after "subscribe", number 2
//!   {"to": [2], "type": "update", "path": …, "newValue": …, "oldValue": …}         ◀──  from then on
//!   {"on": "ready"}, {"on": "close"}                                               ◀──  about the store as a whole
//! ```
//!
//! A subscription is named by the number of the request that made it.
//!
//! **Invariant:** a request is answered exactly once, and what is told after the answer to `subscribe` begins with the
//! load.
//!
//! **Invariant:** a refusal says what is wrong, and what to do instead.
//!
//! **Limits:** [`REQUEST_BYTES_MAX`], [`SUBSCRIPTIONS_MAX`], and those of the node.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use node::{Command, Event, Life, Listing, Misuse, Order, Path};
use wire::{NodeId, Time};

use crate::{Error, Input, Room};

/// The longest request, in bytes. Guess: the longest value, its path, and quotes around both.
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// The most subscriptions of one application.
pub const SUBSCRIPTIONS_MAX: usize = 64;

/// A request with its number.
#[derive(Deserialize)]
struct Numbered {
    id: u64,
    #[serde(flatten)]
    request: Request,
}

/// What an application asks for.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Request {
    Create {
        path: String,
        value: Value,
        #[serde(default)]
        transient: bool,
    },
    Read {
        path: String,
    },
    Update {
        path: String,
        value: Value,
        #[serde(default)]
        partial: bool,
        #[serde(default)]
        transient: bool,
    },
    Delete {
        path: String,
    },
    Add {
        path: String,
        value: Value,
        #[serde(default)]
        transient: bool,
    },
    List {
        path: String,
        #[serde(default, flatten)]
        options: Options,
    },
    RemoveAll {
        path: String,
    },
    Notify {
        path: String,
        data: Value,
        to: Option<NodeId>,
    },
    Subscribe {
        path: String,
    },
    Unsubscribe {
        subscription: u64,
    },
    Who,
}

/// Which part of a list.
#[derive(Default, Deserialize)]
struct Options {
    limit: Option<usize>,
    offset: Option<usize>,
    #[serde(default)]
    reverse: bool,
    orderby: Option<OrderBy>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OrderBy {
    Created,
    Updated,
    Id,
}

/// Why a request was refused.
#[derive(Debug, Serialize)]
struct Refusal {
    /// For programs.
    code: &'static str,
    /// For people: what is wrong, and what to do.
    message: String,
}

/// The reply that refuses `request`, whatever it asks for.
#[must_use]
pub fn refuse(request: &str, code: &'static str, message: &str) -> String {
    #[derive(Deserialize)]
    struct Number {
        id: u64,
    }
    let number = serde_json::from_str(request).ok().map(|Number { id }| id);
    reply(number, Err(refusal(code, message)))
}

/// The place where one application asks.
#[derive(Debug, Default)]
pub struct Desk {
    /// Numbers and places, and whether the load has been told.
    subscriptions: Vec<(u64, Path, bool)>,
    is_over: bool,
}

impl Desk {
    /// Does what `request` asks for, and gives the reply.
    pub fn ask(&mut self, now: Time, room: &mut Room, request: &str) -> String {
        if request.len() > REQUEST_BYTES_MAX {
            return refuse(request, "limit", "A request has at most 64 KiB. Write less at a time.");
        }
        match serde_json::from_str::<Numbered>(request) {
            Ok(Numbered { id, request }) => reply(Some(id), self.serve(now, room, id, request)),
            Err(error) => {
                let why =
                    format!("This is no request: {error}. See docs/storage.md for what there is.");
                refuse(request, "bad-request", &why)
            }
        }
    }

    /// What to tell the application about `event`; `None` when it is none of its business.
    pub fn tell(&mut self, event: &Event) -> Option<String> {
        let told = match event {
            Event::Ready => json!({ "on": "ready" }),
            Event::Closed => {
                self.is_over = true;
                json!({ "on": "close" })
            }
            Event::Loaded { path, resources } => {
                let resources = resources.iter().map(|resource| {
                    json!({ "path": resource.path.as_str(), "value": resource.value, "from": resource.by })
                });
                json!({
                    "to": self.loading(path)?,
                    "type": "load",
                    "path": path.as_str(),
                    "resources": resources.collect::<Vec<_>>(),
                })
            }
            Event::Created { path, value, by } => {
                self.change("create", path, Some(value), None, *by)?
            }
            Event::Updated { path, value, old, by } => {
                self.change("update", path, Some(value), Some(old), *by)?
            }
            Event::Deleted { path, old, by } => {
                self.change("delete", path, None, Some(old), *by)?
            }
            Event::Notice { path, data, from } => json!({
                "to": self.covering(path)?,
                "type": "notify",
                "path": path.as_str(),
                "data": data,
                "from": from,
            }),
            Event::Refused { path, by } => {
                json!({ "on": "refused", "path": path.as_str(), "by": by })
            }
            Event::Undelivered { path, to } => {
                json!({ "on": "undelivered", "path": path.as_str(), "node": to })
            }
            // Who is here is in the store itself, at `users/`.
            Event::Met { .. }
            | Event::Arrived(_)
            | Event::Gone(_)
            | Event::Frozen(_)
            | Event::Parted { .. }
            | Event::Admitted
            | Event::TurnedAway { .. } => return None,
        };
        Some(told.to_string())
    }

    /// The application goes: nothing is told any more, and what it subscribed to is given back.
    pub fn close(&mut self, now: Time, room: &mut Room) {
        self.is_over = true;
        for (_, path, _) in std::mem::take(&mut self.subscriptions) {
            // A node that has left has forgotten it.
            room.handle(now, Input::Store(Command::Unsubscribe { path })).ok();
        }
    }

    fn change(
        &self,
        kind: &str,
        path: &Path,
        new: Option<&Value>,
        old: Option<&Value>,
        by: NodeId,
    ) -> Option<Value> {
        Some(json!({
            "to": self.covering(path)?,
            "type": kind,
            "path": path.as_str(),
            "newValue": new,
            "oldValue": old,
            "from": by,
        }))
    }

    /// The subscriptions at `path` that wait for their load.
    fn loading(&mut self, path: &Path) -> Option<Vec<u64>> {
        let mut loading = Vec::new();
        for (number, place, is_loaded) in &mut self.subscriptions {
            if place == path && !std::mem::replace(is_loaded, true) {
                loading.push(*number);
            }
        }
        (!loading.is_empty()).then_some(loading)
    }

    /// The subscriptions that `path` is at or below.
    fn covering(&self, path: &Path) -> Option<Vec<u64>> {
        let covers = |place: &Path| path == place || path.below(place).is_some();
        let all = self.subscriptions.iter().filter(|(_, place, _)| covers(place));
        let covering: Vec<u64> = all.map(|(number, ..)| *number).collect();
        (!covering.is_empty()).then_some(covering)
    }

    fn serve(
        &mut self,
        now: Time,
        room: &mut Room,
        id: u64,
        request: Request,
    ) -> Result<Value, Refusal> {
        room.is_asked = true;
        if self.is_over {
            return Err(refusal("closed", "This store is closed. Open it again."));
        }
        let life = |transient| if transient { Life::Ephemeral } else { Life::Lasting };
        let command = match request {
            Request::Who => {
                return Ok(json!({ "node": room.me(), "ready": room.node().is_ready() }));
            }
            Request::Read { path } => return Ok(json!(room.node().get(&parsed(&path)?))),
            Request::List { path, options } => return Ok(list(room, &parsed(&path)?, &options)),
            Request::Add { path, value, transient } => {
                return add(now, room, parsed(&path)?, value, life(transient));
            }
            Request::Subscribe { path } => return self.subscribe(now, room, id, parsed(&path)?),
            Request::Unsubscribe { subscription } => {
                let at = self.subscriptions.iter().position(|(number, ..)| *number == subscription);
                let at = at.ok_or_else(|| refusal("not-subscribed", NOT_SUBSCRIBED))?;
                let (_, path, _) = self.subscriptions.remove(at);
                Command::Unsubscribe { path }
            }
            Request::Create { path, value, transient } => {
                Command::Create { path: parsed(&path)?, value, life: life(transient) }
            }
            Request::Update { path, value, partial, transient } => {
                Command::Update { path: parsed(&path)?, value, partial, life: life(transient) }
            }
            Request::Delete { path } => Command::Delete { path: parsed(&path)? },
            Request::RemoveAll { path } => Command::Clear { path: parsed(&path)? },
            Request::Notify { path, data, to } => {
                Command::Notify { path: parsed(&path)?, data, to }
            }
        };
        run(now, room, command)?;
        Ok(Value::Null)
    }

    fn subscribe(
        &mut self,
        now: Time,
        room: &mut Room,
        id: u64,
        path: Path,
    ) -> Result<Value, Refusal> {
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            let why = "There are 64 subscriptions already. End one, or subscribe to a list that holds several places.";
            return Err(refusal("limit", why));
        }
        run(now, room, Command::Subscribe { path: path.clone() })?;
        self.subscriptions.push((id, path, false));
        Ok(Value::Null)
    }
}

const NOT_SUBSCRIBED: &str = "There is no such subscription. It was ended before, or never made.";

fn add(now: Time, room: &mut Room, list: Path, value: Value, life: Life) -> Result<Value, Refusal> {
    let made = room.node().next(&list);
    let made = made.ok_or_else(|| {
        refusal("bad-path", "The path is too long to add to. Choose a shorter one.")
    })?;
    run(now, room, Command::Add { path: list, value, life })?;
    Ok(json!(made.name()))
}

/// The resources of a list, each with its name.
fn list(room: &Room, path: &Path, options: &Options) -> Value {
    let default = Listing::default();
    let order = match options.orderby {
        Some(OrderBy::Created) | None => Order::Born,
        Some(OrderBy::Updated) => Order::Written,
        Some(OrderBy::Id) => Order::Name,
    };
    let listing = Listing {
        order,
        reverse: options.reverse,
        offset: options.offset.unwrap_or(default.offset),
        limit: options.limit.unwrap_or(default.limit),
    };
    let entries = room.node().list(path, listing);
    entries.iter().map(|entry| json!([entry.path.name(), entry.value()])).collect()
}

fn run(now: Time, room: &mut Room, command: Command) -> Result<(), Refusal> {
    let path = match &command {
        Command::Create { path, .. }
        | Command::Update { path, .. }
        | Command::Delete { path }
        | Command::Clear { path }
        | Command::Add { path, .. }
        | Command::Subscribe { path }
        | Command::Unsubscribe { path }
        | Command::Notify { path, .. } => path.to_string(),
        Command::PutOut(_) | Command::Leave => String::new(),
    };
    room.handle(now, Input::Store(command)).map_err(|error| refused(&error, &path))
}

fn parsed(path: &str) -> Result<Path, Refusal> {
    path.parse().map_err(|error| {
        let why = format!("{error}. A path is one to eight names of letters, digits and . _ ~ - with slashes between them, such as shared/notes/1.");
        refusal("bad-path", &why)
    })
}

fn refused(error: &Error, path: &str) -> Refusal {
    let misuse = match error {
        Error::Node(node::Error::Misuse(misuse)) => misuse,
        Error::Node(node::Error::Limit(what)) | Error::Limit(what) => {
            return refusal(
                "limit",
                &format!("Over the limit: {what}. Delete something, or write less."),
            );
        }
        Error::Left => return refused(&Error::Node(node::Error::Misuse(Misuse::Left)), path),
        Error::Empty | Error::Node(node::Error::PeerMisbehaved { .. }) => {
            return refusal("failed", &format!("{error}. Try again."));
        }
    };
    match misuse {
        Misuse::Exists => refusal(
            "exists",
            &format!("There is a resource at {path} already. Update it, or choose another path."),
        ),
        Misuse::NotAnObject => {
            refusal("not-an-object", "A value is an object, such as {\"text\": \"hello\"}.")
        }
        Misuse::NotFounder => {
            refusal("not-allowed", "Only who founded the conference puts somebody out.")
        }
        Misuse::Reserved | Misuse::NotOurs => refusal(
            "not-allowed",
            &format!(
                "The rules of the conference do not allow that at {path}. What applications share lies below shared/."
            ),
        ),
        Misuse::NoAddressee => refusal(
            "not-allowed",
            &format!(
                "Nobody who takes part could read {path}. Write private/ and the node of a participant, as users/ lists them."
            ),
        ),
        Misuse::NotSubscribed => refusal("not-subscribed", NOT_SUBSCRIBED),
        Misuse::Frozen => refusal(
            "frozen",
            "Others hold a proof that this participant said two different things, and listen to it no more. Join anew.",
        ),
        Misuse::UnknownLink | Misuse::Left => refusal(
            "closed",
            "The participant has left the conference. Join again, and open the store again.",
        ),
    }
}

fn refusal(code: &'static str, message: &str) -> Refusal {
    Refusal { code, message: message.to_owned() }
}

fn reply(id: Option<u64>, result: Result<Value, Refusal>) -> String {
    match result {
        Ok(value) => json!({ "id": id, "ok": value }),
        Err(refusal) => json!({ "id": id, "error": refusal }),
    }
    .to_string()
}
