//! The call app: logging in, dialling, incoming calls, and notices of what was missed.
//!
//! One value per open page. It owns the incoming calls while they ring here; once answered, a call moves to a wrapper
//! ([`Effect::TakeCall`]). Outgoing calls live in their wrappers from the start ([`Effect::OpenWrapper`]).

mod address;
mod devices;
mod entry;
mod notice;
mod reach;
pub(crate) mod recent;
mod rules;
mod view;
mod waking;
mod words;

use std::collections::VecDeque;

use call::{Call, Settled, State};
use wire::contacts::{Account, LoggedIn as Device, Rules};
use wire::invite::{Letter, Message, RejectReason, TOPIC_CHARS_MAX};
use wire::{Address, InviteId, Time, UserId};

use crate::wake::Opening;
pub(crate) use address::read as read_address;
pub use devices::DeviceView;
use entry::Entry;
pub use entry::MailView;
use notice::{Notice, What};
use recent::{Line, Outcome};
pub use view::{
    Blocked, Button, Card, LoggedIn, LoggedOut, NoticeView, Offer, Page, Recent, RulesView, View,
    WakingView,
};
pub use waking::Waking;
pub use words::{Config, Effect, Event, Gesture, Input, LoginProblem, ProviderProblem};

/// The call app on one page.
#[derive(Clone, Debug)]
pub struct Dial {
    config: Config,
    session: Session,
    entry: Entry,
    problem: Option<String>,
    /// Where else the person is logged in, once they asked.
    devices: Option<Vec<Device>>,
    is_server_away: bool,
    is_sound_blocked: bool,
    waking: Waking,
    /// Who may ring, once the server said.
    rules: Option<Rules>,
    /// The call that is answered as soon as it is here, because the person said so on its notification.
    answering: Option<InviteId>,
    /// Whether calls ring on another device of ours, and so not here.
    is_passive: bool,
    /// Whether the server tells who is reachable, and who of the recent ones is.
    presence: Option<Vec<UserId>>,
    /// Calls that ring here, and those whose DECLINE the caller has not confirmed.
    calls: Vec<Call>,
    settled: Settled,
    notices: Vec<Notice>,
    notices_made: u64,
    recent: Vec<Line>,
    /// When the server is to be told again that this device is here.
    register_at: Option<Time>,
    is_silenced: bool,
    is_ringing: bool,
    effects: VecDeque<Effect>,
}

#[derive(Clone, Debug)]
enum Session {
    Opening,
    LoggedOut(Out),
    LoggedIn { account: Account },
}

/// Nobody is logged in.
#[derive(Clone, Debug, Default)]
struct Out {
    /// Whether a token is being tried.
    is_busy: bool,
    /// What is wrong with it.
    problem: Option<String>,
    /// Why nobody is logged in any more, or by another way.
    trouble: Option<String>,
}

impl Dial {
    /// A page that does not know yet who it is for.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            session: Session::Opening,
            entry: Entry::default(),
            problem: None,
            devices: None,
            is_server_away: false,
            is_sound_blocked: false,
            waking: Waking::default(),
            rules: None,
            answering: None,
            is_passive: false,
            presence: None,
            calls: Vec::new(),
            settled: Settled::default(),
            notices: Vec::new(),
            notices_made: 0,
            recent: Vec::new(),
            register_at: None,
            is_silenced: false,
            is_ringing: false,
            effects: VecDeque::new(),
        }
    }

    /// Takes in what the person did or what happened. What makes no sense any more, such as answering a call that has
    /// just ended, does nothing.
    pub fn handle(&mut self, now: Time, input: impl Into<Input>) {
        match input.into() {
            Input::Timeout => {
                for call in &mut self.calls {
                    tell(call, now, call::Input::Timeout);
                }
                self.notices.retain(|notice| notice.until.is_none_or(|until| now < until));
                self.register_again(now);
            }
            Input::Gesture(gesture) => self.on_gesture(now, gesture),
            Input::Event(event) => self.on_event(now, event),
        }
        self.settle(now);
    }

    /// What to do next; drain it after each [`Dial::handle`].
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to come back with [`Input::Timeout`], or `None` when nothing is due.
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        let calls = self.calls.iter().filter_map(Call::timeout);
        let notices = self.notices.iter().filter_map(|notice| notice.until);
        calls.chain(notices).chain(self.register_at).min()
    }

    /// What the page looks like now.
    #[must_use]
    pub fn view(&self) -> View {
        view::view(self)
    }

    /// The calls that ring here.
    fn cards(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| is_ringing(call))
    }

    fn on_gesture(&mut self, now: Time, gesture: Gesture) {
        match gesture {
            Gesture::LogIn { token } => self.log_in(token.trim()),
            Gesture::LogOut => {
                if self.me().is_some() {
                    self.effects.push_back(Effect::LogOut);
                }
            }
            Gesture::MailLink { address } => {
                if let Some(address) = self.entry.ask(&address) {
                    self.effects.push_back(Effect::MailLink { address });
                }
            }
            Gesture::ShowDevices => {
                self.effects.extend(self.me().is_some().then_some(Effect::ListDevices));
            }
            Gesture::HideDevices => self.devices = None,
            Gesture::EndDevice(id) => self.effects.push_back(Effect::EndDevice { id }),
            Gesture::Edit => self.problem = None,
            Gesture::Call { address, topic } => self.call(now, &address, topic.trim()),
            Gesture::Answer(id) => self.answer(now, id),
            Gesture::Decline(id) => {
                if let Some(call) = self.calls.iter_mut().find(|call| call.id() == id) {
                    tell(call, now, call::Input::Decline);
                }
            }
            Gesture::Block(id) => self.block(now, id),
            Gesture::BlockUser(user) => self.block_user(user),
            Gesture::Unblock(user) => self.unblock(user),
            Gesture::LetRing(ring) => self.let_ring(ring),
            Gesture::Silence => self.is_silenced = true,
            Gesture::CallBack(id) => {
                let caller = self
                    .notices
                    .iter()
                    .find(|notice| notice.id == id)
                    .and_then(|notice| notice.caller().cloned());
                if let Some(caller) = caller {
                    self.notices.retain(|notice| notice.id != id);
                    self.open_wrapper(now, Address::of(caller), None);
                }
            }
            Gesture::Dismiss(id) => self.notices.retain(|notice| notice.id != id),
            Gesture::TurnOnSound => self.effects.push_back(Effect::TurnOnSound),
            Gesture::TurnOffWaking => {
                if self.waking == Waking::On {
                    self.waking = Waking::Unknown;
                    self.effects.push_back(Effect::TurnOffWaking);
                }
            }
            Gesture::TurnOnWaking => {
                if matches!(self.waking, Waking::Off | Waking::Failed) {
                    self.waking = Waking::Busy;
                    self.effects.push_back(Effect::TurnOnWaking);
                }
            }
            Gesture::RingHere => self.effects.push_back(Effect::RingHere),
        }
    }

    fn on_event(&mut self, now: Time, event: Event) {
        match event {
            Event::LoggedIn(account) => {
                if self.me() != Some(&account.email) {
                    self.forget_session(None);
                }
                self.session = Session::LoggedIn { account };
                self.problem = None;
                self.is_server_away = false;
                self.register(now);
            }
            Event::Registered => self.on_registered(now),
            Event::NotLoggedIn => self.forget_session(None),
            Event::Ways(ways) => self.entry.ways = ways,
            Event::MailTaken => self.entry.told(None),
            Event::MailRefused(problem) => self.entry.told(Some(problem.words())),
            Event::Devices(devices) => {
                self.devices = self.me().is_some().then_some(devices);
            }
            Event::DevicesFailed => {
                self.problem = Some(
                    "The server does not tell where you are logged in. Try again in a moment."
                        .to_owned(),
                );
            }
            // A dead link does not end the session that is there.
            Event::LoginFailed(problem) if self.me().is_some() => {
                self.problem = Some(problem.words());
            }
            Event::LoginFailed(LoginProblem::WrongToken) => {
                self.forget_session(None);
                let problem = Some(LoginProblem::WrongToken.words());
                self.session = Session::LoggedOut(Out { problem, ..Out::default() });
            }
            Event::LoginFailed(problem) => self.forget_session(Some(problem.words())),
            Event::LoggedOut { asked: true } => self.forget_session(None),
            Event::LoggedOut { asked: false } => self.forget_session(Some(
                "You were logged out from another place. Log in again to be reachable here."
                    .to_owned(),
            )),
            Event::LogoutFailed => {
                self.problem = Some(
                    "You are still logged in, because the server cannot be reached. \
                     Log out again when it is back."
                        .to_owned(),
                );
            }
            Event::ServerAway => self.on_server_away(),
            Event::ServerBack { presence } => self.on_server_back(presence),
            Event::OtherRings => self.is_passive = true,
            Event::RingHereFailed => self.problem = Some(reach::STILL_ELSEWHERE.to_owned()),
            Event::Seen(seen) => self.on_seen(seen),
            Event::Push { id, letter } => self.on_push(now, id, letter),
            Event::Taken(id) => {
                self.calls.retain(|call| call.id() != id);
                self.settled.note(id);
            }
            Event::Recent(recent) => self.on_recent(&recent),
            Event::Noted(notes) => self.on_noted(&notes),
            Event::SoundBlocked => self.is_sound_blocked = true,
            Event::SoundReady => self.is_sound_blocked = false,
            Event::Waking(waking) => self.waking = waking,
            Event::Rules(rules) => self.rules = Some(rules),
            Event::RulesFailed => self.problem = Some(rules::FAILED.to_owned()),
            Event::Opened(opening) => self.on_opened(now, opening),
        }
    }

    fn on_opened(&mut self, now: Time, opening: Opening) {
        match opening {
            Opening::Answer(id) => {
                self.answering = Some(id);
                self.answer_awaited(now);
            }
            // The live socket brings it, if it still rings.
            Opening::Ring(_) => {}
            Opening::CallBack(address) => {
                if self.me().is_some() {
                    self.open_wrapper(now, address, None);
                }
            }
        }
    }

    /// Answers the call that the person answered on its notification, once it is here.
    fn answer_awaited(&mut self, now: Time) {
        if let Some(id) = self.answering
            && self.cards().any(|call| call.id() == id)
        {
            self.answering = None;
            self.answer(now, id);
        }
    }

    fn log_in(&mut self, token: &str) {
        // Pressed twice, or after another page has logged in already.
        if !matches!(self.session, Session::LoggedOut(Out { is_busy: false, .. })) {
            return;
        }
        let (is_busy, problem) = if token.is_empty() {
            (false, Some("Paste your access token first. Whoever runs this server has it."))
        } else {
            self.effects.push_back(Effect::LogIn { token: token.to_owned() });
            (true, None)
        };
        let problem = problem.map(str::to_owned);
        self.session = Session::LoggedOut(Out { is_busy, problem, trouble: None });
    }

    /// Nobody is logged in: nothing of theirs stays.
    fn forget_session(&mut self, trouble: Option<String>) {
        self.session = Session::LoggedOut(Out { trouble, ..Out::default() });
        self.problem = None;
        self.devices = None;
        self.is_server_away = false;
        self.rules = None;
        self.is_passive = false;
        self.presence = None;
        self.register_at = None;
        self.calls.clear();
        self.notices.clear();
    }

    fn call(&mut self, now: Time, typed: &str, topic: &str) {
        let Some(me) = self.me() else { return };
        let address = read_address(typed, me);
        if topic.chars().count() > TOPIC_CHARS_MAX {
            self.problem =
                Some(format!("The topic is longer than {TOPIC_CHARS_MAX} letters. Shorten it."));
            return;
        }
        match address {
            Ok(to) => {
                let topic = (!topic.is_empty()).then(|| topic.to_owned());
                self.open_wrapper(now, to, topic);
            }
            Err(problem) => self.problem = Some(problem),
        }
    }

    fn open_wrapper(&mut self, now: Time, to: Address, topic: Option<String>) {
        self.problem = None;
        let text = to.to_string();
        self.effects.push_back(Effect::OpenWrapper { to, topic });
        self.remember(now, text, Outcome::Called);
    }

    /// Hands a ringing call to a wrapper.
    fn answer(&mut self, now: Time, id: InviteId) {
        let Some(at) = self.calls.iter().position(|call| call.id() == id && is_ringing(call))
        else {
            return;
        };
        let call = self.calls.remove(at);
        self.settled.note(id);
        let caller = call.peer().user.to_string();
        self.effects.push_back(Effect::TakeCall { call: Box::new(call) });
        self.remember(now, caller, Outcome::Called);
    }

    fn on_push(&mut self, now: Time, push: String, letter: Letter) {
        if self.me() != Some(&letter.to.user) {
            return;
        }
        let id = letter.message.id();
        if let Some(call) = self.calls.iter_mut().find(|call| call.id() == id) {
            self.effects.push_back(Effect::Ack { id: push });
            tell(call, now, call::Input::Received(letter));
            return;
        }
        match &letter.message {
            Message::Invite(_) => self.on_invite(now, push, letter),
            // It may have overtaken its INVITE, which then must not ring.
            Message::Cancel { .. } => {
                self.settled.note(id);
                self.effects.push_back(Effect::Ack { id: push });
            }
            // For the wrapper that called; it hears them too.
            Message::Accept(_) | Message::Decline { .. } | Message::Reject { .. } => {}
        }
    }

    fn on_invite(&mut self, now: Time, push: String, letter: Letter) {
        let Letter { from, to, message: message @ Message::Invite(_) } = letter else { return };
        // Our own device hears its own invite when the person calls themselves.
        if self.settled.has(message.id()) || from == to || message.check().is_err() {
            return;
        }
        let Message::Invite(invite) = message else { return };
        // A wrapper that was loaded anew comes back; the wrapper at the other end answers by itself.
        if wire::invite::again(&invite.location).is_some() {
            return;
        }
        let mut call = Call::incoming(self.config.call, now, from, to, invite);
        if self.cards().count() >= self.config.cards_max {
            tell(&mut call, now, call::Input::Reject(RejectReason::Busy));
        } else {
            self.effects.push_back(Effect::Ack { id: push });
            self.is_silenced = false;
        }
        self.calls.push(call);
        self.answer_awaited(now);
    }

    /// Does what the calls ask for, and keeps the noise in step with the cards.
    fn settle(&mut self, now: Time) {
        let mut ended = Vec::new();
        for call in &mut self.calls {
            while let Some(output) = call.poll() {
                match output {
                    call::Output::Send { to, message } => {
                        self.effects.push_back(Effect::Send { to, message });
                    }
                    call::Output::Event(call::Event::Ended(end)) => {
                        self.settled.note(call.id());
                        let notice = What::of(&end, &call.peer().user, call.device());
                        ended.push((call.peer().user.clone(), end, notice));
                    }
                    // Only after answering or for outgoing calls, and neither is done here.
                    call::Output::Describe(_)
                    | call::Output::Apply { .. }
                    | call::Output::Event(
                        call::Event::Ringing { .. }
                        | call::Event::Answered { .. }
                        | call::Event::Connected,
                    ) => debug_assert!(false, "calls only ring and end here"),
                }
            }
        }
        self.calls.retain(|call| !call.is_over());
        for (user, end, notice) in ended {
            self.remember_end(now, &user, &end);
            if let Some(what) = notice {
                self.notify(now, what);
            }
        }

        let is_ringing = self.cards().next().is_some() && !self.is_silenced;
        if is_ringing != self.is_ringing {
            self.is_ringing = is_ringing;
            self.effects.push_back(Effect::Ring { on: is_ringing });
        }
    }

    fn notify(&mut self, now: Time, mut what: What) {
        if let What::Missed { from, count } = &mut what {
            let same = |notice: &Notice| notice.caller() == Some(&*from) && notice.is_missed();
            if let Some(at) = self.notices.iter().position(same)
                && let What::Missed { count: before, .. } = self.notices.remove(at).what
            {
                *count += before;
            }
        }
        if self.notices.len() == self.config.notices_max {
            self.notices.remove(0);
        }
        self.notices_made += 1;
        self.notices.push(Notice { id: self.notices_made, until: what.until(now), what });
    }

    fn me(&self) -> Option<&UserId> {
        match &self.session {
            Session::LoggedIn { account } => Some(&account.email),
            Session::Opening | Session::LoggedOut(_) => None,
        }
    }
}

fn is_ringing(call: &Call) -> bool {
    matches!(call.state(), State::Ringing { .. })
}

/// Gives a call an input. A refusal is nobody's business here: a stranger's letter, or a press on a card that has just
/// gone.
fn tell(call: &mut Call, now: Time, input: call::Input) {
    call.handle(now, input).ok();
}
