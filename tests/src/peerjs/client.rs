//! Somebody with a page that uses the real, unmodified PeerJS.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::OnceLock;
use std::{fs, thread};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::page::Page;
use crate::person::{Person, Screen};

/// Which PeerJS a page loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.5.5, of today.
    New,
    /// 0.3.14, which can do without sockets.
    Old,
}

/// The page and whose it is.
pub struct Client {
    version: Version,
    page: Page,
    _person: Person,
}

impl Client {
    /// Somebody with a page that is of another origin than any server.
    ///
    /// # Panics
    /// When the page does not load.
    #[must_use]
    pub fn new(browser: &Browser, name: &str, version: Version) -> Self {
        let person = browser.person(name, Screen::Desktop);
        let page = person.open(&format!("{}/{}", site(), version.path()));
        Self { version, page, _person: person }
    }

    /// Asks the server in `options` for a place, by this id or by any.
    pub fn enters(&self, id: Option<&str>, options: &Value) {
        self.does("enter", &[json!(id), options.clone()]);
    }

    /// Waits for PeerJS to say something, and gives what it says about it.
    ///
    /// # Panics
    /// When it does not; tells what it said instead.
    #[track_caller]
    pub fn hears(&self, name: &str) -> Value {
        let heard = self.page.evaluate(&format!("client.hears({})", json!(name)));
        heard.unwrap_or_else(|error| panic!("no `{name}` but {}: {error:#}", self.unheard()))
    }

    /// Which PeerJS they have.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// What PeerJS has said and nobody has listened to.
    #[must_use]
    pub fn unheard(&self) -> Value {
        self.page.evaluate("client.unheard()").unwrap_or_default()
    }

    /// Has the page do one of the things in `client.js`.
    ///
    /// # Panics
    /// When it throws.
    #[track_caller]
    pub fn does(&self, what: &str, with: &[Value]) -> Value {
        let with: Vec<_> = with.iter().map(Value::to_string).collect();
        let done = self.page.evaluate(&format!("client.{what}({})", with.join(", ")));
        done.unwrap_or_else(|error| panic!("{what}: {error:#}"))
    }

    /// The tab itself.
    #[must_use]
    pub fn page(&self) -> &Page {
        &self.page
    }
}

impl Version {
    fn path(self) -> &'static str {
        match self {
            Self::New => "new.html",
            Self::Old => "old.html",
        }
    }
}

const OLD_BROWSER: &str = include_str!("old_browser.js");
const CLIENT: &str = include_str!("client.js");

/// Brings the one serializer that PeerJS keeps apart.
const MSGPACK: &str =
    "<script type=module>import { MsgPack } from './msgpack.js'; window.MsgPack = MsgPack</script>";

/// The origin of an operator's own web site, which has the pages.
///
/// # Panics
/// When no port is free.
pub fn site() -> &'static str {
    static SITE: OnceLock<String> = OnceLock::new();
    SITE.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it listens somewhere");
        thread::spawn(move || listener.incoming().flatten().for_each(|visitor| serve(&visitor)));
        format!("http://{address}")
    })
}

/// Answers one request: two pages and two versions of the package as they were published.
fn serve(mut visitor: &TcpStream) {
    let mut line = String::new();
    if BufReader::new(visitor).read_line(&mut line).is_err() {
        return;
    }
    let file = |path: &str| fs::read_to_string(crate::npm_dir().join(path)).ok();
    let page = |script: &str, before: &str| {
        format!(
            "<!doctype html><meta charset=utf-8><link rel=icon href=data:,>{before}<script src={script}></script>\
             <script>{CLIENT}</script>"
        )
    };
    let old_browser = format!("<script>{OLD_BROWSER}</script>");
    let (kind, body) = match line.split(' ').nth(1).unwrap_or_default() {
        "/new.html" => ("text/html", Some(page("new.js", MSGPACK))),
        "/old.html" => ("text/html", Some(page("old.js", &old_browser))),
        "/msgpack.js" => ("text/javascript", file("peerjs/dist/serializer.msgpack.mjs")),
        "/new.js" => ("text/javascript", file("peerjs/dist/peerjs.min.js")),
        "/old.js" => ("text/javascript", file("peerjs-with-xhr/dist/peer.min.js")),
        _ => ("text/plain", None),
    };
    let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let body = body.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // A browser that has gone needs no answer.
    visitor.write_all(head.as_bytes()).and_then(|()| visitor.write_all(body.as_bytes())).ok();
}
