//! The call app under gestures and events in any order: what is rung for is on screen, and nothing grows for ever.

use std::time::Duration;

use ui::dial::{Config, Dial, Effect, Event, Gesture, Input, LoginProblem, Page};
use wire::contacts::Account;
use wire::invite::{CancelReason, Invite, Letter, Message};
use wire::{Address, Dice, InviteId, NodeId, Seed, Time};

#[test]
fn whatever_happens_the_page_keeps_its_promises() {
    for story in 0..200 {
        let mut chaos = Chaos::new(story);

        for _ in 0..300 {
            chaos.happen();
            chaos.check();
        }
    }
}

#[test]
fn once_left_alone_every_page_falls_silent() {
    for story in 0..200 {
        let mut chaos = Chaos::new(story);
        (0..100).for_each(|_| chaos.happen());

        // Within the hour; later it only says each day that it is here.
        let end = chaos.now + Duration::from_secs(60 * 60);
        while let Some(at) = chaos.dial.timeout().filter(|at| *at <= end) {
            chaos.now = at.max(chaos.now);
            chaos.tell(Input::Timeout);
        }

        assert!(!chaos.rings, "story {story} rings for ever");
        assert_eq!(chaos.cards(), 0, "story {story}");
        let next = chaos.dial.timeout();
        assert!(next.is_none_or(|at| at > end + Duration::from_secs(60 * 60)), "story {story}");
    }
}

/// A page to which anything happens.
struct Chaos {
    story: u64,
    dice: Dice,
    now: Time,
    dial: Dial,
    rings: bool,
}

impl Chaos {
    fn new(story: u64) -> Self {
        let dice = Dice::new(Seed::story(story));
        let dial = Dial::new(Config::default());
        Self { story, dice, now: Time::ZERO, dial, rings: false }
    }

    fn happen(&mut self) {
        self.now = self.now + Duration::from_millis(self.dice.below(3_000));
        let input = match self.dice.below(8) {
            0 => Input::Timeout,
            1 | 2 => Input::Gesture(self.gesture()),
            3 => Input::Event(self.event()),
            _ => Input::Event(Event::Push { id: "push".to_owned(), letter: self.letter() }),
        };
        self.tell(input);
    }

    /// Gives an input and does what the page asks for, as far as it can be heard.
    fn tell(&mut self, input: Input) {
        let is_timeout = input == Input::Timeout;
        self.dial.handle(self.now, input);
        while let Some(effect) = self.dial.poll() {
            match effect {
                Effect::Ring { on } => {
                    assert_ne!(on, self.rings, "story {}: said twice", self.story);
                    self.rings = on;
                }
                Effect::TakeCall { call } => {
                    assert_eq!(call.node(), None, "the wrapper answers it");
                }
                Effect::SaveRecent(recent) => assert!(recent.len() <= 10),
                Effect::LogIn { .. }
                | Effect::LogOut
                | Effect::OpenWrapper { .. }
                | Effect::Send { .. }
                | Effect::Ack { .. }
                | Effect::MailLink { .. }
                | Effect::ListDevices
                | Effect::EndDevice { .. }
                | Effect::TurnOnSound
                | Effect::TurnOnWaking
                | Effect::TurnOffWaking
                | Effect::ChangeRules(_)
                | Effect::RingHere
                | Effect::Watch(_)
                | Effect::Register => {}
            }
        }
        let next = self.dial.timeout();
        assert!(!is_timeout || next.is_none_or(|at| at > self.now), "story {}", self.story);
    }

    fn check(&self) {
        if self.rings {
            assert!(self.cards() > 0, "story {}: what is rung for is on screen", self.story);
        }
        if let Page::LoggedIn(page) = self.dial.view().page {
            assert!(page.cards.len() <= 4 && page.notices.len() <= 5 && page.recent.len() <= 10);
        }
    }

    fn cards(&self) -> usize {
        match self.dial.view().page {
            Page::LoggedIn(page) => page.cards.len(),
            Page::Opening { .. } | Page::LoggedOut(_) => 0,
        }
    }

    fn gesture(&mut self) -> Gesture {
        let id = InviteId(self.dice.below(8));
        match self.dice.below(11) {
            0 => Gesture::LogIn { token: "token".to_owned() },
            1 => Gesture::LogOut,
            2 => Gesture::Edit,
            3 => Gesture::Call { address: "bob@x.org".to_owned(), topic: String::new() },
            4 => Gesture::Answer(id),
            5 | 6 => Gesture::Decline(id),
            7 => Gesture::Silence,
            8 => Gesture::CallBack(id.0),
            9 => Gesture::Block(id),
            _ => Gesture::Dismiss(id.0),
        }
    }

    fn event(&mut self) -> Event {
        let user = if self.dice.below(8) == 0 { "cid@x.org" } else { "ann@x.org" };
        let email = user.parse().expect("a user");
        match self.dice.below(26) {
            0 => Event::NotLoggedIn,
            1 => Event::LoginFailed(LoginProblem::Offline),
            2 => Event::LoggedOut { asked: false },
            3 => Event::LogoutFailed,
            4 => Event::ServerAway,
            5 => Event::ServerBack { presence: self.dice.below(2) == 0 },
            6 => Event::Taken(InviteId(self.dice.below(8))),
            7 => Event::Recent(vec!["bob@x.org".to_owned(); 12]),
            8 => Event::SoundBlocked,
            9 => Event::SoundReady,
            10 => Event::OtherRings,
            11 => Event::Registered,
            12 => Event::Noted(vec![format!("bob@x.org missed {}", self.dice.below(1_000_000))]),
            _ => Event::LoggedIn(Account { email, instance: None }),
        }
    }

    /// From one of three devices of Bob, mostly to Ann, about one of a few invites.
    fn letter(&mut self) -> Letter {
        let address = |text: String| text.parse::<Address>().expect("an address");
        // Fresh ones now and then, for an invite that is settled never rings again.
        let id = InviteId(self.dice.below(8) + self.now.since_origin().as_secs() / 60 * 8);
        let by = (self.dice.below(2) == 0).then(|| address("ann@x.org/0000000a".to_owned()));
        let cancel = |reason, by| Message::Cancel { id, reason, by };
        let message = match self.dice.below(8) {
            0 => cancel(CancelReason::Cancel, None),
            1 => cancel(CancelReason::Accepted, by),
            2 => cancel(CancelReason::Declined, by),
            3 => Message::Decline { id },
            _ => Message::Invite(Invite {
                id,
                node: NodeId(1),
                location: String::new(),
                topic: None,
                offer: "offer".to_owned(),
                ttl_ms: self.dice.below(200_000),
            }),
        };
        Letter {
            from: address(format!("bob@x.org/{:08x}", self.dice.below(3))),
            to: address("ann@x.org/0000000a".to_owned()),
            message,
        }
    }
}
