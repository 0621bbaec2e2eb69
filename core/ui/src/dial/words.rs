//! What goes into the call app and what comes out of it.

use std::time::Duration;

use call::Call;
use wire::contacts::{Account, ChangeRules, LoggedIn, Ring, Rules, Ways};
use wire::invite::{Letter, Message};
use wire::live::Seen;
use wire::{Address, InviteId, UserId};

use super::waking::Waking;
use crate::wake::Opening;

/// The limits of a page.
#[derive(Clone, Debug)]
pub struct Config {
    /// The limits of each call.
    pub call: call::Config,
    /// How many calls ring at once; to more this device is busy. Guess: what a phone's screen can show.
    pub cards_max: usize,
    /// How many notices wait; the oldest goes. Guess: what a person reads.
    pub notices_max: usize,
    /// How many addresses are remembered. As in the reference.
    pub recent_max: usize,
    /// How often the server is told that this device is still here. A contact lasts 270 days; daily, so that a
    /// subscription which changed unseen is known within a day.
    pub refresh: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            call: call::Config::default(),
            cards_max: 4,
            notices_max: 5,
            recent_max: 10,
            refresh: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// What goes into [`Dial::handle`](super::Dial::handle).
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// It is as late as [`Dial::timeout`](super::Dial::timeout) said.
    Timeout,
    /// The person did something.
    Gesture(Gesture),
    /// Something happened.
    Event(Event),
}

impl From<Gesture> for Input {
    fn from(gesture: Gesture) -> Self {
        Self::Gesture(gesture)
    }
}

impl From<Event> for Input {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

/// What the person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// Logs in with this access token, as typed.
    LogIn {
        /// The token.
        token: String,
    },
    /// Wants a log-in link at this mail address, as typed.
    MailLink {
        /// The address.
        address: String,
    },
    /// Logs out.
    LogOut,
    /// Wants to see where they are logged in.
    ShowDevices,
    /// Has seen enough of that.
    HideDevices,
    /// Logs that device out.
    EndDevice(String),
    /// Changes a field: what was wrong with it may be right now.
    Edit,
    /// Calls, with both fields as typed.
    Call {
        /// Whom.
        address: String,
        /// What about; may be empty.
        topic: String,
    },
    /// Answers the call of this card.
    Answer(InviteId),
    /// Declines the call of this card, on all devices.
    Decline(InviteId),
    /// Declines the call of this card, and wants nothing more of the caller.
    Block(InviteId),
    /// Wants nothing more of somebody who does not call just now.
    BlockUser(UserId),
    /// Takes somebody from the block list.
    Unblock(UserId),
    /// Lets everybody ring, or only those known.
    LetRing(Ring),
    /// Stops the noise; the cards stay.
    Silence,
    /// Calls back whom this notice is about.
    CallBack(u64),
    /// Takes this notice away.
    Dismiss(u64),
    /// Allows the page to ring.
    TurnOnSound,
    /// Wants this device to ring while its pages are closed.
    TurnOnWaking,
    /// Does not want that any more.
    TurnOffWaking,
    /// Has calls ring on this device rather than on another.
    RingHere,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// We are logged in: just now, or since an earlier visit.
    LoggedIn(Account),
    /// The server does not know us; there was no earlier visit.
    NotLoggedIn,
    /// How one can log in here.
    Ways(Ways),
    /// The server mails a link, if it may.
    MailTaken,
    /// No link is mailed.
    MailRefused(LoginProblem),
    /// Where the person is logged in.
    Devices(Vec<LoggedIn>),
    /// The server did not say where the person is logged in.
    DevicesFailed,
    /// Logging in failed.
    LoginFailed(LoginProblem),
    /// We are logged out, because we asked, or (`false`) somebody elsewhere did.
    LoggedOut {
        /// Whether it was this page's person.
        asked: bool,
    },
    /// Logging out failed: the server could not be reached.
    LogoutFailed,
    /// The live socket, or the first request, failed; the shell keeps trying.
    ServerAway,
    /// The live socket is open.
    ServerBack {
        /// Whether the server tells who is reachable: [`Effect::Watch`].
        presence: bool,
    },
    /// Calls do not ring here, because only one device of ours may ring, and another does.
    OtherRings,
    /// This device could not be made the one that rings: the server could not be reached.
    RingHereFailed,
    /// Whether some of those who are watched are reachable.
    Seen(Vec<Seen>),
    /// A push came, over this page's socket or told by another page of this browser.
    Push {
        /// To acknowledge it by.
        id: String,
        /// What it says.
        letter: Letter,
    },
    /// Another page of this browser took the call.
    Taken(InviteId),
    /// The list `Recent` as it was stored, now or by another page of this browser: [`Effect::SaveRecent`].
    Recent(Vec<String>),
    /// What the service worker noted for that list while no page was open: [`Wake::note`](crate::wake::Wake::note).
    Noted(Vec<String>),
    /// Another page of this browser told the server that this device is here.
    Registered,
    /// The browser plays no sound before the person has clicked.
    SoundBlocked,
    /// The browser plays sounds.
    SoundReady,
    /// Whether this device rings while its pages are closed.
    Waking(Waking),
    /// Who may ring, as the server keeps it.
    Rules(Rules),
    /// The server did not take a change of that.
    RulesFailed,
    /// The page was opened, or gone back to, by a notification.
    Opened(Opening),
}

/// Why logging in failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginProblem {
    /// The server does not know the token.
    WrongToken,
    /// The link was used up or never valid.
    DeadLink,
    /// The server could not be reached.
    Offline,
    /// The server refused for another reason, in its words.
    Refused(String),
    /// The way over a provider ended badly.
    Provider(ProviderProblem),
}

/// Why somebody who came back from a provider is not logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderProblem {
    /// They, or the provider, refused.
    Denied,
    /// The page was open for too long, or in another browser.
    Stale,
    /// They are no user here, and may not become one.
    Unknown,
    /// The provider vouches for no usable name.
    Unnamed,
    /// The provider cannot be used.
    Unavailable,
}

impl ProviderProblem {
    /// The one that the server means by this word behind `#login=`.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Some(match word {
            "denied" => Self::Denied,
            "stale" => Self::Stale,
            "unknown" => Self::Unknown,
            "unnamed" => Self::Unnamed,
            "unavailable" => Self::Unavailable,
            _ => return None,
        })
    }

    fn words(self) -> &'static str {
        match self {
            Self::Denied => {
                "You did not log in there, so you are not logged in here. Try again when you like."
            }
            Self::Stale => {
                "Logging in took too long, or began in another browser. Begin again, here."
            }
            Self::Unknown => {
                "You have logged in there, but you are no user of this server. Ask whoever runs it to add you."
            }
            Self::Unnamed => {
                "You have logged in there, but your mail address is not confirmed there. Confirm it, then log in again."
            }
            Self::Unavailable => {
                "The place where you log in cannot be reached. Try again in a moment, or use an access token."
            }
        }
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// `POST /session`; answer with [`Event::LoggedIn`] or [`Event::LoginFailed`].
    LogIn {
        /// The token.
        token: String,
    },
    /// `POST /session/mail`; answer with [`Event::MailTaken`] or [`Event::MailRefused`].
    MailLink {
        /// Where to.
        address: String,
    },
    /// `GET /session/devices`; answer with [`Event::Devices`] or [`Event::DevicesFailed`].
    ListDevices,
    /// `DELETE /session/devices/{id}`, then as [`Effect::ListDevices`].
    EndDevice {
        /// Which device.
        id: String,
    },
    /// `DELETE /session`; answer with [`Event::LoggedOut`] or [`Event::LogoutFailed`].
    LogOut,
    /// Open a wrapper that calls. In the same turn as the gesture, or the browser blocks it.
    OpenWrapper {
        /// Whom to call.
        to: Address,
        /// What about.
        topic: Option<String>,
    },
    /// Store the call, open a wrapper that answers it, and tell the other pages with [`Event::Taken`].
    TakeCall {
        /// Still ringing: the wrapper gives it [`call::Input::Answer`].
        call: Box<Call>,
    },
    /// `POST /contacts`. Nobody waits for the result.
    Send {
        /// Whom to.
        to: Address,
        /// What to say.
        message: Message,
    },
    /// Acknowledge a push: it has been shown.
    Ack {
        /// Which push.
        id: String,
    },
    /// Begin or stop to ring and vibrate.
    Ring {
        /// Begin, rather than stop.
        on: bool,
    },
    /// The person clicked: prepare the sound. Answer with [`Event::SoundReady`].
    TurnOnSound,
    /// Ask for permission, subscribe, and tell the server. Answer with [`Event::Waking`]. In the same turn as the gesture.
    TurnOnWaking,
    /// Give up the subscription, and tell the server. Answer with [`Event::Waking`].
    TurnOffWaking,
    /// `PUT /contacts/rules`; answer with [`Event::Rules`] or [`Event::RulesFailed`].
    ChangeRules(ChangeRules),
    /// Make this device the one that rings, then open the live socket again. Answer with [`Event::ServerBack`] or
    /// [`Event::RingHereFailed`].
    RingHere,
    /// Ask the server to tell from now on whether these are reachable.
    Watch(Vec<UserId>),
    /// Store the list `Recent`, the latest first.
    SaveRecent(Vec<String>),
    /// `PUT /contacts`: this device is here, and woken so. Tell the other pages with [`Event::Registered`], and answer with
    /// [`Event::Waking`].
    Register,
}

impl LoginProblem {
    /// What happened, what it means, and what to do.
    pub(super) fn words(self) -> String {
        match self {
            Self::WrongToken => "This access token is not known here. Check that all of it \
                                     was copied, or ask for a new one."
                .to_owned(),
            Self::DeadLink => "This log-in link is not valid any more. Ask for a new one, or \
                                   paste an access token."
                .to_owned(),
            Self::Offline => "The server cannot be reached, so you are not logged in. Check \
                                  your connection, then try again."
                .to_owned(),
            Self::Refused(sentence) => sentence,
            Self::Provider(problem) => problem.words().to_owned(),
        }
    }
}
