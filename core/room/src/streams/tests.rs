//! Stories of one end of a stream, with the other end played by the test.

use std::time::Duration;

use super::*;

const ME: NodeId = NodeId(1);
const BOB: NodeId = NodeId(2);
const CAROL: NodeId = NodeId(3);
const OURS: StreamId = StreamId { kind: Kind::Camera, publisher: ME };
const BOBS: StreamId = StreamId { kind: Kind::Camera, publisher: BOB };

#[test]
fn a_subscriber_opens_before_the_offer_comes_and_answers_it() {
    let mut end = End::watching_bob();

    end.hear(BOB, json!({ "attempt": 1, "description": "offer" }));
    end.report(1, Report::Described("answer".to_owned()));

    let answer = json!({ "attempt": 1, "description": "answer" });
    assert_eq!(
        end.effects(),
        [
            Effect::Put { path: OURS_AT_BOB.to_owned(), value: json!({ "attempt": 1 }) },
            open(1, BOBS, BOB, Role::Subscriber),
            Effect::Media(Media::Apply { media: MediaId(1), description: "offer".to_owned() }),
            Effect::Notify { to: BOB, path: BOBS.publisher_path(), data: answer },
        ]
    );
}

#[test]
fn candidates_wait_for_the_description() {
    let mut end = End::watching_bob();
    end.effects();

    end.hear(BOB, json!({ "attempt": 1, "candidate": "c1" }));
    let before = end.effects();
    end.hear(BOB, json!({ "attempt": 1, "description": "offer" }));

    assert_eq!(before, []);
    assert_eq!(
        end.effects(),
        [
            Effect::Media(Media::Apply { media: MediaId(1), description: "offer".to_owned() }),
            Effect::Media(Media::Candidate { media: MediaId(1), candidate: "c1".to_owned() }),
        ]
    );
}

#[test]
fn what_is_late_or_from_a_stranger_is_not_heard() {
    let mut end = End::watching_bob();
    end.effects();

    end.hear(BOB, json!({ "attempt": 7, "description": "offer" }));
    end.hear(CAROL, json!({ "attempt": 1, "description": "offer" }));
    end.hear(BOB, json!({ "attempt": "x" }));

    assert_eq!(end.effects(), []);
}

#[test]
fn a_connection_that_fails_is_made_anew_and_more_patiently() {
    let mut end = End::watching_bob();
    end.effects();
    let first = end.streams.timeout().unwrap();

    end.now = first;
    end.streams.on_timeout(first);

    let second = end.streams.timeout().unwrap();
    assert_eq!(second - first, Flows::default().open * 2);
    assert_eq!(
        end.effects(),
        [
            Effect::Media(Media::Close { media: MediaId(1) }),
            Effect::Put { path: OURS_AT_BOB.to_owned(), value: json!({ "attempt": 2 }) },
            open(2, BOBS, BOB, Role::Subscriber),
        ]
    );
}

#[test]
fn a_picture_that_flows_outlives_the_link_for_a_while() {
    let mut end = End::watching_bob();
    end.report(1, Report::Flowing);
    end.effects();

    end.see(Scene::default());
    let at_once = (end.effects(), end.streams.keeps(BOB), end.streams.mends(BOB));
    end.later(Flows::default().grace);

    assert_eq!(at_once, (vec![], true, true));
    assert!(!end.streams.keeps(BOB));
    assert_eq!(end.effects(), unsubscribed(1));
}

#[test]
fn a_link_that_comes_back_finds_the_picture_where_it_was() {
    let mut end = End::watching_bob();
    end.report(1, Report::Flowing);
    end.effects();
    end.see(Scene::default());

    end.see(bob_publishes());
    end.later(Flows::default().grace);

    assert_eq!(end.effects(), []);
    assert!(!end.streams.mends(BOB));
}

#[test]
fn a_publisher_that_was_loaded_again_is_asked_at_once() {
    let mut end = End::watching_bob();
    end.report(1, Report::Flowing);
    end.effects();

    end.see(Scene { published: Map::from_iter([(BOBS, 9)]), ..bob_publishes() });
    let asked = end.effects();
    end.see(Scene { published: Map::from_iter([(BOBS, 9)]), ..bob_publishes() });

    assert_eq!(
        asked,
        [
            Effect::Media(Media::Close { media: MediaId(1) }),
            Effect::Put { path: OURS_AT_BOB.to_owned(), value: json!({ "attempt": 2 }) },
            open(2, BOBS, BOB, Role::Subscriber),
        ]
    );
    assert!(end.streams.mends(BOB), "the picture was there");
    assert_eq!(end.effects(), []);
}

#[test]
fn attempts_go_on_where_those_of_the_page_before_cannot_have_been() {
    let mut end = End { now: Time::ZERO, streams: Streams::new(ME, Flows::default(), 700) };

    end.see(bob_publishes());

    let asks = Effect::Put { path: OURS_AT_BOB.to_owned(), value: json!({ "attempt": 700 }) };
    assert_eq!(end.effects()[0], asks);
}

#[test]
fn a_subscriber_that_was_loaded_again_is_offered_to_at_once() {
    let mut end = End::new();
    end.see(bob_asks(4));
    end.report(1, Report::Flowing);
    end.effects();

    // Its calendar was put back meanwhile.
    end.see(bob_asks(3));

    let closed = Effect::Media(Media::Close { media: MediaId(1) });
    assert_eq!(end.effects(), [closed, open(2, OURS, BOB, Role::Publisher)]);
}

#[test]
fn neither_link_nor_picture_means_gone() {
    let mut end = End::watching_bob();
    end.report(1, Report::Flowing);
    end.effects();
    end.see(Scene::default());

    end.report(1, Report::Stalled);

    assert!(!end.streams.keeps(BOB));
    assert!(end.effects().contains(&Effect::Media(Media::Close { media: MediaId(1) })));
}

#[test]
fn a_stream_that_is_stopped_on_purpose_is_closed_at_once() {
    let mut end = End::watching_bob();
    end.report(1, Report::Flowing);
    end.effects();

    end.see(Scene { present: Set::from_iter([ME, BOB]), ..Scene::default() });

    assert_eq!(end.effects(), unsubscribed(1));
}

#[test]
fn a_publisher_offers_to_each_attempt_once() {
    let mut end = End::new();

    end.see(bob_asks(4));
    end.see(bob_asks(4));

    assert_eq!(end.effects(), [open(1, OURS, BOB, Role::Publisher)]);
}

#[test]
fn a_publisher_whose_end_broke_asks_for_a_new_attempt() {
    let mut end = End::new();
    end.see(bob_asks(4));
    end.effects();

    end.report(1, Report::Failed);
    let asked = end.effects();
    end.see(bob_asks(5));

    let again = json!({ "attempt": 4, "again": {} });
    let path = OURS.subscriber_path(BOB);
    assert_eq!(asked[0], Effect::Media(Media::Close { media: MediaId(1) }));
    assert_eq!(asked[1], Effect::Notify { to: BOB, path, data: again });
    assert_eq!(end.effects(), [open(2, OURS, BOB, Role::Publisher)]);
}

#[test]
fn a_publisher_asks_for_a_new_attempt_once_however_often_it_looks() {
    let mut end = End::new();
    end.see(bob_asks(4));
    end.report(1, Report::Failed);
    end.effects();

    end.see(bob_asks(4));
    end.see(bob_asks(4));

    assert_eq!(end.effects(), []);
}

#[test]
fn a_subscriber_that_is_asked_to_subscribes_again() {
    let mut end = End::watching_bob();
    end.report(1, Report::Flowing);
    end.effects();

    end.hear(BOB, json!({ "attempt": 1, "again": {} }));

    assert_eq!(
        end.effects(),
        [
            Effect::Media(Media::Close { media: MediaId(1) }),
            Effect::Put { path: OURS_AT_BOB.to_owned(), value: json!({ "attempt": 2 }) },
            open(2, BOBS, BOB, Role::Subscriber),
        ]
    );
}

#[test]
fn a_path_names_a_publisher_or_a_subscriber_or_nothing() {
    assert_eq!(Place::parse(&BOBS.publisher_path()), Some(Place::Publisher(BOBS)));
    assert_eq!(Place::parse(OURS_AT_BOB), Some(Place::Subscriber(BOBS, ME)));
    for path in ["streams/video-1/publisher", "streams/camera-0000000000000002", "users/x"] {
        assert_eq!(Place::parse(path), None, "{path}");
    }
}

const OURS_AT_BOB: &str = "streams/camera-0000000000000002/subscribers/0000000000000001";

fn open(media: u64, stream: StreamId, peer: NodeId, role: Role) -> Effect {
    Effect::Media(Media::Open { media: MediaId(media), stream, peer, role })
}

fn unsubscribed(media: u64) -> [Effect; 2] {
    [
        Effect::Media(Media::Close { media: MediaId(media) }),
        Effect::Delete { path: OURS_AT_BOB.to_owned() },
    ]
}

fn bob_publishes() -> Scene {
    Scene {
        published: Map::from_iter([(BOBS, 0)]),
        present: Set::from_iter([ME, BOB]),
        ..Scene::default()
    }
}

fn bob_asks(attempt: u64) -> Scene {
    Scene {
        asked: Map::from_iter([((OURS, BOB), attempt)]),
        present: Set::from_iter([ME, BOB]),
        ..Scene::default()
    }
}

/// Our end, and a clock.
struct End {
    now: Time,
    streams: Streams,
}

impl End {
    fn new() -> Self {
        Self { now: Time::ZERO, streams: Streams::new(ME, Flows::default(), 1) }
    }

    fn watching_bob() -> Self {
        let mut end = Self::new();
        end.see(bob_publishes());
        end
    }

    fn see(&mut self, scene: Scene) {
        self.streams.on_scene(self.now, &scene);
    }

    fn hear(&mut self, from: NodeId, data: Value) {
        self.streams.on_notice(self.now, Place::Subscriber(BOBS, ME), from, data);
    }

    fn report(&mut self, media: u64, report: Report) {
        self.streams.on_report(self.now, MediaId(media), report);
    }

    fn later(&mut self, span: Duration) {
        self.now = self.now + span;
        self.streams.on_timeout(self.now);
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.streams.poll()).collect()
    }
}
