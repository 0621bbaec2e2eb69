//! The conference page told as a person sees it.

use room::{Command, Config, Input, Output};
use trust::{Bounds, Claim, Trust};
use wire::{InviteId, LinkId, Seed, Timestamp};

use super::*;

#[test]
fn the_page_asks_for_both_devices_at_once() {
    let mut page = Page::open();

    assert_eq!(page.effects(), [Effect::Open { microphone: true, camera: true }]);
}

#[test]
fn every_control_has_its_fixed_name() {
    let view = Page::open().view();

    let names: Vec<&str> = view.tools.iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["Microphone", "Camera", "Share screen", "Chat", "People", "More", "Leave"]);
    assert_eq!(view.tools.iter().filter(|tool| tool.is_stop).count(), 1);
}

#[test]
fn the_microphone_is_muted_and_opened_again() {
    let mut page = Page::with_devices();

    page.does(Gesture::ToggleMicrophone);
    let muted = (page.effects(), page.pressed(ToolId::Microphone));
    page.does(Gesture::ToggleMicrophone);

    assert_eq!(muted, (vec![Effect::SetMicrophone(false)], Some(false)));
    assert_eq!(page.effects(), [Effect::SetMicrophone(true)]);
}

#[test]
fn a_camera_that_is_switched_off_is_released() {
    let mut page = Page::with_devices();

    page.does(Gesture::ToggleCamera);
    let off = page.effects();
    page.does(Gesture::ToggleCamera);

    assert_eq!(off, [Effect::CloseCamera, Effect::SetCamera(false)]);
    assert_eq!(page.effects()[0], Effect::Open { microphone: false, camera: true });
}

#[test]
fn a_camera_that_opens_after_it_was_switched_off_is_released() {
    let mut page = Page::open();
    page.does(Gesture::ToggleCamera);
    page.effects();

    page.hears(Event::Opened(Sense::Camera));

    assert_eq!(page.effects(), [Effect::CloseCamera, Effect::SetCamera(false)]);
}

#[test]
fn the_call_goes_on_without_devices_and_says_why() {
    let mut page = Page::open();

    page.hears(Event::Refused(Sense::Microphone, Trouble::Blocked));
    page.hears(Event::Refused(Sense::Camera, Trouble::Blocked));

    let notices = page.view().notices;
    assert_eq!(notices.len(), 1);
    assert!(notices[0].text.starts_with("Your browser blocks the camera and the microphone"));
    assert_eq!(notices[0].remedy, Some(("Try again", Gesture::TryAgain)));
    page.effects();
    page.does(Gesture::TryAgain);
    assert_eq!(page.effects(), [Effect::Open { microphone: true, camera: true }]);
    assert_eq!(page.view().notices, []);
}

#[test]
fn every_trouble_has_cause_and_remedy() {
    for trouble in [Trouble::Blocked, Trouble::Busy, Trouble::Absent, Trouble::Unsupported] {
        for sense in [Sense::Camera, Sense::Microphone] {
            let mut page = Page::open();

            page.hears(Event::Refused(sense, trouble));

            let text = page.view().notices[0].text.clone();
            assert!(text.matches('.').count() >= 3 || text.contains("try again."), "{text}");
            assert!(!text.contains("  "), "{text}");
        }
    }
}

#[test]
fn space_opens_a_muted_microphone_while_it_is_held() {
    let mut page = Page::with_devices();
    page.does(Gesture::ToggleMicrophone);
    page.effects();

    page.does(Gesture::HoldToSpeak(true));
    let held = page.effects();
    page.hears(Event::Blurred);

    assert_eq!(held, [Effect::SetMicrophone(true)]);
    assert_eq!(page.effects(), [Effect::SetMicrophone(false)]);
}

#[test]
fn unread_messages_are_counted_until_the_chat_is_opened() {
    let mut page = Page::with_devices();
    for _ in 0..2 {
        page.hears(Event::Room(room::Event::Said { name: "bob@example.com".to_owned() }));
    }
    let before = page.badge();

    page.does(Gesture::ToggleChat);

    assert_eq!(before, "2");
    assert_eq!(page.badge(), "");
    assert_eq!(page.view().side, Some(Side::Chat));
}

#[test]
fn one_s_own_message_is_shown_with_its_links() {
    let mut page = Page::open();

    page.room.handle(Time::ZERO, Input::Do(Command::Say("see https://x.org".to_owned()))).unwrap();

    let lines = page.view().lines;
    assert_eq!((lines[0].name.as_str(), lines[0].is_own), ("You", true));
    assert_eq!(lines[0].parts[1], text::Part::Link("https://x.org".to_owned()));
}

#[test]
fn alone_one_sees_oneself_large_and_mirrored() {
    let view = Page::open().view();

    assert_eq!(view.layout, Layout::Alone);
    assert_eq!(view.tiles.len(), 1);
    assert_eq!(view.tiles[0].name, "alice@example.com");
    assert!(view.tiles[0].is_mirrored && view.tiles[0].is_silent);
    assert_eq!(view.tiles[0].states, ["muted", "camera off"]);
    assert_eq!(view.alone, "Nobody else is here yet.");
}

#[test]
fn why_nobody_else_is_here_is_said_as_it_is() {
    let mut page = Page::open();
    let mut parted = |how| {
        let left = room::Event::Left { node: NodeId(7), name: "Bob".to_owned(), how };
        page.hears(Event::Room(left));
        page.view().alone
    };

    assert_eq!(parted(room::Parting::Left), "Everyone else has left.");
    assert_eq!(
        parted(room::Parting::Lost),
        "The connection was lost. The call goes on when it is back."
    );
    assert_eq!(
        Stage::new(page.now, None, true).view(page.now, &page.room).alone,
        "Looking for the others."
    );
}

#[test]
fn what_is_written_and_not_sent_is_kept() {
    let mut page = Page::open();
    page.does(Gesture::ToggleChat);
    page.does(Gesture::Typed("half a".to_owned()));
    page.does(Gesture::TogglePeople);

    page.does(Gesture::ToggleChat);
    assert_eq!(page.view().draft, "half a");
    page.does(Gesture::Send("half a thought".to_owned()));

    assert_eq!(page.view().draft, "");
}

#[test]
fn who_speaks_is_marked_and_soon_no_longer() {
    let mut page = Page::with_devices();
    page.room.handle(Time::ZERO, Input::Do(Command::SetMicrophone(true))).unwrap();
    let me = page.room.me();

    page.hears(Event::Level(me, -20.0));
    let at_once = page.view().tiles[0].is_speaking;
    page.now = page.now + SPEAKING_LASTS;

    assert!(at_once);
    assert!(!page.view().tiles[0].is_speaking);
}

#[test]
fn a_screen_is_asked_for_once_and_stopped_from_anywhere() {
    let mut page = Page::with_devices();
    page.does(Gesture::ToggleScreen);
    page.does(Gesture::ToggleScreen);
    let asked = page.effects();
    page.hears(Event::ScreenOpened);
    let shared = (page.effects(), page.pressed(ToolId::Screen));

    page.hears(Event::ScreenClosed);

    assert_eq!(asked, [Effect::OpenScreen]);
    assert_eq!(shared, (vec![Effect::StartScreen], Some(true)));
    assert_eq!(page.effects(), [Effect::CloseScreen]);
    assert_eq!(page.pressed(ToolId::Screen), Some(false));
}

#[test]
fn escape_closes_one_thing_at_a_time_and_gives_the_focus_back() {
    let mut page = Page::with_devices();
    page.does(Gesture::TogglePeople);
    page.does(Gesture::ToggleMore);
    page.effects();

    page.does(Gesture::Escape);
    let first = (page.effects(), page.view().side);
    page.does(Gesture::Escape);

    assert_eq!(first, (vec![Effect::Focus("tool-more")], Some(Side::People)));
    assert_eq!(page.effects(), [Effect::Focus("tool-people")]);
    assert_eq!(page.view().side, None);
}

#[test]
fn the_host_removes_somebody_by_pressing_twice() {
    let mut page = Page::with_devices();
    let guest = page.is_joined_by("bob@example.com");
    page.does(Gesture::TogglePeople);
    page.effects();
    // Nobody removes themselves.
    let buttons = |page: &Page| -> Vec<&str> {
        page.view().seats.iter().filter_map(|seat| Some(seat.remove.as_ref()?.0)).collect()
    };
    assert_eq!((page.view().seats.len(), buttons(&page)), (2, vec!["Remove"]));

    page.does(Gesture::Remove(guest));
    page.does(Gesture::Escape);
    page.does(Gesture::Remove(guest));
    let (asked, armed) = (page.effects(), buttons(&page));
    page.does(Gesture::Remove(guest));

    assert_eq!((asked, armed), (Vec::new(), vec!["Yes, remove"]));
    assert_eq!(page.view().side, Some(Side::People));
    assert_eq!(page.effects(), [Effect::PutOut(guest)]);
    assert_eq!(buttons(&page), ["Remove"]);
}

#[test]
fn who_is_removed_is_told_so_for_as_long_as_it_is_true() {
    let mut page = Page::with_devices();

    page.hears(Event::Room(room::Event::TurnedAway(room::Reason::PutOut)));

    let notices: Vec<String> = page.view().notices.into_iter().map(|notice| notice.text).collect();
    assert!(notices.iter().any(|text| text.contains("removed you")), "{notices:?}");
}

#[test]
fn the_arrows_go_round_the_call_controls() {
    let mut page = Page::with_devices();

    page.does(Gesture::Along(Along::Back));
    page.does(Gesture::Along(Along::Back));

    assert_eq!(page.effects(), [Effect::Focus("tool-leave"), Effect::Focus("tool-more")]);
}

#[test]
fn who_is_removed_is_out_of_the_call() {
    let mut page = Page::with_devices();
    let name = "bob@example.com".to_owned();
    page.hears(Event::Room(room::Event::Joined { node: NodeId(2), name }));
    page.effects();

    page.hears(Event::Room(room::Event::TurnedAway(room::Reason::PutOut)));

    assert_eq!(page.effects(), [Effect::GiveUp]);
    assert_eq!(page.view().farewell, Some("You were removed from the call."));
}

#[test]
fn the_clock_begins_when_somebody_comes() {
    let mut page = Page::with_devices();
    page.now = page.now + Duration::from_secs(40);
    let bob = page.is_joined_by("bob@example.com");
    page.hears(Event::Room(room::Event::Joined { node: bob, name: "bob@example.com".to_owned() }));

    page.now = page.now + Duration::from_secs(3);

    assert_eq!(page.view().clock, "0:03");
}

#[test]
fn who_has_left_can_do_nothing_more() {
    let mut page = Page::with_devices();

    page.does(Gesture::Leave);
    page.does(Gesture::ToggleMicrophone);

    assert_eq!(page.effects(), [Effect::Leave]);
    assert_eq!(page.view().farewell, Some("You left the call."));
}

/// The page of Alice, who is alone in the room.
struct Page {
    now: Time,
    stage: Stage,
    room: Room,
}

impl Page {
    fn open() -> Self {
        let name = "alice@example.com";
        let (now, seed) = (Time::ZERO, Seed::story(1));
        let trust = Trust::found(seed, Claim::default(), Bounds::default(), Timestamp(0));
        let room = Room::new(Config::default(), now, Timestamp(1), trust, name, seed);
        Self { now, stage: Stage::new(now, None, false), room }
    }

    fn with_devices() -> Self {
        let mut page = Self::open();
        page.hears(Event::Opened(Sense::Microphone));
        page.hears(Event::Opened(Sense::Camera));
        page.effects();
        page
    }

    /// Somebody whom Alice invited comes.
    fn is_joined_by(&mut self, name: &str) -> NodeId {
        let founded =
            Trust::found(Seed::story(1), Claim::default(), Bounds::default(), Timestamp(0));
        let trust = Trust::apply(Seed::story(2), founded.conference().clone());
        let seed = Seed::story(2);
        let mut guest = Room::new(Config::default(), self.now, Timestamp(1), trust, name, seed);
        let (link, names) = (LinkId(1), [self.room.node().me(), guest.node().me()]);
        let (binding, claim) = (Vec::new(), Claim::default());
        let up = |peer, invite| Input::Up {
            link,
            peer,
            binding: binding.clone(),
            claim: claim.clone(),
            invite,
        };
        self.room.handle(self.now, up(names[1], Some(InviteId(1)))).expect("a link opens");
        guest.handle(self.now, up(names[0], None)).expect("a link opens");
        for _ in 0..20 {
            self.now = self.now + Duration::from_millis(100);
            for (from, to) in [(0, 1), (1, 0)] {
                let rooms = [&mut self.room, &mut guest];
                rooms[from].handle(self.now, Input::Timeout).expect("time passes");
                while let Some(output) = rooms[from].poll() {
                    if let Output::Send { link, frame } = output {
                        let received = Input::Received { link, frame };
                        rooms[to].handle(self.now, received).expect("both are honest");
                    }
                }
            }
        }
        names[1]
    }

    fn does(&mut self, gesture: Gesture) {
        self.stage.on_gesture(gesture);
    }

    fn hears(&mut self, event: Event) {
        self.stage.on_event(self.now, event);
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.stage.poll()).collect()
    }

    fn view(&self) -> View {
        self.stage.view(self.now, &self.room)
    }

    fn pressed(&self, id: ToolId) -> Option<bool> {
        self.view().tools.iter().find(|tool| tool.id == id).and_then(|tool| tool.is_pressed)
    }

    fn badge(&self) -> String {
        let tools = self.view().tools;
        tools.into_iter().find(|tool| tool.id == ToolId::Chat).unwrap().badge
    }
}
