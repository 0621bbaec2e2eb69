//! A wrapper window that is loaded again, or has lost somebody, and whoever comes back to it.

use ui::wrapper::{self, Effect, Event, Plan};
use wire::invite::{Accept, Message};
use wire::{InviteId, NodeId};

use crate::window::*;

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
