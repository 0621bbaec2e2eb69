//! One wrapper window, driven by hand.

use std::time::Duration;

use call::Call;
use ui::wrapper::{Calling, Effect, Event, Gesture, Plan, View, Wrapper};
use wire::contacts::Account;
use wire::invite::{Accept, CancelReason, Invite, Letter, Message};
use wire::{Address, InviteId, NodeId, Seed, Time};

pub(crate) const OFFER: &str = r#"{"type":"offer","sdp":"v=0"}"#;
pub(crate) const ANSWER: &str = r#"{"type":"answer","sdp":"v=0"}"#;

/// Bob's node, as he says in his ACCEPT.
pub(crate) const BOB: NodeId = NodeId(0xb0b);

/// A wrapper window: Ann's when she calls, Bob's when he answers.
pub(crate) struct Window {
    pub(crate) wrapper: Wrapper,
    pub(crate) now: Time,
}

impl Window {
    pub(crate) fn new(plan: Plan) -> Self {
        let base = "https://x.org".to_owned();
        let wrapper = Wrapper::new(call::Config::default(), Seed::story(1), base, plan);
        Self { wrapper, now: Time::ZERO }
    }

    pub(crate) fn calling(to: &str) -> Self {
        let mut window = Self::new(plan(to));
        window.told(Event::LoggedIn(account("ann@x.org")));
        window
    }

    /// Ann calls as invite 1 and node a, and this is Bob's window after he pressed Answer.
    pub(crate) fn answering() -> Self {
        let invite = Invite {
            id: InviteId(1),
            node: NodeId(0xa),
            location: "https://x.org/conference?data.path=sessions/c1".to_owned(),
            topic: None,
            offer: OFFER.to_owned(),
            ttl_ms: 45_000,
        };
        let (from, me) = (address("ann@x.org/00000001"), address("bob@x.org/00000002"));
        let call = Call::incoming(call::Config::default(), Time::ZERO, from, me, invite);
        let mut window = Self::new(Plan::Answer(Box::new(call)));
        window.told(Event::LoggedIn(account("bob@x.org")));
        window
    }

    /// Bob's window once the channel to Ann's node is open.
    pub(crate) fn in_a_call() -> Self {
        let mut window = Self::answering();
        let answer = Some(ANSWER.to_owned());
        window.told(Event::Described { invite: InviteId(1), description: answer });
        window.told(Event::Greeted { invite: InviteId(1), sender: NodeId(0xa) });
        assert!(window.is_joined());
        window.effects();
        window
    }

    pub(crate) fn told(&mut self, event: Event) {
        self.wrapper.on_event(self.now, event);
    }

    pub(crate) fn does(&mut self, gesture: Gesture) {
        self.wrapper.on_gesture(self.now, gesture);
    }

    pub(crate) fn hears(&mut self, from: &str, message: Message) {
        let to = address("ann@x.org/00000001");
        self.told(Event::Letter(Letter { from: address(from), to, message }));
    }

    pub(crate) fn accepted(&mut self, invite: &Invite, node: NodeId) {
        let accept = Accept { id: invite.id, node, answer: ANSWER.to_owned() };
        self.hears("bob@x.org/00000002", Message::Accept(accept));
    }

    pub(crate) fn waits(&mut self) {
        self.now = self.wrapper.timeout().unwrap_or(self.now + Duration::from_secs(1));
        self.wrapper.on_timeout(self.now);
        self.effects();
    }

    pub(crate) fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.wrapper.poll()).collect()
    }

    /// Makes the offer that is asked for, and gives the INVITE that is then posted.
    pub(crate) fn posted_invite(&mut self) -> (Address, Invite) {
        let wanted = self.effects().into_iter().find_map(|effect| {
            let Effect::Describe { invite, what: call::Describe::Offer } = effect else {
                return None;
            };
            Some(invite)
        });
        let invite = wanted.expect("an offer is asked for");
        self.told(Event::Described { invite, description: Some(OFFER.to_owned()) });
        let posted = self.effects().into_iter().find_map(|effect| {
            let Effect::Send { to, message: Message::Invite(invite) } = effect else { return None };
            Some((to, invite))
        });
        posted.expect("an INVITE is posted")
    }

    pub(crate) fn view(&self) -> View {
        self.wrapper.view(self.now)
    }

    pub(crate) fn calling_view(&self) -> Calling {
        self.view().callings.pop().expect("an invite has something to say")
    }

    pub(crate) fn is_joined(&self) -> bool {
        self.view().invite.is_some()
    }
}

/// The INVITE of `node`, which has lost `sought` in a conference.
pub(crate) fn looks_for(node: NodeId, sought: NodeId, conference: &str) -> Message {
    let conference = conference.parse().expect("the test writes conferences");
    let location = wire::invite::location("https://x.org", &conference);
    let location = wire::invite::location_again(&location, sought);
    let (id, offer) = (InviteId(9), OFFER.to_owned());
    Message::Invite(Invite { id, node, location, topic: None, offer, ttl_ms: 45_000 })
}

pub(crate) fn plan(to: &str) -> Plan {
    Plan::Call { to: address(to), topic: Some("Lunch".to_owned()) }
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().expect("the test writes addresses")
}

pub(crate) fn account(email: &str) -> Account {
    Account { email: email.parse().expect("the test writes users"), instance: None }
}

/// Closes the channel of the call that is connected in [`Window::in_a_call`].
pub(crate) fn hang_ann() -> Effect {
    Effect::Hang(InviteId(1))
}

pub(crate) fn is_cancel(effect: &Effect, invite: &Invite) -> bool {
    let Effect::Send { message: Message::Cancel { id, reason: CancelReason::Cancel, .. }, .. } =
        effect
    else {
        return false;
    };
    *id == invite.id
}
