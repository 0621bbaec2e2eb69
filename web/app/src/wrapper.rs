//! The page `/wrapper`: drives [`ui::wrapper`] with the server, the channels of the invites, and the frame.
//!
//! ```text
//!   live socket, other pages ──letters──▶ ┌─────────┐ ──letters──▶ server
//!   data channels ──hello, closed───────▶ │ Wrapper │ ──describe, apply, hang──▶ data channels
//!   buttons ──gestures──────────────────▶ └─────────┘ ──add, remove──▶ frame
//!   data channels ◀────────────── messages, as they are ──────────────▶ frame
//! ```

mod draw;
mod line;

use platform::broadcast::Station;
use platform::dom::Screen;
use platform::http::{self, LastWords, Method};
use platform::live::{Change, LiveSocket};
use platform::page::{self, AwakeScreen};
use platform::peer::Payload;
use platform::port::Port;
use platform::{Listener, Timer, lock, now, sound};
use std::cell::RefCell;
use std::time::Duration;
use ui::ring::Sound;
use ui::wrapper::{Effect, Event, Gesture, Plan, View, Window, Wrapper};
use wire::contacts::Account;
use wire::invite::Message;
use wire::live::FromServer;
use wire::wrapper::{Down, Up};
use wire::{Address, InviteId, Map, NodeId};

use crate::together::{self, Done, Word};
use crate::{broken, post, seat, tab};
use line::{Line, Peer};

thread_local! {
    /// The one wrapper of this page. Everything that is heard arrives in a turn of its own, so it is never borrowed
    /// twice.
    static SHELL: RefCell<Option<Shell>> = const { RefCell::new(None) };
}

/// How long a window that is loaded again waits for the one that it was to go. Guess: what a busy page takes at most.
const GOING: Duration = Duration::from_secs(2);

/// How often at least a window says that it is there.
const SEEN: Duration = Duration::from_secs(60);

struct Shell {
    wrapper: Wrapper,
    screen: Screen<View>,
    lines: Map<InviteId, Line>,
    /// The wire to the frame, while there is one.
    port: Option<Port<Down>>,
    /// Whether the conference app in the frame listens.
    is_frame_ready: bool,
    /// Whether the page goes away: what is posted now must outlive it.
    is_closing: bool,
    last_words: LastWords,
    /// What this tab keeps in case that the page is loaded again.
    remembered: Option<String>,
    /// The window closes when the last parting is over.
    is_done: bool,
    /// Connections that stay a moment longer.
    partings: usize,
    station: Option<Station<Word>>,
    ringback: Option<sound::Loop>,
    awake: Option<AwakeScreen>,
    timer: Option<Timer>,
    _live: LiveSocket,
    _leave: Listener,
}

/// Starts the page.
pub fn start() {
    broken::watch();
    let plan = plan(&page::fragment());
    // Loading the page again must not ring again.
    page::forget_fragment();

    // Whose call it is that we answer, we know already.
    let account = match &plan {
        Plan::Answer(call) => call
            .device()
            .map(|device| Account { email: device.user.clone(), instance: device.instance }),
        Plan::Call { .. } | Plan::Return(_) | Plan::Nothing => None,
    };
    let wrapper = Wrapper::new(call::Config::default(), platform::dice::seed(), page::base(), plan);
    SHELL.set(Some(Shell {
        wrapper,
        screen: Screen::new(draw::page),
        lines: Map::new(),
        port: None,
        is_frame_ready: false,
        is_closing: false,
        last_words: post::last_words(),
        remembered: tab::window(),
        is_done: false,
        partings: 0,
        station: together::station(on_word),
        ringback: None,
        awake: None,
        timer: None,
        _live: LiveSocket::open(&format!("{}/live", page::base()), on_live),
        _leave: page::on_leave(|| {
            with(|shell| {
                shell.is_closing = true;
                shell.event(Event::Closing);
            });
        }),
    }));
    platform::spawn(open(account));
    with(|shell| shell.settle());
}

/// What the address of this page asks for.
fn plan(fragment: &str) -> Plan {
    let answer = page::parameter(fragment, "answer").and_then(|invite| invite.parse().ok());
    if let Some(call) = answer.and_then(together::take_call) {
        return Plan::Answer(Box::new(call));
    }
    match page::parameter(fragment, "to").and_then(|to| to.parse().ok()) {
        Some(to) => Plan::Call { to, topic: page::parameter(fragment, "topic") },
        None => tab::window()
            .and_then(|text| Window::from_text(&text))
            .map_or(Plan::Nothing, Plan::Return),
    }
}

/// Goes on when this is the only window of its node. A tab can be copied, with all that it remembers.
async fn open(account: Option<Account>) {
    let node = SHELL.with_borrow(|shell| shell.as_ref().map(|shell| shell.wrapper.node()));
    let Some(node) = node else { return };
    if !lock::hold(&format!("hullo.window.{node}"), GOING).await {
        return event(Event::Elsewhere);
    }
    match account {
        Some(account) => event(Event::LoggedIn(account)),
        None => ask_who_we_are().await,
    }
}

async fn ask_who_we_are() {
    event(match http::ask(Method::Get, "session").await {
        Ok(answer) => match answer.json() {
            Some(account) if answer.is_ok() => Event::LoggedIn(account),
            Some(_) | None if answer.status == 401 => Event::NotLoggedIn,
            Some(_) | None => Event::ServerAway,
        },
        Err(_) => Event::ServerAway,
    });
}

/// Lets `what` happen to the shell, unless the page has none.
fn with(what: impl FnOnce(&mut Shell)) {
    SHELL.with_borrow_mut(|shell| shell.as_mut().map(what));
}

fn event(event: Event) {
    with(|shell| shell.event(event));
}

fn gesture(gesture: Gesture) {
    sound::unlock();
    with(|shell| {
        shell.wrapper.on_gesture(now(), gesture);
        shell.settle();
    });
}

/// Calls this address into the conference.
fn invite(address: String) {
    let node = SHELL.with_borrow(|shell| shell.as_ref().map(|shell| shell.wrapper.node()));
    let here = node.map(tab::users).unwrap_or_default();
    gesture(Gesture::Invite { address, here });
}

fn on_live(change: Change) {
    match change {
        Change::Said(FromServer::Welcome { .. }) => event(Event::ServerBack),
        Change::Said(FromServer::Push { id, data }) => {
            with(|shell| shell.tell_pages(&Word::push(&id, &data)));
            event(Event::Letter(data));
        }
        Change::Said(FromServer::Receipt { invite, from }) => {
            event(Event::Receipt { invite, from });
        }
        Change::Said(FromServer::Goodbye { .. }) | Change::Away => event(Event::ServerAway),
        Change::Said(FromServer::Pong | FromServer::Presence { .. } | FromServer::Error { .. }) => {
        }
    }
}

fn on_word(word: Word) {
    if let Some((_, letter)) = word.into_push() {
        event(Event::Letter(letter));
    }
    // The rest is about ringing and dialling, which is not done here.
}

/// The frame is there: speaks with the app in it.
fn on_frame(frame: &web_sys::HtmlIFrameElement) {
    let port = Port::to_frame(frame, &page::origin(), on_up);
    with(|shell| {
        shell.is_frame_ready = false;
        shell.port = Some(port);
    });
}

/// The frame is gone.
fn on_no_frame() {
    with(|shell| {
        shell.is_frame_ready = false;
        shell.port = None;
    });
}

fn on_up(up: Up, payload: Option<Payload>) {
    match (up, payload) {
        (Up::Ready, _) => with(Shell::on_frame_ready),
        (Up::Send { id }, Some(payload)) => with(|shell| shell.send(id, &payload)),
        // Nothing to send.
        (Up::Send { .. }, None) => {}
        (Up::Flush { id }, _) => with(|shell| shell.flush(id)),
        (Up::Seek { id, user }, _) => event(Event::Sought(id, user)),
        (Up::Leave, _) => gesture(Gesture::Leave),
        (Up::Removed, _) => gesture(Gesture::Removed),
    }
}

impl Shell {
    fn event(&mut self, event: Event) {
        self.wrapper.on_event(now(), event);
        self.settle();
    }

    /// Does what is asked for, draws, and comes back when something is due.
    fn settle(&mut self) {
        while let Some(effect) = self.wrapper.poll() {
            self.perform(effect);
        }
        self.remember();
        let view = self.wrapper.view(now());
        page::set_title(&view.title);
        self.screen.show(view);
        let due = self.wrapper.timeout().unwrap_or(now() + SEEN);
        self.timer = Some(Timer::at(due, || {
            with(|shell| {
                shell.wrapper.on_timeout(now());
                shell.settle();
            });
        }));
    }

    /// Keeps what it takes to come back if this page is loaded again. While it goes away, what was kept stays.
    fn remember(&mut self) {
        tab::see_window();
        let window = self.wrapper.window().map(|window| window.to_text());
        if self.is_closing || window == self.remembered {
            return;
        }
        tab::keep_window(window.as_deref());
        self.remembered = window;
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Describe { invite, what } => self.describe(invite, what),
            Effect::Apply { invite, answer } => {
                if let Some(line) = self.lines.get(&invite) {
                    line.apply(invite, &answer);
                }
            }
            Effect::Send { to, message } => self.post(to, message),
            Effect::Keep { seed, seat } => {
                // A browser that does not remember shows why the frame stays empty.
                seat::keep(self.wrapper.node(), seed, seat.as_ref());
            }
            Effect::Greet(invite) => {
                if let Some(line) = self.lines.get(&invite) {
                    line.greet(self.wrapper.node());
                }
            }
            Effect::Add { invite, node, user, is_invited } => {
                if let Some(line) = self.lines.get_mut(&invite) {
                    line.announce(Peer { node, user, is_invited });
                    self.awake.get_or_insert_default();
                    if self.is_frame_ready {
                        self.introduce(invite);
                    }
                }
            }
            Effect::Remove(id) => self.say(&Down::Remove { id }, None),
            Effect::Hang(invite) => self.hang(invite),
            Effect::Ringback { on } => {
                self.ringback = on.then(|| sound::Loop::new(sound::Tune::Ringback));
            }
            Effect::FocusFrame => page::focus(draw::FRAME),
            Effect::Play(sound) => {
                if let Some(tune) = tune(sound) {
                    sound::play(tune);
                }
            }
            Effect::Close => {
                self.awake = None;
                if self.partings == 0 {
                    close();
                } else {
                    self.is_done = true;
                }
            }
        }
    }

    /// Closes the connection of an invite, once what was said over it last has arrived.
    fn hang(&mut self, invite: InviteId) {
        let Some(parting) = self.lines.remove(&invite).and_then(Line::part) else { return };
        self.partings += 1;
        platform::spawn(async move {
            parting.await;
            with(|shell| {
                shell.partings -= 1;
                if shell.is_done && shell.partings == 0 {
                    close();
                }
            });
        });
    }

    fn describe(&mut self, invite: InviteId, what: call::Describe) {
        match Line::new(invite, what) {
            Ok(line) => drop(self.lines.insert(invite, line)),
            Err(_) => line::report(invite, None),
        }
    }

    fn post(&self, to: Address, message: Message) {
        let invite = message.id();
        let is_awaited = matches!(message, Message::Invite(_) | Message::Accept(_));
        if self.is_closing || !is_awaited {
            // The window may close in this very turn.
            post::post_last(&self.last_words, to, &message);
            return;
        }
        platform::spawn(async move {
            let result = post::post(to, message).await;
            event(Event::Posted { invite, result });
        });
    }

    /// The conference app listens: tells it of every channel whose other end is sure, and what was said meanwhile.
    fn on_frame_ready(&mut self) {
        self.is_frame_ready = true;
        let open: Vec<_> = self.lines.keys().copied().collect();
        for invite in open {
            self.introduce(invite);
        }
        self.event(Event::FrameReady);
    }

    fn introduce(&mut self, invite: InviteId) {
        let Some(line) = self.lines.get_mut(&invite) else { return };
        let Some((Peer { node: id, user, is_invited }, binding, waiting)) = line.introduce() else {
            return;
        };
        let invite = is_invited.then_some(invite);
        self.say(&Down::Add { id, user, invite, binding }, None);
        for payload in waiting {
            self.say(&Down::Message { id }, Some(&payload));
        }
    }

    /// What came over a channel that is announced.
    fn pass_down(&mut self, invite: InviteId, node: NodeId, payload: Payload) {
        if self.is_frame_ready {
            self.say(&Down::Message { id: node }, Some(&payload));
        } else if let Some(line) = self.lines.get_mut(&invite) {
            line.wait(payload);
        }
    }

    fn say(&self, word: &Down, payload: Option<&Payload>) {
        if let Some(port) = &self.port {
            // A frame that is gone needs to hear nothing.
            port.say(word, payload).ok();
        }
    }

    fn flush(&mut self, node: NodeId) {
        let line = self.lines.values_mut().find(|line| line.node() == Some(node));
        if line.is_some_and(Line::flush) {
            self.say(&Down::Flushed { id: node }, None);
        }
    }

    /// Next to nothing waits to be sent any more.
    fn on_drained(&mut self, invite: InviteId) {
        if let Some(id) = self.lines.get_mut(&invite).and_then(Line::drained) {
            self.say(&Down::Flushed { id }, None);
        }
    }

    fn send(&self, node: NodeId, payload: &Payload) {
        if let Some(line) = self.lines.values().find(|line| line.node() == Some(node)) {
            line.send(payload);
        }
    }

    fn tell_pages(&self, word: &Word) {
        if let Some(station) = &self.station {
            station.say(word);
        }
    }
}

/// Closes the window, or the frame that stands for one.
fn close() {
    if page::is_framed() {
        let parent = Port::to_parent(&page::origin(), |(), _| {});
        // Without a page around it there is nothing to close.
        parent.say(&Done { done: true }, None).ok();
    } else {
        page::close_tab();
    }
}

fn tune(sound: Sound) -> Option<sound::Tune> {
    match sound {
        Sound::Silence => None,
        Sound::Ringback => Some(sound::Tune::Ringback),
        Sound::Tick => Some(sound::Tune::Tick),
        Sound::Declined => Some(sound::Tune::Declined),
        Sound::Busy => Some(sound::Tune::Busy),
        Sound::Ended => Some(sound::Tune::Ended),
    }
}
