//! The window of a call: what the person sees, and what is done about invites and channels.

use std::time::Duration;

use call::{Call, Unsent};
use ui::ring;
use ui::wrapper::{self, Calling, Effect, Event, Gesture, Plan, View, Wrapper};
use wire::contacts::Account;
use wire::invite::{Accept, CancelReason, Invite, Letter, Message};
use wire::{Address, InviteId, NodeId, Seed, Time};

const OFFER: &str = r#"{"type":"offer","sdp":"v=0"}"#;
const ANSWER: &str = r#"{"type":"answer","sdp":"v=0"}"#;

/// Bob's node, as he says in his ACCEPT.
const BOB: NodeId = NodeId(0xb0b);

#[test]
fn the_window_names_the_conference_and_rings() {
    let mut window = Window::calling("bob@x.org");

    let (to, invite) = window.posted_invite();

    assert_eq!(to, address("bob@x.org"));
    assert_eq!(invite.topic.as_deref(), Some("Lunch"));
    let frame = window.view().frame.unwrap();
    let part = |name| frame.iter().find(|(key, _)| *key == name).unwrap().1.clone();
    assert_eq!(part("data.path"), format!("sessions/{}", invite.conference().unwrap()));
    assert_eq!(part("data.self"), invite.node.to_string());
    assert_eq!(part("data.displayname"), "ann@x.org");
    assert_eq!(part("topic"), "Lunch");
    let calling = window.calling_view();
    assert!(calling.is_large);
    assert_eq!(calling.ring.label, "Calling bob@x.org");
    assert_eq!(window.view().invite, None, "nobody is there to be joined");
}

#[test]
fn a_channel_is_announced_once_the_other_end_has_said_who_it_is() {
    let mut window = Window::calling("bob@x.org");
    let (_, invite) = window.posted_invite();
    window.accepted(&invite, BOB);
    assert!(window.effects().contains(&Effect::Apply { invite: invite.id, answer: ANSWER.into() }));

    window.told(Event::Greeted { invite: invite.id, sender: BOB });

    let user = Some("bob@x.org".parse().unwrap());
    let add = Effect::Add { invite: invite.id, node: BOB, user, is_invited: true };
    assert!(window.effects().contains(&add));
    assert!(window.view().callings.is_empty());
    assert_eq!(window.view().invite.unwrap().label, "Invite");
}

#[test]
fn a_stranger_at_the_other_end_is_hung_up_on() {
    let mut window = Window::calling("bob@x.org");
    let (_, invite) = window.posted_invite();
    window.accepted(&invite, BOB);
    window.effects();

    window.told(Event::Greeted { invite: invite.id, sender: NodeId(0xbad) });

    let effects = window.effects();
    assert!(effects.contains(&Effect::Hang(invite.id)), "{effects:?}");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Add { .. })));
    assert!(window.calling_view().ring.status.contains("No connection"));
}

#[test]
fn an_answered_call_joins_the_conference_of_the_caller() {
    let mut window = Window::answering();

    let effects = window.effects();

    assert!(matches!(effects[0], Effect::Keep { seat: None, .. }), "it was not let in yet");
    let Some(Effect::Describe { invite, what: call::Describe::Answer { offer } }) = effects.get(1)
    else {
        panic!("{effects:?}");
    };
    assert_eq!(offer, OFFER);
    let frame = window.view().frame.unwrap();
    assert!(frame.contains(&("data.path", "sessions/c1".to_owned())));
    window.told(Event::Greeted { invite: *invite, sender: NodeId(0xa) });
    assert!(!window.is_joined(), "the answer is not made yet, so nobody can be at the other end");
}

#[test]
fn a_third_who_declines_never_touches_the_conference() {
    let mut window = Window::in_a_call();
    window.does(Gesture::ToggleInvite);
    window.does(Gesture::Invite { address: "Carol@x.org ".to_owned() });
    let (to, invite) = window.posted_invite();
    assert_eq!(to, address("carol@x.org"));
    assert_eq!(window.view().form, None);

    window.hears("carol@x.org/00000003", Message::Decline { id: invite.id });

    let calling = window.calling_view();
    assert!(!calling.is_large);
    assert!(calling.ring.status.contains("declined"));
    let gone = |effect: &Effect| {
        matches!(effect, Effect::Remove(_) | Effect::Close) || *effect == hang_ann()
    };
    assert!(!window.effects().iter().any(gone));
    window.does(Gesture::Ring(invite.id, ring::Gesture::Close));
    assert!(window.view().callings.is_empty());
    assert_eq!(window.view().farewell, None);
    assert!(window.is_joined());
}

#[test]
fn the_third_is_invited_into_the_same_conference() {
    let mut window = Window::calling("bob@x.org");
    let (_, first) = window.posted_invite();
    window.accepted(&first, BOB);
    window.told(Event::Greeted { invite: first.id, sender: BOB });

    window.does(Gesture::Invite { address: "carol@x.org".to_owned() });

    let (_, second) = window.posted_invite();
    assert_ne!(second.id, first.id);
    assert_eq!((second.location, second.node), (first.location, first.node));
}

#[test]
fn what_is_no_address_is_said_beside_the_field() {
    let mut window = Window::in_a_call();
    window.does(Gesture::ToggleInvite);

    window.does(Gesture::Invite { address: "bob@x.org".to_owned() });
    assert!(window.view().form.unwrap().problem.unwrap().contains("your own address"));
    window.does(Gesture::Edit);
    assert_eq!(window.view().form.unwrap().problem, None);
    window.does(Gesture::ToggleInvite);

    assert_eq!(window.view().form, None);
}

#[test]
fn cancelling_the_only_call_takes_it_back_and_closes_the_window() {
    let mut window = Window::calling("bob@x.org");
    let (_, invite) = window.posted_invite();

    window.does(Gesture::Ring(invite.id, ring::Gesture::Cancel));

    let effects = window.effects();
    let cancel = effects.iter().position(|effect| is_cancel(effect, &invite)).unwrap();
    let close = effects.iter().position(|effect| *effect == Effect::Close).unwrap();
    assert!(cancel < close);
    assert_eq!(window.view().farewell.unwrap().title, "You cancelled the call");
}

#[test]
fn trying_again_is_a_fresh_invite() {
    let mut window = Window::calling("bob@x.org");
    let (_, first) = window.posted_invite();
    window.told(Event::Posted { invite: first.id, result: Err(Unsent::NotReachable) });
    assert!(window.calling_view().ring.status.contains("not logged in anywhere"));

    window.does(Gesture::Ring(first.id, ring::Gesture::TryAgain));

    let (to, second) = window.posted_invite();
    assert_eq!((to, second.topic), (address("bob@x.org"), first.topic));
    assert_ne!(second.id, first.id);
    assert_eq!(window.calling_view().id, second.id);
}

#[test]
fn closing_the_words_of_the_only_call_closes_the_window() {
    let mut window = Window::calling("bob@x.org");
    let (_, invite) = window.posted_invite();
    window.told(Event::Posted { invite: invite.id, result: Err(Unsent::UnknownUser) });

    window.does(Gesture::Ring(invite.id, ring::Gesture::Close));

    assert!(window.effects().contains(&Effect::Close));
    assert!(window.view().farewell.is_some());
}

#[test]
fn leaving_hangs_up_and_takes_back_what_still_rings() {
    let mut window = Window::in_a_call();
    window.does(Gesture::Invite { address: "carol@x.org".to_owned() });
    let (_, invite) = window.posted_invite();

    window.does(Gesture::Leave);

    let effects = window.effects();
    assert!(effects.contains(&hang_ann()));
    assert!(effects.iter().any(|effect| is_cancel(effect, &invite)));
    assert_eq!(effects.last(), Some(&Effect::Close));
    let view = window.view();
    assert_eq!((view.frame, view.invite), (None, None));
    assert_eq!(view.farewell.unwrap().title, "You left the call");
}

#[test]
fn a_page_that_goes_away_takes_back_what_still_rings() {
    let mut window = Window::calling("bob@x.org");
    let (_, invite) = window.posted_invite();

    window.told(Event::Closing);

    assert!(window.effects().iter().any(|effect| is_cancel(effect, &invite)));
}

#[test]
fn a_channel_that_closes_is_taken_from_the_conference() {
    let mut window = Window::in_a_call();

    window.told(Event::Lost(InviteId(1)));

    assert!(window.effects().contains(&Effect::Remove(NodeId(0xa))));
    assert!(window.is_joined(), "others may be there by other ways");
}

#[test]
fn the_server_is_missed_quietly() {
    let mut window = Window::in_a_call();

    window.told(Event::ServerAway);
    assert_eq!(window.view().note, Some("Server offline. This call goes on."));
    window.told(Event::ServerBack);

    assert_eq!(window.view().note, None);
}

#[test]
fn a_window_that_cannot_begin_says_why() {
    for (event, title) in [
        (Event::NotLoggedIn, "You are logged out"),
        (Event::ServerAway, "The server cannot be reached"),
    ] {
        let mut window = Window::new(plan("bob@x.org"));

        window.told(event);

        assert_eq!(window.view().farewell.unwrap().title, title);
    }
    let reloaded = Window::new(Plan::Nothing);
    assert_eq!(reloaded.view().farewell.unwrap().title, "There is no call here any more");
}

#[test]
fn a_window_that_is_loaded_again_takes_up_its_call() {
    let kept = Window::in_a_call().wrapper.window().expect("there is a call to come back to");
    let text = kept.to_text();

    let read = wrapper::Window::from_text(&text);
    assert_eq!(read.as_ref(), Some(&kept));
    let mut window = Window::new(Plan::Return(kept.clone()));
    window.told(Event::LoggedIn(account("bob@x.org")));

    let (to, invite) = window.posted_invite();
    assert_eq!(to, address("ann@x.org/00000001"));
    assert_eq!(invite.node, kept.node);
    assert_eq!(wire::invite::again(&invite.location), Some(NodeId(0xa)));
    assert_eq!(invite.conference().unwrap().as_str(), "c1");
    assert!(window.view().callings.is_empty(), "nobody is rung");
    let frame = window.view().frame.unwrap();
    assert!(frame.contains(&("data.self", kept.node.to_string())));
}

#[test]
fn a_window_that_is_loaded_again_looks_for_those_who_were_there_too() {
    let kept = Window::in_a_call().wrapper.window().expect("there is a call to come back to");
    // The conference app keeps them as lines of the same kind. Ann is one of them.
    let text =
        kept.to_text() + "\nann@x.org 000000000000000a\ncarol@x.org 000000000000000c\n what?";
    let read = wrapper::Window::from_text(&text).expect("what cannot be read is left out");
    assert_eq!(
        read.peers,
        [(address("ann@x.org/00000001"), NodeId(0xa)), (address("carol@x.org"), NodeId(0xc))]
    );
    let mut window = Window::new(Plan::Return(read.clone()));

    window.told(Event::LoggedIn(account("bob@x.org")));

    let asks = window.effects().into_iter();
    let offers = asks.filter(|ask| matches!(ask, Effect::Describe { .. }));
    assert_eq!(offers.count(), 2);
    assert_eq!(window.wrapper.window(), Some(read), "and does so the next time");
}

#[test]
fn a_window_that_is_loaded_again_twice_still_has_its_call() {
    let kept = Window::in_a_call().wrapper.window();

    let window = Window::new(Plan::Return(kept.clone().expect("there is a call to come back to")));

    assert_eq!(window.wrapper.window(), kept);
}

#[test]
fn a_copy_of_a_window_takes_up_nothing_and_forgets_the_call() {
    let kept = Window::in_a_call().wrapper.window().expect("there is a call to come back to");
    let mut window = Window::new(Plan::Return(kept));

    window.told(Event::Elsewhere);

    assert_eq!(window.view().farewell.unwrap().title, "This call is open in another tab");
    assert_eq!(window.effects(), []);
    assert_eq!(window.wrapper.window(), None);
}

#[test]
fn a_window_is_not_that_of_another_user() {
    let kept = Window::in_a_call().wrapper.window().expect("there is a call to come back to");
    let mut window = Window::new(Plan::Return(kept));

    window.told(Event::LoggedIn(account("eve@x.org")));

    assert!(window.view().farewell.is_some());
    assert_eq!(window.effects(), []);
}

#[test]
fn who_comes_back_is_answered_without_a_ring_and_nobody_else_is() {
    let mut window = Window::in_a_call();
    let (me, they) = (window.wrapper.node(), NodeId(0xa));

    window.hears("eve@x.org/00000001", looks_for(they, me, "c1"));
    window.hears("ann@x.org/00000001", looks_for(they, me, "c2"));
    window.hears("ann@x.org/00000001", looks_for(they, NodeId(0xbad), "c1"));
    assert_eq!(window.effects(), []);

    window.hears("ann@x.org/00000001", looks_for(they, me, "c1"));
    let effects = window.effects();
    assert!(effects.contains(&Effect::Remove(NodeId(0xa))), "{effects:?}");
    assert!(effects.contains(&Effect::Hang(InviteId(1))), "{effects:?}");
    let what = call::Describe::Answer { offer: OFFER.to_owned() };
    assert!(effects.contains(&Effect::Describe { invite: InviteId(9), what }), "{effects:?}");
    assert!(window.view().callings.is_empty());
}

#[test]
fn who_was_never_called_is_answered_too_and_vouched_for_by_nobody_here() {
    let carol = NodeId(0xc);
    let mut window = Window::in_a_call();
    let me = window.wrapper.node();

    window.hears("carol@x.org/00000003", looks_for(carol, me, "c1"));

    let what = call::Describe::Answer { offer: OFFER.to_owned() };
    assert_eq!(window.effects(), [Effect::Describe { invite: InviteId(9), what }]);
    window.told(Event::Described { invite: InviteId(9), description: Some(ANSWER.to_owned()) });
    window.told(Event::Greeted { invite: InviteId(9), sender: carol });
    let add = Effect::Add { invite: InviteId(9), node: carol, user: None, is_invited: false };
    assert!(window.effects().contains(&add));
    assert!(window.view().callings.is_empty());
}

#[test]
fn those_who_were_never_called_leave_places_for_those_who_were() {
    let mut window = Window::in_a_call();
    let me = window.wrapper.node();
    for stranger in 0..100 {
        let Message::Invite(mut invite) = looks_for(NodeId(0x100 + stranger), me, "c1") else {
            unreachable!("it is an INVITE");
        };
        invite.id = InviteId(100 + stranger);
        window.hears("eve@x.org/00000001", Message::Invite(invite));
    }
    let asked = window.effects().len();
    assert!((1..20).contains(&asked), "{asked} are answered");

    window.hears("ann@x.org/00000001", looks_for(NodeId(0xa), me, "c1"));

    let what = call::Describe::Answer { offer: OFFER.to_owned() };
    assert!(window.effects().contains(&Effect::Describe { invite: InviteId(9), what }));
}

#[test]
fn somebody_whom_others_let_in_is_called_when_it_is_lost() {
    let mut window = Window::in_a_call();
    let carol = Some("carol@x.org".parse().unwrap());

    window.told(Event::Sought(NodeId(0xc), carol));

    let (to, invite) = window.posted_invite();
    assert_eq!(to, address("carol@x.org"));
    assert_eq!(wire::invite::again(&invite.location), Some(NodeId(0xc)));
    assert_eq!(invite.conference().unwrap().as_str(), "c1");
    assert!(window.view().callings.is_empty(), "nobody is rung");
    let accept = Accept { id: invite.id, node: NodeId(0xc), answer: ANSWER.to_owned() };
    window.hears("carol@x.org/00000003", Message::Accept(accept));
    window.told(Event::Greeted { invite: invite.id, sender: NodeId(0xc) });
    let add = Effect::Add { invite: invite.id, node: NodeId(0xc), user: None, is_invited: false };
    assert!(window.effects().contains(&add));
}

#[test]
fn a_node_that_is_lost_is_called_back_without_a_ring() {
    let mut window = Window::in_a_call();

    window.told(Event::Sought(NodeId(0xa), None));
    let (to, invite) = window.posted_invite();
    window.told(Event::Sought(NodeId(0xa), None));
    window.told(Event::Sought(NodeId(0xbad), None));

    assert_eq!(window.effects(), [], "it is asked once, and nobody whom we never called");
    assert_eq!(to, address("ann@x.org/00000001"));
    assert_eq!(wire::invite::again(&invite.location), Some(NodeId(0xa)));
    assert!(window.view().callings.is_empty(), "nobody is rung");
    let accept = Accept { id: invite.id, node: NodeId(0xa), answer: ANSWER.to_owned() };
    window.hears("ann@x.org/00000001", Message::Accept(accept));
    window.effects();
    window.told(Event::Greeted { invite: invite.id, sender: NodeId(0xa) });
    let effects = window.effects();
    let at = |wanted: &Effect| effects.iter().position(|effect| effect == wanted);
    let removed = at(&Effect::Remove(NodeId(0xa))).expect("the broken channel is given up");
    assert!(effects.contains(&hang_ann()), "{effects:?}");
    let user = Some("ann@x.org".parse().unwrap());
    let add = Effect::Add { invite: invite.id, node: NodeId(0xa), user, is_invited: true };
    assert!(removed < at(&add).expect("the new one is announced"));
}

#[test]
fn a_channel_that_breaks_again_and_again_is_made_anew_each_time() {
    let mut window = Window::in_a_call();
    for time in 0..100 {
        window.told(Event::Sought(NodeId(0xa), None));
        let (_, invite) = window.posted_invite();
        let accept = Accept { id: invite.id, node: NodeId(0xa), answer: ANSWER.to_owned() };
        window.hears("ann@x.org/00000001", Message::Accept(accept));
        window.told(Event::Greeted { invite: invite.id, sender: NodeId(0xa) });
        let added = |effect: &Effect| matches!(effect, Effect::Add { .. });
        assert!(window.effects().iter().any(added), "time {time}");
    }
}

#[test]
fn of_two_who_call_each_other_back_the_lower_node_is_answered() {
    let mut window = Window::in_a_call();
    assert!(window.wrapper.node() > NodeId(0xa), "ours is the higher");
    window.told(Event::Sought(NodeId(0xa), None));
    let (_, ours) = window.posted_invite();

    let me = window.wrapper.node();
    window.hears("ann@x.org/00000001", looks_for(NodeId(0xa), me, "c1"));

    let effects = window.effects();
    assert!(effects.iter().any(|effect| is_cancel(effect, &ours)), "{effects:?}");
    let what = call::Describe::Answer { offer: OFFER.to_owned() };
    assert!(effects.contains(&Effect::Describe { invite: InviteId(9), what }), "{effects:?}");
}

#[test]
fn the_tone_of_ringing_stops_with_the_ringing() {
    let mut window = Window::calling("bob@x.org");
    let (_, invite) = window.posted_invite();
    window.told(Event::Posted { invite: invite.id, result: Ok(1) });
    window.told(Event::Receipt { invite: invite.id, from: address("bob@x.org/00000002") });
    assert_eq!(window.calling_view().ring.status, "Ringing");
    assert!(window.effects().contains(&Effect::Ringback { on: true }));

    window.hears("bob@x.org/00000002", Message::Decline { id: invite.id });

    let effects = window.effects();
    assert!(effects.contains(&Effect::Ringback { on: false }), "{effects:?}");
    assert!(effects.contains(&Effect::Play(ring::Sound::Declined)));
}

#[test]
fn words_that_change_by_themselves_are_asked_for_in_time() {
    let mut window = Window::calling("bob@x.org");
    let (_, invite) = window.posted_invite();
    window.told(Event::Posted { invite: invite.id, result: Ok(1) });
    assert!(!window.calling_view().ring.status.contains("still trying"));

    while window.now < Time::ZERO + ring::SLOW {
        window.waits();
    }

    assert!(window.calling_view().ring.status.contains("still trying"));
}

/// A wrapper window: Ann's when she calls, Bob's when he answers.
struct Window {
    wrapper: Wrapper,
    now: Time,
}

impl Window {
    fn new(plan: Plan) -> Self {
        let base = "https://x.org".to_owned();
        let wrapper = Wrapper::new(call::Config::default(), Seed::story(1), base, plan);
        Self { wrapper, now: Time::ZERO }
    }

    fn calling(to: &str) -> Self {
        let mut window = Self::new(plan(to));
        window.told(Event::LoggedIn(account("ann@x.org")));
        window
    }

    /// Ann calls as invite 1 and node a, and this is Bob's window after he pressed Answer.
    fn answering() -> Self {
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
    fn in_a_call() -> Self {
        let mut window = Self::answering();
        let answer = Some(ANSWER.to_owned());
        window.told(Event::Described { invite: InviteId(1), description: answer });
        window.told(Event::Greeted { invite: InviteId(1), sender: NodeId(0xa) });
        assert!(window.is_joined());
        window.effects();
        window
    }

    fn told(&mut self, event: Event) {
        self.wrapper.on_event(self.now, event);
    }

    fn does(&mut self, gesture: Gesture) {
        self.wrapper.on_gesture(self.now, gesture);
    }

    fn hears(&mut self, from: &str, message: Message) {
        let to = address("ann@x.org/00000001");
        self.told(Event::Letter(Letter { from: address(from), to, message }));
    }

    fn accepted(&mut self, invite: &Invite, node: NodeId) {
        let accept = Accept { id: invite.id, node, answer: ANSWER.to_owned() };
        self.hears("bob@x.org/00000002", Message::Accept(accept));
    }

    fn waits(&mut self) {
        self.now = self.wrapper.timeout().unwrap_or(self.now + Duration::from_secs(1));
        self.wrapper.on_timeout(self.now);
        self.effects();
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.wrapper.poll()).collect()
    }

    /// Makes the offer that is asked for, and gives the INVITE that is then posted.
    fn posted_invite(&mut self) -> (Address, Invite) {
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

    fn view(&self) -> View {
        self.wrapper.view(self.now)
    }

    fn calling_view(&self) -> Calling {
        self.view().callings.pop().expect("an invite has something to say")
    }

    fn is_joined(&self) -> bool {
        self.view().invite.is_some()
    }
}

/// The INVITE of `node`, which has lost `sought` in a conference.
fn looks_for(node: NodeId, sought: NodeId, conference: &str) -> Message {
    let conference = conference.parse().expect("the test writes conferences");
    let location = wire::invite::location("https://x.org", &conference);
    let location = wire::invite::location_again(&location, sought);
    let (id, offer) = (InviteId(9), OFFER.to_owned());
    Message::Invite(Invite { id, node, location, topic: None, offer, ttl_ms: 45_000 })
}

fn plan(to: &str) -> Plan {
    Plan::Call { to: address(to), topic: Some("Lunch".to_owned()) }
}

fn address(text: &str) -> Address {
    text.parse().expect("the test writes addresses")
}

fn account(email: &str) -> Account {
    Account { email: email.parse().expect("the test writes users"), instance: None }
}

/// Closes the channel of the call that is connected in [`Window::in_a_call`].
fn hang_ann() -> Effect {
    Effect::Hang(InviteId(1))
}

fn is_cancel(effect: &Effect, invite: &Invite) -> bool {
    let Effect::Send { message: Message::Cancel { id, reason: CancelReason::Cancel, .. }, .. } =
        effect
    else {
        return false;
    };
    *id == invite.id
}
