//! The page `/`: drives [`ui::dial`] with the server, the other pages of this browser, sounds and tabs.
//!
//! ```text
//!   live socket, other pages ──pushes──▶ ┌──────┐ ──letters, acks──▶ server
//!   session ──logged in, out───────────▶ │ Dial │ ──ring───────────▶ sound, title
//!   buttons ──gestures─────────────────▶ └──────┘ ──calls──────────▶ wrapper: a tab, or a frame on phones
//! ```

mod draw;
mod rules;
mod session;
mod waking;

use std::cell::RefCell;
use std::time::Duration;

use platform::broadcast::Station;
use platform::dom::Screen;
use platform::live::{Change, LiveSocket};
use platform::port::Port;
use platform::{Listener, Timer, now, page, sound};
use ui::dial::{Config, Dial, Effect, Event, Gesture, Input, Page, View};
use wire::live::{FromPage, FromServer, OTHER_DEVICE};

use crate::together::{self, Done, Word};
use crate::{broken, post, tab};

/// How long the browser may take to say whether the page can make sounds. Guess: it knows at once.
const SOUND_CHECK: Duration = Duration::from_millis(300);

/// How long to wait before asking again who we are, when the server did not answer. Guess: as the live socket.
const ASK_AGAIN: Duration = Duration::from_secs(3);

thread_local! {
    /// The one call app of this page. Everything that is heard arrives in a turn of its own, so it is never borrowed
    /// twice.
    static SHELL: RefCell<Option<Shell>> = const { RefCell::new(None) };
}

/// What is drawn.
#[derive(PartialEq)]
struct Shown {
    view: View,
    /// The address of the wrapper that runs inside this page, on phones.
    wrapper: Option<String>,
}

/// The title of the tab: it blinks while somebody calls.
#[derive(Default)]
struct Title {
    text: String,
    blinking: Option<page::Blink>,
}

struct Shell {
    dial: Dial,
    screen: Screen<Shown>,
    title: Title,
    /// The address of the wrapper that runs inside this page, on phones.
    wrapper: Option<String>,
    /// While somebody is logged in.
    live: Option<LiveSocket>,
    station: Option<Station<Word>>,
    /// The wire to the wrapper inside this page.
    port: Option<Port<()>>,
    ringing: Option<sound::Loop>,
    timer: Option<Timer>,
    /// Until the server is asked again, or the sound.
    later: Option<Timer>,
    _listeners: Vec<Listener>,
}

/// Starts the page.
pub fn start() {
    broken::watch();
    SHELL.set(Some(Shell {
        dial: Dial::new(Config::default()),
        screen: Screen::new(draw::page),
        title: Title::default(),
        // This page was loaded again with a call inside.
        wrapper: tab::window().map(|_| "wrapper".to_owned()),
        live: None,
        station: together::station(on_word),
        port: None,
        ringing: None,
        timer: None,
        later: None,
        _listeners: listeners(),
    }));
    event(Event::Recent(together::recent()));
    session::open();
}

fn listeners() -> Vec<Listener> {
    let mut listeners = vec![
        // A log-in link that was opened in this very tab.
        Listener::window("hashchange", |_| {
            session::open_link();
            session::open_notification();
        }),
        // Any touch of the page lets it make sounds from then on.
        Listener::window("pointerdown", |_| sound::unlock()),
        Listener::window("keydown", |_| sound::unlock()),
    ];
    let permission = sound::on_permission(|is_allowed| {
        event(if is_allowed { Event::SoundReady } else { Event::SoundBlocked });
    });
    listeners.extend(permission);
    listeners
}

/// Lets `what` happen to the shell, unless the page has none.
fn with(what: impl FnOnce(&mut Shell)) {
    SHELL.with_borrow_mut(|shell| shell.as_mut().map(what));
}

fn event(event: Event) {
    with(|shell| shell.handle(event.into()));
}

fn gesture(gesture: Gesture) {
    with(|shell| shell.handle(gesture.into()));
}

fn on_live(change: Change) {
    match change {
        Change::Said(FromServer::Welcome { presence, .. }) => event(Event::ServerBack { presence }),
        Change::Said(FromServer::Presence { of }) => event(Event::Seen(of)),
        Change::Said(FromServer::Push { id, data }) => {
            with(|shell| shell.tell_pages(&Word::push(&id, &data)));
            waking::hush(data.message.id());
            event(Event::Push { id, letter: data });
        }
        Change::Said(FromServer::Goodbye { reason }) if reason.as_deref() == Some(OTHER_DEVICE) => {
            with(|shell| shell.live = None);
            event(Event::OtherRings);
        }
        Change::Said(FromServer::Goodbye { .. }) => session::on_logged_out(false),
        Change::Away => {
            event(Event::ServerAway);
            session::check();
        }
        // Receipts are for the wrapper that called.
        Change::Said(FromServer::Receipt { .. } | FromServer::Pong | FromServer::Error { .. }) => {}
    }
}

fn on_word(word: Word) {
    match word {
        Word::Taken(invite) => event(Event::Taken(invite)),
        Word::Recent(list) => event(Event::Recent(list)),
        Word::Registered => event(Event::Registered),
        push @ Word::Push(_) => {
            if let Some((id, letter)) = push.into_push() {
                event(Event::Push { id, letter });
            }
        }
    }
}

/// The wrapper inside this page is there: hears when it wants to go.
fn on_wrapper(frame: &web_sys::HtmlIFrameElement) {
    let port = Port::to_frame(frame, &page::origin(), |_: Done, _| {
        with(|shell| {
            shell.port = None;
            shell.wrapper = None;
            shell.show();
        });
    });
    with(|shell| shell.port = Some(port));
}

impl Shell {
    /// Does what is asked for, draws, and comes back when something is due.
    fn handle(&mut self, input: Input) {
        self.dial.handle(now(), input);
        while let Some(effect) = self.dial.poll() {
            self.perform(effect);
        }
        self.show();
        self.timer = self
            .dial
            .timeout()
            .map(|due| Timer::at(due, || with(|shell| shell.handle(Input::Timeout))));
    }

    fn show(&mut self) {
        let view = self.dial.view();
        self.title.show(&view);
        self.screen.show(Shown { view, wrapper: self.wrapper.clone() });
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::LogIn { token } => session::log_in(token),
            Effect::MailLink { address } => session::mail_link(address),
            Effect::ListDevices => session::list_devices(),
            Effect::EndDevice { id } => session::end_device(id),
            Effect::LogOut => session::log_out(),
            Effect::OpenWrapper { to, topic } => {
                let topic = topic.map(|topic| format!("&topic={}", page::encode(&topic)));
                let to = page::encode(&to.to_string());
                self.open_wrapper(format!("wrapper#to={to}{}", topic.unwrap_or_default()));
            }
            Effect::TakeCall { call } => {
                let invite = call.id();
                together::leave_call(&call);
                self.tell_pages(&Word::Taken(invite));
                self.open_wrapper(format!("wrapper#answer={invite}"));
            }
            Effect::Send { to, message } => platform::spawn(async move {
                // Nobody waits for it; the call repeats what matters.
                post::post(to, message).await.ok();
            }),
            Effect::Ack { id } => {
                if let Some(live) = &self.live {
                    live.say(&FromPage::Ack { id });
                }
            }
            Effect::Ring { on } => {
                self.ringing = on.then(|| sound::Loop::new(sound::Tune::Ring));
            }
            Effect::RingHere => session::ring_here(),
            Effect::Watch(users) => {
                if let Some(live) = &self.live {
                    live.say(&FromPage::Watch { users });
                }
            }
            Effect::TurnOnSound => sound::unlock(),
            Effect::TurnOnWaking => waking::turn_on(),
            Effect::TurnOffWaking => waking::turn_off(),
            Effect::ChangeRules(change) => rules::change(change),
            Effect::SaveRecent(list) => {
                together::save_recent(&list);
                self.tell_pages(&Word::Recent(list));
            }
            Effect::Register => {
                waking::register();
                self.tell_pages(&Word::Registered);
            }
        }
    }

    /// Opens a wrapper in a tab, or inside this page where tabs are hard to find or not given.
    fn open_wrapper(&mut self, url: String) {
        if page::is_narrow() || !page::open_tab(&url) {
            self.wrapper = Some(url);
        }
    }

    fn tell_pages(&self, word: &Word) {
        if let Some(station) = &self.station {
            station.say(word);
        }
    }
}

impl Title {
    fn show(&mut self, view: &View) {
        let is_ringing = match &view.page {
            Page::LoggedIn(page) => !page.cards.is_empty(),
            Page::Opening { .. } | Page::LoggedOut(_) => false,
        };
        if view.title == self.text && is_ringing == self.blinking.is_some() {
            return;
        }
        self.text.clone_from(&view.title);
        self.blinking = None;
        if is_ringing {
            self.blinking = Some(page::Blink::new(view.title.clone()));
        } else {
            page::set_title(&view.title);
        }
    }
}
