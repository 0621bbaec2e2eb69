//! The call app on one page: what a person does, what happens, and what they see.

mod login;
mod people;
mod ringing;

use std::time::Duration;

use ui::dial::{Card, Config, Dial, Effect, Event, Gesture, Input, LoggedIn, NoticeView, Page};
use wire::contacts::Account;
use wire::invite::{CancelReason, Invite, Letter, Message};
use wire::{Address, InviteId, NodeId, Time};

/// This device.
const ME: &str = "ann@x.org/0000000a";

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn account(user: &str) -> Account {
    Account { email: user.parse().expect("a user"), instance: None }
}

fn call(address: &str, topic: &str) -> Gesture {
    Gesture::Call { address: address.to_owned(), topic: topic.to_owned() }
}

fn invite(id: u64) -> Invite {
    Invite {
        id: InviteId(id),
        node: NodeId(1),
        location: "https://x.org/conference?data.path=sessions/c".to_owned(),
        topic: Some("Lunch".to_owned()),
        offer: "offer".to_owned(),
        ttl_ms: 45_000,
    }
}

fn cancel(id: u64, reason: CancelReason, by: Option<&str>) -> Message {
    Message::Cancel { id: InviteId(id), reason, by: by.map(address) }
}

/// The page and its clock.
struct Screen {
    now: Time,
    dial: Dial,
}

impl Screen {
    fn new() -> Self {
        Self { now: Time::ZERO, dial: Dial::new(Config::default()) }
    }

    fn logged_in_as_ann() -> Self {
        let mut page = Self::new();
        page.told(Event::LoggedIn(account("ann@x.org")));
        assert_eq!(page.effects(), [Effect::Register]);
        page
    }

    fn told(&mut self, event: Event) {
        self.dial.handle(self.now, event);
    }

    fn does(&mut self, gesture: Gesture) {
        self.dial.handle(self.now, gesture);
    }

    fn push(&mut self, from: &str, to: &str, message: Message) {
        let letter = Letter { from: address(from), to: address(to), message };
        self.told(Event::Push { id: "push".to_owned(), letter });
    }

    /// A message from the first device of `user`.
    fn hears(&mut self, user: &str, message: Message) {
        self.push(&format!("{user}/00000001"), ME, message);
    }

    fn rung_by(&mut self, user: &str, id: u64) {
        self.hears(user, Message::Invite(invite(id)));
    }

    fn wait(&mut self, span: Duration) {
        let last = self.now + span;
        while let Some(at) = self.dial.timeout()
            && at <= last
        {
            self.now = at;
            self.dial.handle(at, Input::Timeout);
            assert!(self.dial.timeout().is_none_or(|next| next > at), "it makes progress");
        }
        self.now = last;
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.dial.poll()).collect()
    }

    fn logged_in(&self) -> LoggedIn {
        let Page::LoggedIn(page) = self.dial.view().page else { panic!("logged in") };
        page
    }

    fn logged_out(&self) -> ui::dial::LoggedOut {
        let Page::LoggedOut(page) = self.dial.view().page else { panic!("logged out") };
        page
    }

    fn card(&self) -> Card {
        let [card] = self.logged_in().cards.try_into().expect("one card");
        card
    }

    fn notice(&self) -> NoticeView {
        let [notice] = self.logged_in().notices.try_into().expect("one notice");
        notice
    }
}
