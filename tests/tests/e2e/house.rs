//! The harness of the stories: a server, and guests who know each other by address.

use tests::push::PushService;
use tests::{Browser, Page, Person, Screen, Server};

pub(crate) const ALICE: &str = "alice@example.com";
pub(crate) const BOB: &str = "bob@example.com";
pub(crate) const CAROL: &str = "carol@example.com";

/// A server and the screens that people of a story use.
pub(crate) struct House {
    pub(crate) server: Server,
    screen: Screen,
}

/// Somebody who is logged in.
pub(crate) struct Guest {
    pub(crate) person: Person,
    /// The call app.
    pub(crate) app: Page,
}

impl House {
    pub(crate) fn new(screen: Screen) -> Self {
        Self { server: Server::start(), screen }
    }

    /// One whose server knows this push service.
    pub(crate) fn with(screen: Screen, service: &PushService) -> Self {
        Self { server: Server::start_with(&["--push-services", &service.origin()]), screen }
    }

    /// Somebody at the shared browser who is not logged in.
    pub(crate) fn stranger(&self) -> Person {
        Browser::shared().person("a stranger", self.screen)
    }

    /// Somebody who opened the log-in link of a demo account.
    pub(crate) fn guest(&self, user: &str) -> Guest {
        self.guest_at(Browser::shared(), user)
    }

    /// The same at another browser.
    pub(crate) fn guest_at(&self, browser: &Browser, user: &str) -> Guest {
        let person = browser.person(user, self.screen);
        let app = person.open(self.server.login(user));
        Guest::new(person, app)
    }

    /// Somebody new, who pasted an access token.
    pub(crate) fn newcomer(&self, user: &str) -> Guest {
        self.newcomer_at(Browser::shared(), user)
    }

    /// The same at another browser.
    pub(crate) fn newcomer_at(&self, browser: &Browser, user: &str) -> Guest {
        let token = self.server.add_user(user);
        let person = browser.person(user, self.screen);
        let app = person.open(&self.server.origin);
        app.fill("Access token", &token);
        app.press("Log in");
        Guest::new(person, app)
    }

    /// Alice has called Bob and he has answered.
    pub(crate) fn call(&self) -> Talk {
        let (alice, bob) = (self.guest(ALICE), self.guest(BOB));
        let hers = alice.dials(BOB);
        let his = bob.answers(ALICE);
        // Both have met before anything else is asked of them.
        hers.find("group", BOB);
        his.find("group", ALICE);
        Talk { alice, bob, hers, his }
    }
}

impl Guest {
    fn new(person: Person, app: Page) -> Self {
        app.find("textbox", "Address");
        Self { person, app }
    }

    /// Types an address and presses Call. Gives where the call shows.
    pub(crate) fn dials(&self, user: &str) -> Page {
        self.app.fill("Address", user);
        self.app.press("Call");
        self.person.in_call(&self.app)
    }

    /// Waits for the ring and answers it.
    pub(crate) fn answers(&self, caller: &str) -> Page {
        self.is_rung_by(caller);
        self.app.press("Answer");
        self.person.in_call(&self.app)
    }

    /// Waits for the ring.
    pub(crate) fn is_rung_by(&self, caller: &str) {
        self.app.find("alertdialog", &incoming(caller));
    }

    /// Waits until it rings no more.
    pub(crate) fn is_rung_no_more_by(&self, caller: &str) {
        self.app.loses("alertdialog", &incoming(caller));
    }
}

fn incoming(caller: &str) -> String {
    format!("Incoming call from {caller}")
}

/// Alice and Bob in a call; where it shows to each.
pub(crate) struct Talk {
    pub(crate) alice: Guest,
    pub(crate) bob: Guest,
    pub(crate) hers: Page,
    pub(crate) his: Page,
}

/// Opens the conversation unless it is open, writes a line and sends it.
pub(crate) fn say(page: &Page, text: &str) {
    open_chat(page);
    page.fill("Message", text);
    page.press("Send");
}

pub(crate) fn open_chat(page: &Page) {
    if page.look("textbox", "Message").is_none() {
        page.press("Chat");
    }
    page.find("log", "Messages");
}

/// Opens the list of people and waits until it names all of these.
pub(crate) fn lists(page: &Page, users: &[&str]) {
    if page.look("list", "Participants").is_none() {
        page.press("People");
    }
    page.find("list", "Participants");
    for user in users {
        page.reads(user);
    }
    page.reads(&format!("{} people", users.len()));
}
