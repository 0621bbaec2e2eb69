//! A wrapper window: calls, answers, invites, and what it says.

use call::Unsent;
use ui::ring;
use ui::wrapper::{Effect, Event, Gesture, Plan};
use wire::invite::{Accept, Message};
use wire::{InviteId, NodeId, Time};

use crate::window::*;

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
fn the_other_end_hears_who_we_are_once_the_conference_listens() {
    let mut window = Window::calling("bob@x.org");
    let (_, invite) = window.posted_invite();
    window.accepted(&invite, BOB);
    let is_greeting = |effect: &Effect| *effect == Effect::Greet(invite.id);

    window.told(Event::Opened(invite.id));
    assert!(!window.effects().iter().any(is_greeting), "the conference is being loaded");
    window.told(Event::FrameReady);
    assert_eq!(window.effects().into_iter().filter(is_greeting).count(), 1);
    window.waits();

    // The next channel is greeted as it opens.
    window.told(Event::Opened(invite.id));
    window.told(Event::FrameReady);
    assert_eq!(window.effects().into_iter().filter(is_greeting).count(), 1);
}

#[test]
fn whoever_names_the_node_of_somebody_else_is_hung_up_on() {
    let mut window = Window::in_a_call();
    window.does(invited("eve@x.org"));
    let (_, invite) = window.posted_invite();
    let accept = Accept { id: invite.id, node: NodeId(0xa), answer: ANSWER.to_owned() };
    window.hears("eve@x.org/00000003", Message::Accept(accept));
    window.effects();

    window.told(Event::Greeted { invite: invite.id, sender: NodeId(0xa) });

    let effects = window.effects();
    assert!(effects.contains(&Effect::Hang(invite.id)), "{effects:?}");
    assert!(!effects.contains(&hang_ann()), "Ann's channel stays: {effects:?}");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Add { .. } | Effect::Remove(_))));
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
    window.does(invited("Carol@x.org "));
    let (to, invite) = window.posted_invite();
    assert_eq!(to, address("carol@x.org"));
    assert_eq!(window.view().form, None);

    window.hears("carol@x.org/00000003", Message::Decline { id: invite.id });

    let calling = window.calling_view();
    assert!(!calling.is_large);
    assert!(calling.ring.status.contains("declined"));
    assert_eq!(window.view().title, "In a call – Hullo", "the call goes on");
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
fn whoever_is_invited_next_takes_the_place_of_those_who_did_not_come() {
    let mut window = Window::in_a_call();
    window.does(invited("carol@x.org"));
    let (_, invite) = window.posted_invite();
    window.hears("carol@x.org/00000003", Message::Decline { id: invite.id });

    window.does(invited("dan@x.org"));

    let labels: Vec<_> =
        window.view().callings.into_iter().map(|calling| calling.ring.label).collect();
    assert_eq!(labels, ["Calling dan@x.org"]);
}

#[test]
fn the_third_is_invited_into_the_same_conference() {
    let mut window = Window::calling("bob@x.org");
    let (_, first) = window.posted_invite();
    window.accepted(&first, BOB);
    window.told(Event::Greeted { invite: first.id, sender: BOB });

    window.does(invited("carol@x.org"));

    let (_, second) = window.posted_invite();
    assert_ne!(second.id, first.id);
    assert_eq!((second.location, second.node), (first.location, first.node));
}

#[test]
fn whoever_is_here_or_rings_is_not_called_again() {
    let mut window = Window::in_a_call();
    window.does(invited("carol@x.org"));
    let here = vec!["dan@x.org".parse().unwrap()];

    let problem = |window: &mut Window, address: &str| {
        let address = address.to_owned();
        window.does(Gesture::ToggleInvite);
        window.does(Gesture::Invite { address, here: here.clone() });
        let form = window.view().form;
        window.does(Gesture::ToggleInvite);
        form.and_then(|form| form.problem).unwrap_or_default()
    };

    assert_eq!(problem(&mut window, "carol@x.org"), "carol@x.org is being called already.");
    assert_eq!(problem(&mut window, "dan@x.org"), "dan@x.org is in this call already.");
    assert_eq!(problem(&mut window, "ann@x.org"), "ann@x.org is in this call already.");
    window.effects();
    window.does(Gesture::Invite { address: "dan@x.org/00000007".to_owned(), here });
    assert_eq!(window.posted_invite().0, address("dan@x.org/00000007"));
}

#[test]
fn the_conference_has_the_keyboard_when_nothing_else_has_it() {
    let mut window = Window::calling("bob@x.org");
    let (_, invite) = window.posted_invite();
    window.accepted(&invite, BOB);
    assert!(!window.effects().contains(&Effect::FocusFrame));
    window.told(Event::Greeted { invite: invite.id, sender: BOB });
    assert!(window.effects().contains(&Effect::FocusFrame));

    window.does(Gesture::ToggleInvite);
    assert!(!window.effects().contains(&Effect::FocusFrame));
    window.does(Gesture::ToggleInvite);
    assert!(window.effects().contains(&Effect::FocusFrame));
}

#[test]
fn what_is_no_address_is_said_beside_the_field() {
    let mut window = Window::in_a_call();
    window.does(Gesture::ToggleInvite);

    window.does(invited("bob@x.org"));
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
    window.does(invited("carol@x.org"));
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
fn who_is_removed_reads_so_in_a_window_that_stays() {
    let mut window = Window::in_a_call();

    window.does(Gesture::Removed);

    let effects = window.effects();
    assert!(effects.contains(&hang_ann()), "{effects:?}");
    assert!(!effects.contains(&Effect::Close), "{effects:?}");
    assert_eq!(window.view().farewell.unwrap().title, "You were removed from the call");
    assert_eq!(window.wrapper.window(), None, "nothing to come back to");
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
    assert_eq!(
        window.view().note,
        Some("The server cannot be reached. Who is connected stays connected.")
    );
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

fn invited(address: &str) -> Gesture {
    Gesture::Invite { address: address.to_owned(), here: Vec::new() }
}
